"""The text of an answer to an HTTP request, however it is packed and written, within bounds."""

import re
import zlib

import aiohttp
from langchain_core.tools import ToolException

MAX_BYTES = 2 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
# Python knows more, among them some that are slow to read, or no character sets at all.
CHARSETS = re.compile(
    r"utf-?8|utf-?16(le|be)?|us-ascii|latin-?1|iso-?8859-?\d+|windows-?\d+|cp\d+|koi8-?[ru]"
    r"|shift[_-]?jis|euc-?(jp|kr)|gb(k|2312|18030)|big5",
    re.IGNORECASE,
)
DECLARED = re.compile(rb"<meta[^>]{1,200}?charset=[\"']?([\w-]{1,20})", re.IGNORECASE)
# Tells gzip and zlib apart by itself.
ANY_WRAPPER = zlib.MAX_WBITS | 32
TOO_LARGE = f"The page is larger than {MAX_BYTES // 1024**2} MB."


async def body(response: aiohttp.ClientResponse) -> bytes:
    """What is unpacked counts, so that a small file cannot unpack to a large one: the session must
    not unpack by itself. Raises ToolException."""
    unpack = _unpacker(response.headers.get("Content-Encoding", "").strip().lower())
    found = bytearray()
    async for piece in response.content.iter_chunked(CHUNK_BYTES):
        found += unpack.decompress(piece, MAX_BYTES + 1 - len(found)) if unpack else piece
        if len(found) > MAX_BYTES:
            raise ToolException(TOO_LARGE)
    return bytes(found)


def decoded(content: bytes, charset: str | None) -> str:
    """`charset` is what the header says, which counts more than what the page says of itself."""
    said = charset or _declared(content)
    name = said if CHARSETS.fullmatch(said) else "utf-8"
    try:
        return content.decode(name, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _declared(content: bytes) -> str:
    found = DECLARED.search(content, 0, 2048)
    return found[1].decode("ascii", "replace") if found else "utf-8"


def _unpacker(encoding: str) -> "zlib._Decompress | None":
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(ANY_WRAPPER)
    raise ToolException("The page is packed in a way that cannot be read.")
