"""A scripted chat model: all that a real one does, with no key and no network."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from llm import titles

TOKEN = re.compile(r"\s*\S{1,6}|\s+")
TIME = re.compile(r"\b(time|clock|date|today|uhr|heure|hora)\b", re.IGNORECASE)
LONG = re.compile(r"\b(long|lang|essay|detail(s|ed)?)\b", re.IGNORECASE)
# What it quotes and goes by are the user's own words.
FILES = re.compile(r"<file name=.*?</file>\n\n|\[The attached file .*?\]\n\n", re.DOTALL)
ASKED = re.compile(r"^User: (.+?)^Assistant: ", re.DOTALL | re.MULTILINE)
OPENING = re.compile(
    r"^\s*(?:please|hello|hi|(?:can|could|would|will) you|(?:tell|show|give) me|explain|describe"
    r"|write|what (?:is|are)|how (?:do|does|can|to)|(?:i|you)\b|an?\b|the\b)[\s,]*",
    re.IGNORECASE,
)
TITLE_WORDS = 6
QUOTED_CHARACTERS = 80
LONG_SECTIONS = 19

REASONING = (
    "The user wrote “{quote}”. I am a scripted model, so I cannot really think about it, "
    "but I can show how an answer looks: a list, a table and a piece of code. "
)
ANSWER = """You wrote: *{quote}*

I am the **demo model**. I follow a script, but I stream exactly as a real model does. \
Here is what an answer can hold:

- **Text** with *emphasis*, `code` and [links](https://www.example.com/)
- Lists like this one
- Tables and code

| What | Where it shows |
|---|---|
| Reasoning | above this answer |
| Tool calls | ask me for the *time* |
| Long answers | ask me for something *long* |

```python
def greet(name: str) -> str:
    return f"Hello, {{name}}!"


print(greet("world"))
```

To talk to a real model, set `OPENAI_API_KEY` or `OPENAI_BASE_URL` and start again. 🙂
"""
SECTION = """
## {number}. {title}

An answer of this length takes a while, and that is its use: reload the page, open a second tab, \
close the lid of your laptop, or stop the worker. When you come back, every word is here, in its \
place, and the rest goes on arriving. This is part {number} of {count}, \
and it says that {claim}.

1. First, the text arrives in pieces, and each piece has a number.
2. Then, whoever missed a number asks for what came after the last one.
3. At last, the whole answer is stored, exactly as it was shown.
"""
TITLES = ("On arriving", "On waiting", "On losing the line", "On coming back", "On ending well")
CLAIMS = (
    "patience is cheaper than a second request",
    "a numbered page is easy to find again",
    "the last word matters as much as the first",
    "nothing that was said should have to be said twice",
)


class DemoChatModel(BaseChatModel):
    """The same input gives the same answer, but for the time that its tool tells."""

    tokens_per_second: float = 60.0

    @property
    def _llm_type(self) -> str:
        return "demo"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        first, *rest = script(messages, kwargs.get("tools") or [])
        whole = first + rest
        message = AIMessage(
            whole.content,
            additional_kwargs=whole.additional_kwargs,
            tool_calls=whole.tool_calls,
            usage_metadata=whole.usage_metadata,
            response_metadata=whole.response_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for message in script(messages, kwargs.get("tools") or []):
            due += 1 / self.tokens_per_second
            await asyncio.sleep(due - loop.time())
            yield ChatGenerationChunk(message=message)


def script(
    messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]]
) -> Iterator[AIMessageChunk]:
    """Reasoning, then a tool call or the text, then why it ends and what it took."""
    asked = next((m.text for m in reversed(messages) if isinstance(m, HumanMessage)), "")
    asked = FILES.sub("", asked)
    if messages and messages[0].text == titles.PROMPT:
        yield AIMessageChunk(content=_title(asked))
        yield _last(messages, 6, "stop")
        return
    told = messages[-1] if messages and isinstance(messages[-1], ToolMessage) else None
    names = {tool["function"]["name"] for tool in tools}
    written = 0
    if told is None:
        for token in _tokens(REASONING.format(quote=_quote(asked))):
            written += 1
            yield AIMessageChunk(content="", additional_kwargs={"reasoning_content": token})
    if told is None and "current_time" in names and TIME.search(asked):
        for piece in _tool_call():
            written += 1
            yield piece
        yield _last(messages, written, "tool_calls")
        return
    for token in _tokens(_answer(asked, told)):
        written += 1
        yield AIMessageChunk(content=token)
    yield _last(messages, written, "stop")


def _answer(asked: str, told: ToolMessage | None) -> str:
    answer = ANSWER.format(quote=_quote(asked))
    if told is not None:
        answer = f"My clock says: **{told.text}**.\n\n{answer}"
    if LONG.search(asked):
        answer += "".join(_section(number) for number in range(1, LONG_SECTIONS + 1))
    return answer


def _title(request: str) -> str:
    """What is left of the question without its opening words."""
    found = ASKED.search(request)
    sentence = re.split(r"[.?!\n]", found[1], maxsplit=1)[0] if found else ""
    while (shorter := OPENING.sub("", sentence)) != sentence:
        sentence = shorter
    words = " ".join(sentence.split()[:TITLE_WORDS]).strip(" ,:;")
    return words[:1].upper() + words[1:]


def _section(number: int) -> str:
    return SECTION.format(
        number=number,
        count=LONG_SECTIONS,
        title=TITLES[number % len(TITLES)],
        claim=CLAIMS[number % len(CLAIMS)],
    )


def _quote(text: str) -> str:
    """One line, short, and without the marks that would end the emphasis around it."""
    line = " ".join(re.sub(r"[*_`|<>\[\]]", " ", text).split())
    return line if len(line) <= QUOTED_CHARACTERS else line[: QUOTED_CHARACTERS - 1].rstrip() + "…"


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


def _tool_call() -> Iterator[AIMessageChunk]:
    pieces = ('{"time', 'zone": ', '"UTC"}')
    yield AIMessageChunk(
        content="",
        tool_call_chunks=[tool_call_chunk(name="current_time", id="call_demo", args="", index=0)],
    )
    for piece in pieces:
        yield AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(args=piece, index=0)])


def _last(messages: Sequence[BaseMessage], written: int, reason: str) -> AIMessageChunk:
    read = sum(len(_tokens(message.text)) for message in messages)
    return AIMessageChunk(
        content="",
        usage_metadata={
            "input_tokens": read,
            "output_tokens": written,
            "total_tokens": read + written,
        },
        response_metadata={"finish_reason": reason},
        chunk_position="last",
    )
