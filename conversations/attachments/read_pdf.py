"""A program of its own: reads a PDF from its standard input, writes what it found as JSON.

    python read_pdf.py PAGES CHARACTERS SECONDS < file.pdf

A PDF can be made so that reading it takes hours, or all memory there is. A thread that hangs in it
cannot be ended; a process can, and this one ends itself. It knows nothing of Django, and gets no
environment, so there is nothing here for a file to find.
"""

import json
import resource
import sys
import time
from io import BytesIO

from pypdf import PageObject, PdfReader

MEMORY_BYTES = 1 << 30


def main(most_pages: int, most_characters: int, seconds: int) -> None:
    deadline = time.monotonic() + seconds
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 2, seconds + 2))
    try:
        found = read(sys.stdin.buffer.read(), most_pages, most_characters, deadline)
    except Exception as error:  # noqa: BLE001 (whatever a hostile file makes the library raise)
        found = {"trouble": "broken", "detail": type(error).__name__}
    sys.stdout.write(json.dumps(found))


def read(
    content: bytes, most_pages: int, most_characters: int, deadline: float
) -> dict[str, object]:
    reader = PdfReader(BytesIO(content))
    # Many are locked against printing alone; those open with no password.
    if reader.is_encrypted and not reader.decrypt(""):
        return {"trouble": "locked"}
    pages = len(reader.pages)
    if pages == 0:
        return {"trouble": "empty"}
    if pages > most_pages:
        return {"trouble": "pages", "pages": pages}
    texts: list[str] = []
    length = 0
    for page in reader.pages:
        if length > most_characters or time.monotonic() > deadline:
            return {"pages": pages, "text": joined(texts), "cut": True}
        texts.append(text_of(page))
        length += len(texts[-1])
    return {"pages": pages, "text": joined(texts), "cut": False}


def text_of(page: PageObject) -> str:
    """Empty where one page is damaged: the others can still be read."""
    try:
        return page.extract_text()
    except Exception:  # noqa: BLE001
        return ""


def joined(texts: list[str]) -> str:
    return "\n\n".join(text.strip() for text in texts).strip()


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
