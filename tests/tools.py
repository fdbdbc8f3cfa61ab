"""Tools that tests offer to models through LLM_TOOLS."""

import asyncio

from langchain_core.tools import tool


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
