"""Tools that tests offer to models through LLM_TOOLS."""

import asyncio
import sys

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.tools import tool
from langgraph.config import get_stream_writer

from llm.demo import DemoChatModel
from llm.tools import progress


@tool
async def wait_long() -> str:
    """Waits for a minute."""
    await asyncio.sleep(60)
    return "done"


@tool
async def act_and_wait() -> str:
    """Changes the world, and then waits for a minute."""
    await asyncio.sleep(60)
    return "done"


act_and_wait.metadata = {"side_effects": True}


@tool
async def report() -> str:
    """Says how far it is, in every way that there is."""
    progress("Opening", {"number": 1})
    get_stream_writer()({"label": "Reading", "number": 2})
    await adispatch_custom_event("half_way", {"number": 3})
    return await asyncio.to_thread(report_from_a_thread)


def report_from_a_thread() -> str:
    progress("Closing", {"number": 4})
    dispatch_custom_event("all_done", {"number": 5})
    return "reported"


@tool
async def report_much(number: int) -> str:
    """Says more than anybody could read."""
    for each in range(number):
        progress("Counting", {"number": each})
        await asyncio.sleep(0)
    return "done"


@tool(extras={"timeout_seconds": 0.4})
async def report_often() -> str:
    """Takes longer than its time, and says all the while that it lives."""
    for number in range(4):
        progress("Working", {"number": number})
        await asyncio.sleep(0.2)
    return "done"


@tool(extras={"timeout_seconds": 0.1})
async def say_nothing() -> str:
    """Takes longer than its time."""
    await asyncio.sleep(60)
    return "done"


@tool
async def ask_another() -> str:
    """Asks another model."""
    return (await DemoChatModel(tokens_per_second=10_000).ainvoke("a word")).text


@tool
async def leave() -> str:
    """Wants to end the process, as a command line does that is called wrongly."""
    sys.exit("usage: leave")


@tool
async def break_off() -> str:
    """Waits for something that is cancelled."""
    waited = asyncio.get_running_loop().create_future()
    waited.cancel()
    await waited
    return "never"


@tool(extras={"side_effects": True, "asks": True})
async def send_mail(to: str) -> str:
    """Sends a mail, once its user has approved."""
    return f"sent to {to}"
