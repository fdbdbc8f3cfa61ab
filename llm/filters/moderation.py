"""Text is shown once a moderation endpoint has let it pass: sentence by sentence, one request at a
time, while the model writes on."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, ClassVar, Literal

import aiohttp
import msgspec
import structlog

from llm.errors import ProviderError
from llm.filters import base
from llm.parts import Finish, Part
from llm.secrets import from_environment
from llm.session import session

logger = structlog.get_logger(__name__)

OPENAI = "https://api.openai.com/v1"
# Shorter than this, an answer to a request says little, and there would be many requests.
BATCH_CHARS = 60
LONGEST_BATCH_CHARS = 1_000
# What was shown just before, because a sentence alone can be misread.
CONTEXT_CHARS = 400
CHECK_SECONDS = 10
SENTENCE_END = re.compile(r"[.!?:;…。！？]['\"”»)]*\s|\n|[。！？]")


class Result(msgspec.Struct):
    flagged: bool


class Results(msgspec.Struct):
    results: list[Result]


_decode = msgspec.json.Decoder(Results).decode


class Moderation(base.WaitingFilter):
    """A flagged batch ends the answer, and no word of it is shown. Where the endpoint cannot be
    asked, `if_away` says whether the answer fails (the default) or passes unseen."""

    class Options(base.Options, frozen=True):
        base_url: str = OPENAI
        key_variable: str = "OPENAI_API_KEY"
        model: str = "omni-moderation-latest"
        if_away: Literal["fail", "pass"] = "fail"

    name: ClassVar[str] = "moderation"
    options: Options

    def through(self, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part, None]:
        return Desk(self).through(parts)

    async def flags(self, text: str) -> bool:
        """Raises ProviderError where nobody answers and that is to be an error."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await self._ask(text)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            logger.warning("moderation_away", error=str(error), if_away=self.options.if_away)
            if self.options.if_away == "pass":
                return False
            raise ProviderError("moderation_unavailable", detail=repr(error)) from error

    async def _ask(self, text: str) -> bool:
        key = from_environment(self.options.key_variable)
        async with session().post(
            f"{self.options.base_url.rstrip('/')}/moderations",
            json={"model": self.options.model, "input": text},
            headers={"Authorization": f"Bearer {key}"} if key else {},
            allow_redirects=False,
        ) as response:
            if response.status != 200:
                raise ValueError(f"expected status 200, got {response.status}")
            return any(result.flagged for result in _decode(await response.read()).results)


class Desk:
    """Parts wait here for their verdict. Only what is said is read ahead: after any other part the
    model has to wait until that part has passed, because a tool runs as soon as it goes on."""

    def __init__(self, moderation: Moderation) -> None:
        self._moderation = moderation
        self._arrived: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._goes_on = asyncio.Event()
        self._waiting: list[Any] = []
        self._checked: list[Any] = []
        self._last: tuple[str, Any] | None = None
        self._check: asyncio.Task[None] | None = None
        self._context = ""

    async def through(self, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part, None]:
        reading = asyncio.create_task(self._read(parts))
        try:
            while True:
                for part in self._take(*await self._arrived.get()):
                    yield part
                    if isinstance(part, Finish):
                        return
                self._begin_check()
                if self._check is not None or self._last is None:
                    continue
                (kind, item), self._last = self._last, None
                if kind == "end":
                    return
                if kind == "failed":
                    raise item
                yield item
                self._goes_on.set()
        finally:
            await self._leave(reading)

    def _take(self, kind: str, item: Any) -> list[Part]:
        """What can be shown now that this has arrived."""
        if kind == "said":
            self._waiting.append(item)
            return []
        if kind != "verdict":
            self._last = (kind, item)
            return []
        if isinstance(item, Exception):
            raise item
        shown, self._checked, self._check = self._checked, [], None
        return [Finish("content_filter")] if item else shown

    async def _read(self, parts: AsyncGenerator[Part, None]) -> None:
        try:
            async with aclosing(parts):
                async for part in parts:
                    if base.is_said(part):
                        self._arrived.put_nowait(("said", part))
                        continue
                    self._goes_on.clear()
                    self._arrived.put_nowait(("other", part))
                    await self._goes_on.wait()
        except Exception as error:  # noqa: BLE001 - it is raised where the parts are read
            self._arrived.put_nowait(("failed", error))
            return
        self._arrived.put_nowait(("end", None))

    def _begin_check(self) -> None:
        whole = self._last is not None or is_batch(self._waiting)
        if self._check is not None or not self._waiting or not whole:
            return
        self._checked, self._waiting = self._waiting, []
        said = self._context + text_of(self._checked)
        self._check = asyncio.create_task(self._judge(said))
        self._context = said[-CONTEXT_CHARS:]

    async def _judge(self, text: str) -> None:
        try:
            self._arrived.put_nowait(("verdict", await self._moderation.flags(text)))
        except Exception as error:  # noqa: BLE001 - it is raised where the parts are read
            self._arrived.put_nowait(("verdict", error))

    async def _leave(self, reading: "asyncio.Task[None]") -> None:
        tasks = [task for task in (reading, self._check) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_batch(parts: list[Any]) -> bool:
    """Whether a sentence ends in what has gathered."""
    said = text_of(parts)
    if len(said) < BATCH_CHARS:
        return False
    return len(said) >= LONGEST_BATCH_CHARS or SENTENCE_END.search(said) is not None


def text_of(parts: list[Any]) -> str:
    return "".join(part.text for part in parts)
