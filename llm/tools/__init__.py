"""What models may call. `LLM_TOOLS` in the settings adds to it: dotted paths of LangChain tools.

A tool that changes something in the world says so: {"side_effects": True} in its `metadata`, or in
`@tool(extras=…)`, which takes no metadata. An answer in which it has run is not started again by
itself. With {"asks": True} it runs only if the user approves.
"""

from llm.tools.progress import progress
from llm.tools.registry import find, has_side_effects, registry, said_of
from llm.tools.run import ToolRun, objection, parse, run

__all__ = [
    "ToolRun",
    "find",
    "has_side_effects",
    "objection",
    "parse",
    "progress",
    "registry",
    "run",
    "said_of",
]
