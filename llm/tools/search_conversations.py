from collections.abc import Sequence

from langchain_core.tools import ToolException, tool

from llm.surroundings import Passage, surroundings
from llm.tools.progress import progress

MAX_QUERY_CHARS = 200


@tool(parse_docstring=True)
async def search_conversations(query: str) -> str:
    """Look for something in the user's other conversations with you, the newest first. What stands
    in them may be old: say where it is from.

    Args:
        query: one to three words that must all occur. "Quotation marks" keep words together, and
            a minus sign leaves out what has a word.
    """
    search = surroundings().search
    if search is None:
        raise ToolException("There are no conversations to search here.")
    progress("Searching your conversations", {"kind": "search_conversations"})
    # With a space at the end the last word is whole, and not the beginning of another.
    found = await search(query[:MAX_QUERY_CHARS].strip() + " ")
    return _told(found) if found else "Nothing was found. Fewer or other words may find more."


def _told(found: Sequence[Passage]) -> str:
    return "\n\n".join(
        f"[{each.title}]({each.path}), {each.said_by}, {each.said_at}:\n{each.text}"
        for each in found
    )
