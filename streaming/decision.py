"""What a user decides about a call that waits for it: from the web node that is told, by way of
Redis, to the worker that asked.

The decision is written down under the position of its question, and then rung for. The first one
written is the one that holds, whoever writes it: the user, from any tab, or the worker whose
patience has ended. So a decision that was taken with thanks is the one that is acted upon, twice is
once, and a ring that is lost is made up for when the worker looks by itself.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _
from redis.asyncio import Redis

from conversations.models import Generation
from conversations.submit import Refused
from llm.surroundings import Decision
from streaming.log import DECIDED, cancel_channel, decisions_key
from streaming.recovery import state_in_log

if TYPE_CHECKING:
    from streaming.node import Node


async def write(redis: Redis, generation: str, question: str, decision: Decision) -> Decision:
    """Returns the decision that holds: this one, or one that was there before."""
    key = decisions_key(generation)
    pipe = redis.pipeline()
    pipe.hsetnx(key, question, decision)
    pipe.expire(key, settings.LOG_TTL_SECONDS)
    pipe.hget(key, question)
    held: Decision = (await pipe.execute())[-1].decode()
    return held


async def written(redis: Redis, generation: str) -> dict[str, Decision]:
    """By question."""
    found: dict[Any, Any] = await redis.hgetall(decisions_key(generation))
    return {question.decode(): said.decode() for question, said in found.items()}


async def decide(
    node: "Node", generation: Generation, tool_call: str, decision: Decision, question: str | None
) -> None:
    """Raises Refused (conflict) where nothing waits for it, or it was decided otherwise. Deciding
    twice is deciding once. `question`: the one that the user saw; None: the one that is open."""
    extras = extras_of(await content_now(node, generation), tool_call)
    asked = extras.get("question")
    if asked is None or question not in (None, asked):
        raise Refused("conflict", _("This call does not wait for a decision."))
    held = extras["approval"]
    if held == "asked":
        if not generation.is_active:
            raise Refused("conflict", _("The answer has ended without a decision."))
        held = await write(node.redis, str(generation.pk), asked, decision)
        await node.redis.publish(cancel_channel(), DECIDED + str(generation.pk).encode())
    if held == "expired":
        raise Refused("conflict", _("The decision came too late: the call was not made."))
    if held != decision:
        raise Refused("conflict", _("It was decided otherwise before."))


async def content_now(node: "Node", generation: Generation) -> list[dict[str, Any]]:
    """What every tab shows: of a generation that runs, what its log says."""
    stored: list[dict[str, Any]] = generation.message.content
    if not generation.is_active:
        return stored
    state = await state_in_log(node.log, str(generation.pk))
    return state["content"] if state is not None else []


def extras_of(content: list[dict[str, Any]], tool_call: str) -> dict[str, Any]:
    """Of the last call of this id: a later step may use one again."""
    calls = (
        block
        for block in reversed(content)
        if block["type"] in ("tool_call", "tool_call_chunk") and block["id"] == tool_call
    )
    extras: dict[str, Any] = next(calls, {"extras": {}}).get("extras") or {}
    return extras
