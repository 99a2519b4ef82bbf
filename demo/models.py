"""The schema of an agent-workflow product, declared as its developers would declare it.

The classes are plain SQLAlchemy, written so that 1.4 and 2.0 both accept them.
"""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Numeric, Text, func, select
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import column_property, declarative_base, relationship

Base = declarative_base()


def reference(target, **options):
    """A foreign key: required, and indexed because every page follows it."""
    return Column(Integer, ForeignKey(target), nullable=False, index=True, **options)


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False)
    agents = relationship("Agent", back_populates="user")


class Agent(Base):
    __tablename__ = "agents"
    id = Column(Integer, primary_key=True)
    user_id = reference("users.id")
    name = Column(Text, nullable=False)
    configuration = Column(JSON)
    user = relationship("User", back_populates="agents")
    settings = relationship("AgentConfiguration", back_populates="agent", uselist=False)
    workflows = relationship("Workflow", back_populates="agent")


class AgentConfiguration(Base):
    __tablename__ = "agent_configurations"
    id = Column(Integer, primary_key=True)
    agent_id = reference("agents.id", unique=True)
    model = Column(Text, nullable=False)
    temperature = Column(Numeric(2, 1), nullable=False)
    agent = relationship("Agent", back_populates="settings")


class Workflow(Base):
    __tablename__ = "workflows"
    id = Column(Integer, primary_key=True)
    agent_id = reference("agents.id")
    name = Column(Text, nullable=False)
    agent = relationship("Agent", back_populates="workflows")
    nodes = relationship("Node", back_populates="workflow", order_by="Node.position")
    executions = relationship("Execution", back_populates="workflow")


class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    workflow_id = reference("workflows.id")
    position = Column(Integer, nullable=False)
    name = Column(Text, nullable=False)
    workflow = relationship("Workflow", back_populates="nodes")
    outgoing_edges = relationship(
        "Edge", back_populates="source", foreign_keys="Edge.source_node_id", order_by="Edge.id"
    )


class Edge(Base):
    __tablename__ = "edges"
    id = Column(Integer, primary_key=True)
    source_node_id = reference("nodes.id")
    target_node_id = reference("nodes.id")
    source = relationship("Node", back_populates="outgoing_edges", foreign_keys=[source_node_id])
    target = relationship("Node", foreign_keys=[target_node_id])


class Execution(Base):
    __tablename__ = "executions"
    id = Column(Integer, primary_key=True)
    workflow_id = reference("workflows.id")
    started_at = Column(DateTime(timezone=True), nullable=False)
    state = Column(Text, nullable=False)
    duration_ms = Column(Integer, nullable=False)
    workflow = relationship("Workflow", back_populates="executions")


# A count inside the list's own query: the part of the page that was well made from the start.
Workflow.execution_count = column_property(
    select(func.count(Execution.id))
    .where(Execution.workflow_id == Workflow.id)
    .correlate_except(Execution)
    .scalar_subquery()
)


class Product(Base):
    __tablename__ = "products"
    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False)
    stocks = relationship("Stock", back_populates="product", order_by="Stock.store_id")


class Store(Base):
    __tablename__ = "stores"
    id = Column(Integer, primary_key=True)
    city = Column(Text, nullable=False)


class Stock(Base):
    __tablename__ = "stocks"
    product_id = reference("products.id", primary_key=True)
    store_id = reference("stores.id", primary_key=True)
    quantity = Column(Integer, nullable=False)
    product = relationship("Product", back_populates="stocks")
    store = relationship("Store")
