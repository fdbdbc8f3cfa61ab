"""The graph: the model thinks, its tools run, and it thinks again about what they found."""

import asyncio
import operator
from collections.abc import Callable
from contextlib import aclosing
from functools import cache
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from llm.agent.calls import run_all
from llm.agent.session import Broken, Gate, Session
from llm.ask import ask_until_answered
from llm.calls import CUT_OFF, TOO_MANY_STEPS, finished
from llm.errors import ProviderError
from llm.messages import tool_message
from llm.parts import FinishReason, Progress, Usage
from llm.reply import Call, Reply
from llm.tools import ToolRun
from llm.watch import HIDDEN

STEP_LIMIT = 8
MODEL, TOOLS = "model", "tools"


class State(TypedDict):
    """`reason` is None while the model waits for the results of `calls`."""

    used: Annotated[list[Usage], operator.add]
    calls: list[Call]
    reason: FinishReason | None
    steps: int


@cache
def graph() -> CompiledStateGraph[State, Session, State, State]:
    made = StateGraph(State, context_schema=Session)
    made.add_node(MODEL, think)
    made.add_node(TOOLS, use_tools)
    made.add_edge(START, MODEL)
    made.add_conditional_edges(MODEL, unseen(what_next), [TOOLS, END])
    made.add_conditional_edges(TOOLS, unseen(whether_again), [MODEL, END])
    return made.compile(name="agent")


def unseen(choice: Callable[[State], str]) -> Runnable[State, str]:
    """A choice takes no time, and is no step in a trace."""
    return RunnableLambda(choice).with_config(tags=[HIDDEN])


def what_next(state: State) -> str:
    return TOOLS if state["calls"] else END


def whether_again(state: State) -> str:
    return END if state["reason"] else MODEL


async def think(state: State, runtime: Runtime[Session]) -> dict[str, Any]:
    """Ask the model. What it says leaves through LangGraph's `messages`; here it is only summed
    up for the next step. What is no word of the model's (it waits for a place) is passed on."""
    session, step = runtime.context, state["steps"] + 1
    reply = Reply(session.acts_at_once)
    asked = session.asked
    said = ask_until_answered(session.chat, asked, session.options, reply, session.model)
    try:
        async with aclosing(said) as parts:
            async for part in parts:
                if isinstance(part, Progress):
                    runtime.stream_writer(part)
    except ProviderError as error:
        runtime.stream_writer(Broken(error))
        return {"calls": [], "reason": "stop", "steps": step}
    used = reply.usage(asked)
    asked.append(reply.message())
    return {
        "used": [used],
        "calls": list(reply.calls.values()),
        "reason": reason_of(reply, step),
        "steps": step,
    }


def reason_of(reply: Reply, step: int) -> FinishReason | None:
    if reply.finish != "stop" or not reply.calls:
        return reply.finish or "stop"
    return "tool_limit" if step == STEP_LIMIT else None


async def use_tools(state: State, runtime: Runtime[Session]) -> dict[str, Any]:
    """With a reason to end, no tool runs and each call is told so: a call that was shown must come
    to an end."""
    say, calls = runtime.stream_writer, state["calls"]
    if state["reason"] is not None:
        why = TOO_MANY_STEPS if state["reason"] == "tool_limit" else CUT_OFF
        for call in calls:
            say(finished(call, ToolRun(error=why), runtime.context.acts(call.name)))
        return {"calls": []}
    await read_so_far(runtime)
    done = await run_all(runtime.context, calls, say)
    runtime.context.asked.extend(
        tool_message(call.id, run.result, run.error) for call, run in zip(calls, done, strict=True)
    )
    return {"calls": []}


async def read_so_far(runtime: Runtime[Session]) -> None:
    passed = asyncio.Event()
    runtime.stream_writer(Gate(passed))
    await passed.wait()
