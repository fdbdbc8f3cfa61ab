"""What the graph's nodes share for one answer, and what they say to whoever reads its stream."""

import asyncio
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool

from llm.errors import ProviderError
from llm.spec import ModelSpec
from llm.surroundings import Surroundings
from llm.tools import said_of


@dataclass(frozen=True, slots=True)
class Session:
    """`asked` is what the model reads. It grows with each step, and loses its oldest messages where
    the model says that it is too long."""

    model: ModelSpec
    chat: BaseChatModel
    asked: list[BaseMessage]
    tools: dict[str, BaseTool]
    options: dict[str, Any]
    around: Surroundings

    def acts(self, name: str) -> bool:
        """Whether the tool of this name, if there is one, changes something in the world."""
        tool = self.tools.get(name)
        return tool is not None and bool(said_of(tool).get("side_effects"))

    def asks(self, name: str) -> bool:
        """Whether the tool of this name, if there is one, runs only if the user approves."""
        tool = self.tools.get(name)
        wanted = name in self.model.tools_to_approve
        return tool is not None and (wanted or bool(said_of(tool).get("asks")))

    def acts_at_once(self, name: str) -> bool:
        """One that asks first has not acted while it waits: whoever is asked notes it then."""
        return self.acts(name) and not self.asks(name)


@dataclass(frozen=True, slots=True)
class Gate:
    """The graph runs ahead of its reader. Where it must not, it waits here until the reader has
    dealt with all that was said before, such as noting that a tool is about to act."""

    passed: asyncio.Event


@dataclass(frozen=True, slots=True)
class Broken:
    """Said and not raised: what came before it in the stream goes out first."""

    error: ProviderError
