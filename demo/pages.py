"""Two pages of the application, rendered as text.

Both are written the way pages are usually written: walk from object to object and let the ORM
fetch what is missing. Nothing in this file looks like a query in a loop, and yet it is one.
"""

from sqlalchemy import Numeric, func, select
from sqlalchemy.orm import joinedload, selectinload

from models import Agent, Node, Product, Stock, User, Workflow


def workflow_page(session, user_id, agent_id, loading=()):
    """An agent's workflows, each with its nodes and where every node leads."""
    user = session.get(User, user_id)
    agent = session.get(Agent, agent_id)
    settings = agent.settings
    workflows = session.scalars(
        select(Workflow).where(Workflow.agent_id == agent.id).order_by(Workflow.id).options(*loading)
    ).all()

    lines = [f"{agent.name}, an agent of {user.name} ({settings.model} model, {settings.temperature})"]
    for workflow in workflows:
        lines.append(f"  {workflow.name}, executed {workflow.execution_count} times")
        for node in workflow.nodes:
            targets = ", ".join(edge.target.name for edge in node.outgoing_edges)
            lines.append(f"    {node.position} {node.name} -> {targets or 'end'}")
    return "\n".join(lines)


def agents_of_provider(session, provider):
    """The search of the administration page, in the documents of all agents."""
    query = select(Agent).where(Agent.configuration["llm_provider"].astext == provider).order_by(Agent.id)
    return [agent.name for agent in session.scalars(query)]


def provider_report(session):
    """How many agents each provider has, and how warm they are on average."""
    provider = Agent.configuration["llm_provider"].astext
    warmth = func.avg(Agent.configuration["temperature"].astext.cast(Numeric))
    rows = session.execute(select(provider, func.count(), warmth).group_by(provider).order_by(provider))
    return [f"{name}: {agents} agents, {mean:.2f}" for name, agents, mean in rows]


def set_temperature(session, agent_id, temperature):
    """A document is written whole, as ORMs do."""
    agent = session.get(Agent, agent_id)
    agent.configuration = {**agent.configuration, "temperature": temperature}
    session.commit()


def inventory_list(session, loading=()):
    """Every product with the stores that have it."""
    products = session.scalars(select(Product).order_by(Product.id).options(*loading)).all()

    lines = ["Inventory"]
    for product in products:
        places = ", ".join(f"{stock.store.city} {stock.quantity}" for stock in product.stocks)
        lines.append(f"  {product.name}: {places}")
    return "\n".join(lines)


# The mended pages are the same pages: each needs one line that says what it is going to walk.
WORKFLOW_LOADING = (selectinload(Workflow.nodes).selectinload(Node.outgoing_edges),)
INVENTORY_LOADING = (selectinload(Product.stocks).joinedload(Stock.store),)
