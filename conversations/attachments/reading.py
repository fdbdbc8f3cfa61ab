"""What a model gets for the files of a conversation: images as base64, all else as text.

Everything is bounded, because it is all held in memory while the answer is written: the newest
messages' files come first, and what does not fit any more is named in a note.
"""

import html
from base64 import b64encode
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings

from conversations.attachments.claim import files_in
from conversations.models import CUT, Attachment
from llm.models import ChatModel
from llm.spec import Block, Turn

MAX_IMAGES = 20
MAX_IMAGE_BYTES = 16_000_000
# A file may take half of what the model can hold, at some four characters to a token.
CHARACTERS_OF_A_TOKEN = 4


def with_files(turns: Sequence[Turn], conversation_id: UUID, model: ChatModel) -> list[Turn]:
    """The turns with content in place of references.

    Only files of the conversation itself are read, whatever a content block says: content can come
    from an import, and a reference must not be a way to somebody else's file.
    """
    wanted = {file for turn in turns for file in files_in(turn.content)}
    if not wanted:
        return list(turns)
    rows = Attachment.objects.filter(conversation=conversation_id).defer("text")
    reader = Reader({str(row.pk): row for row in rows if str(row.pk) in wanted}, model)
    return [reader.read(turn) for turn in reversed(turns)][::-1]


class Reader:
    def __init__(self, files: dict[str, Attachment], model: ChatModel) -> None:
        self._files = files
        self._sees = model.images
        self._images = MAX_IMAGES
        self._bytes = MAX_IMAGE_BYTES
        window = (model.context_window or 0) * CHARACTERS_OF_A_TOKEN // 2
        self._characters = min(window, settings.ATTACHMENT_CHARS) or settings.ATTACHMENT_CHARS

    def read(self, turn: Turn) -> Turn:
        if not files_in(turn.content):
            return turn
        content = [self._block(block) if "file_id" in block else block for block in turn.content]
        return Turn(role=turn.role, content=content)

    def _block(self, block: Block) -> Block:
        found = self._files.get(str(block["file_id"]))
        if found is None:
            name = (block.get("extras") or {}).get("name") or "file"
            return note(str(name), "is no longer there")
        return self._image(found) if found.kind == Attachment.Kind.IMAGE else self._text(found)

    def _image(self, image: Attachment) -> Block:
        if not self._sees:
            return note(image.name, "is an image, and you cannot see images. Say so if it matters")
        if not self._images or image.size > self._bytes:
            return note(image.name, "is an image that is left out, because there are too many")
        try:
            with image.file.open("rb") as file:
                content = file.read()
        except OSError:
            return note(image.name, "is no longer there")
        self._images -= 1
        self._bytes -= len(content)
        encoded = b64encode(content).decode("ascii")
        return {"type": "image", "base64": encoded, "mime_type": image.media_type}

    def _text(self, file: Attachment) -> Block:
        if not file.text.strip():
            return note(file.name, "has no text that can be read; its pages may be pictures")
        if not self._characters:
            return note(file.name, "is left out, because the files are too long")
        text = file.text[: self._characters]
        self._characters -= len(text)
        if len(text) < len(file.text):
            text += CUT
        pages = f' pages="{file.pages}"' if file.pages else ""
        name = html.escape(file.name)
        return as_text(f'<file name="{name}"{pages}>\n{text}\n</file>')


def note(name: str, sentence: str) -> Block:
    return as_text(f"[The attached file {name} {sentence}.]")


def as_text(text: str) -> Block:
    return {"type": "text", "text": f"{text}\n\n"}
