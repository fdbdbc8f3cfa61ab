"""Chains and graphs that tests offer as models through LLM_RUNNABLES."""

import asyncio
import sys
from typing import Any

from langchain_core.callbacks import adispatch_custom_event
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from llm.demo import DemoChatModel
from llm.tools.current_time import current_time

model = DemoChatModel(tokens_per_second=10_000)
typist = FakeListChatModel(responses=["This is no demo model, but one that types."])
prompt = ChatPromptTemplate([("system", "Be short."), ("placeholder", "{messages}")])


async def announce(given: Any) -> Any:
    await adispatch_custom_event("looking_around", {"where": "the cellar"})
    return given


chain = RunnableLambda(announce) | prompt | model | StrOutputParser()
shout = RunnableLambda(lambda given: given["input"].upper())
not_a_runnable = "no runnable"


def reply(state: MessagesState) -> dict[str, Any]:
    """Not by streaming, and in a thread: the tokens come all the same."""
    get_stream_writer()({"label": "Pondering", "depth": 3})
    return {"messages": [typist.invoke(state["messages"])]}


async def wait(state: MessagesState) -> dict[str, Any]:
    get_stream_writer()("Waiting")
    await asyncio.Event().wait()
    return {}


def fail(state: MessagesState) -> dict[str, Any]:
    raise ValueError("the key is sk-secret")


def leave(state: MessagesState) -> dict[str, Any]:
    sys.exit("usage: leave")


def say_itself(state: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage("Said by no model.", id="own")]}


def of_one(node: Any) -> Any:
    made = StateGraph(MessagesState)
    made.add_node("node", node)
    made.add_edge(START, "node")
    made.add_edge("node", END)
    return made.compile()


graph, waiting, failing, saying = of_one(reply), of_one(wait), of_one(fail), of_one(say_itself)
leaving = of_one(leave)


def ask_for_the_time(state: MessagesState) -> dict[str, Any]:
    call = {"name": "current_time", "args": {"timezone": "UTC"}, "id": "c1", "type": "tool_call"}
    return {"messages": [AIMessage("", tool_calls=[call], id="asking")]}


def made_with_tools() -> Any:
    made = StateGraph(MessagesState)
    made.add_node("ask", ask_for_the_time)
    made.add_node("tools", ToolNode([current_time]))
    made.add_node("say", say_itself)
    made.add_edge(START, "ask")
    made.add_edge("ask", "tools")
    made.add_edge("tools", "say")
    made.add_edge("say", END)
    return made.compile()


with_tools = made_with_tools()
