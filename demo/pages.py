"""Two pages of the application, rendered as text.

Both are written the way pages are usually written: walk from object to object and let the ORM
fetch what is missing. Nothing in this file looks like a query in a loop, and yet it is one.
"""

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from models import Agent, Node, Product, Stock, User, Workflow


def workflow_page(session, user_id, agent_id, loading=()):
    """An agent's workflows, each with its nodes and where every node leads."""
    user = session.get(User, user_id)
    agent = session.get(Agent, agent_id)
    configuration = agent.configuration
    workflows = session.scalars(
        select(Workflow).where(Workflow.agent_id == agent.id).order_by(Workflow.id).options(*loading)
    ).all()

    lines = [f"{agent.name}, an agent of {user.name} ({configuration.model} model, {configuration.temperature})"]
    for workflow in workflows:
        lines.append(f"  {workflow.name}, executed {workflow.execution_count} times")
        for node in workflow.nodes:
            targets = ", ".join(edge.target.name for edge in node.outgoing_edges)
            lines.append(f"    {node.position} {node.name} -> {targets or 'end'}")
    return "\n".join(lines)


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
