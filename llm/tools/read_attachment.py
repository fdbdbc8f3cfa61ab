from collections.abc import Sequence

from langchain_core.tools import ToolException, tool

from llm.surroundings import AttachedFile, surroundings
from llm.tools.progress import progress

PART_CHARS = 20_000


@tool(parse_docstring=True)
async def read_attachment(name: str = "", offset: int = 0) -> str:
    """Read a file that the user attached to this conversation, or list the files there are.

    Args:
        name: the file's name. Empty: list all files.
        offset: the character to begin at, to read on in a long file.
    """
    around = surroundings()
    if around.list_files is None or around.read_file is None:
        raise ToolException("There are no attached files here.")
    files = await around.list_files()
    if not name:
        return _listed(files)
    found = next((file for file in files if file.name == name), None)
    if found is None:
        raise ToolException(f"There is no file called {name[:200]!r}. {_listed(files)}")
    if not found.characters:
        raise ToolException(f"{found.name} has no text that can be read.")
    progress(f"Reading {found.name}", {"kind": "read_attachment", "name": found.name})
    start = max(0, offset)
    piece = await around.read_file(found.name, start, PART_CHARS) or ""
    end = start + len(piece)
    if end >= found.characters:
        return piece or "(There is no more text.)"
    return f"{piece}\n\n[It goes on: ask again with offset {end}, of {found.characters}.]"


def _listed(files: Sequence[AttachedFile]) -> str:
    if not files:
        return "No files are attached to this conversation."
    return "\n".join(["The attached files:", *map(_line, files)])


def _line(file: AttachedFile) -> str:
    pages = f", {file.pages} pages" if file.pages else ""
    text = f"{file.characters} characters of text" if file.characters else "no text"
    return f"* {file.name} ({file.kind}{pages}, {text})"
