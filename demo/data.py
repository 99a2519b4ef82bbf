"""Sample data, the same on every run, so that the numbers of the demo never move."""

from datetime import datetime, timedelta, timezone

from models import Agent, AgentConfiguration, Edge, Execution, Node, Product, Stock, Store, User, Workflow

USERS = ("Ada", "Grace", "Barbara")
AGENTS = ("Support", "Billing")
WORKFLOWS = (
    "Answer a ticket", "Escalate a ticket", "Summarise a call", "Welcome a customer", "Renew a contract",
    "Refund an order", "Translate a reply", "Tag a complaint", "Plan a visit", "Close the day",
)  # fmt: skip
STEPS = ("receive", "fetch", "classify", "decide", "search", "draft", "review", "approve", "send")
CITIES = ("Lisbon", "Oslo", "Kyoto", "Quito", "Accra", "Perth", "Turin", "Izmir")
FIRST_DAY = datetime(2024, 1, 1, tzinfo=timezone.utc)


def workflow(name, number):
    """A chain of nine nodes; 'decide' may also jump straight to 'approve'."""
    nodes = [Node(position=position, name=step) for position, step in enumerate(STEPS, 1)]
    for source, target in zip(nodes, nodes[1:]):
        source.outgoing_edges.append(Edge(target=target))
    nodes[3].outgoing_edges.append(Edge(target=nodes[7]))
    executions = [
        Execution(
            started_at=FIRST_DAY + timedelta(hours=hour),
            state="failed" if hour % 7 == 0 else "done",
            duration_ms=1000 + 10 * hour,
        )
        for hour in range(1, 5 + number * 3)
    ]
    return Workflow(name=name, nodes=nodes, executions=executions)


def agent(name, user_number):
    settings = AgentConfiguration(model="small" if user_number else "large", temperature=0.2)
    workflows = [workflow(title, number) for number, title in enumerate(WORKFLOWS)]
    return Agent(name=name, settings=settings, configuration={"llm_provider": "openai"}, workflows=workflows)


def users():
    return [
        User(name=name, agents=[agent(title, number) for title in AGENTS]) for number, name in enumerate(USERS)
    ]


def products():
    """Twenty-five products, each in five of the eight stores; every store is in use."""
    stores = [Store(city=city) for city in CITIES]
    return [
        Product(
            name=f"Sensor {number:02}",
            stocks=[Stock(store=stores[(number + shift) % 8], quantity=number * shift) for shift in range(1, 6)],
        )
        for number in range(1, 26)
    ]


def sample_data():
    return users() + products()
