"""The calls that a model made in one step, run side by side."""

import asyncio
from collections.abc import Callable, Sequence

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.runtime import Runtime
from msgspec.structs import replace

from llm.agent.session import Session
from llm.calls import EXPIRED, NOBODY_TO_ASK, REFUSED, finished
from llm.parts import Progress, ToolCallFinished
from llm.reply import Call
from llm.surroundings import surround
from llm.tools import ToolRun, objection, run
from llm.tools.progress import Report, from_stream

GOODBYE_SECONDS = 0.1

Say = Callable[[Progress | ToolCallFinished], None]


async def run_all(session: Session, calls: Sequence[Call], say: Say) -> list[ToolRun]:
    """Says results and progress as they come. Leaving early cancels the tools that still run."""

    async def one(call: Call) -> ToolRun:
        def report(step: Progress) -> None:
            say(replace(step, tool_call=call.id))

        why_not = await refusal(session, call)
        if why_not is None:
            done = await run(session.tools.get(call.name), call.name, call.args, report, writing_to)
        else:
            done = ToolRun(error=why_not)
        say(finished(call, done, session.acts(call.name)))
        return done

    surround(session.around)
    tasks = [asyncio.create_task(one(call)) for call in calls]
    try:
        # Not `gather`: cancelled, it would wait until the last of them is willing to end.
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        # Cancelled tools get the time to say goodbye, but cannot hold up a stop.
        await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)


async def refusal(session: Session, call: Call) -> str | None:
    """Why it may not run, None where it may. One that needs the user's approval waits here; the
    others of its step go on meanwhile. Nobody is asked about one that cannot run anyway."""
    tool = session.tools.get(call.name)
    if tool is None or not session.asks(call.name):
        return None
    if (why_not := objection(tool, call.args)) is not None:
        return why_not
    decide = session.around.decide
    if decide is None:
        return NOBODY_TO_ASK
    decision = await decide(call.id, session.acts(call.name))
    if decision == "approved":
        return None
    return EXPIRED if decision == "expired" else REFUSED


def writing_to(report: Report) -> RunnableConfig:
    """LangGraph's stream writer, for one call: the graph's own does not know which call writes."""

    def write(said: object) -> None:
        report(from_stream(said))

    known = get_config().get("configurable", {})
    own = {
        key: value.override(stream_writer=write) if isinstance(value, Runtime) else value
        for key, value in known.items()
    }
    return RunnableConfig(configurable=own)
