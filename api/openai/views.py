"""`/v1/`: for programs that speak OpenAI's API. A request goes the way of every other message:
queue, lease, log and limits are the same, and so is what the metrics count."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from functools import wraps
from typing import Any, cast

import msgspec
import structlog
from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.keys import find_key
from accounts.models import ApiKey, User
from api import sse
from api.auth import standing
from api.openai import errors
from api.openai.chunks import Answer
from api.openai.errors import ApiError
from api.openai.schema import Completion, read_completion
from api.openai.turns import last_words, request_of
from conversations.models import Generation
from conversations.requests import submit_request
from conversations.submit import Refused
from llm.catalogue import find, offered
from llm.models import ChatModel
from streaming.dispatch import ask_to_stop, send_out, stop
from streaming.node import Node, node
from streaming.protocol import decode_event
from streaming.reader import read
from streaming.snapshot import START, is_storable

logger = structlog.get_logger(__name__)
encode = msgspec.json.Encoder().encode

DONE = b"data: [DONE]\n\n"
ATTEND_SECONDS = 1.0
KEEP_ALIVE = b": still here\n\n"
View = Callable[..., Any]


def for_programs(*methods: str) -> Callable[[View], View]:
    """A key instead of a session, and OpenAI's errors. The view gets the key's owner."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    raise ApiError(405, f"Not allowed: {request.method}.", code="bad_method")
                answer: HttpResponseBase
                answer = await view(request, await owner_of(request), *args, **kwargs)
                return answer
            except ApiError as error:
                return error.response()
            except (*Node.unreachable, *Node.database_down) as error:
                logger.warning("request_not_done", error=str(error))
                return errors.unavailable().response()

        return guarded

    return decorate


async def owner_of(request: HttpRequest) -> User:
    """Leaves the key with the request."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    key = None
    if kind.lower() == "bearer" and secret:
        key = await sync_to_async(find_key)(secret.strip())
    if key is None:
        raise errors.not_a_key()
    if ApiKey.Scope.CHAT not in key.scopes:
        raise ApiError(403, "This key may not ask models.", code="insufficient_scope")
    request.api_key = key  # type: ignore[attr-defined]
    return key.owner


@for_programs("GET")
async def models(request: HttpRequest, user: User) -> HttpResponseBase:
    rows = [row async for row in offered(user)]
    return JsonResponse({"object": "list", "data": [shape(row) for row in rows]})


@for_programs("GET")
async def model(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    found = None if "\0" in slug else await sync_to_async(find)(slug, user)
    if found is None:
        raise no_such_model(slug)
    return JsonResponse(shape(found))


def shape(row: ChatModel) -> dict[str, Any]:
    return {"id": row.slug, "object": "model", "created": 0, "owned_by": row.provider.name}


def no_such_model(slug: str) -> ApiError:
    sentence = f"The model '{slug}' does not exist or you do not have access to it."
    return ApiError(404, sentence, code="model_not_found", param="model")


@for_programs("POST")
async def completions(request: HttpRequest, user: User) -> HttpResponseBase:
    try:
        asked = read_completion(request.body)
    except RequestDataTooBig:
        raise ApiError(413, "The request is too large.", code="request_too_large") from None
    here = node()
    generation = await begin(here, user, asked)
    answer = Answer(generation, in_one_piece=not asked.stream)
    here.spawn(attend(here, generation, answer, asyncio.current_task()))
    frames = read(here, generation, START, sse.HEARTBEAT_SECONDS, user, standing(request))
    if not asked.stream:
        return await whole(request, answer, frames)
    first = await first_deltas(request, answer, frames)
    chunks = streamed(request, here, answer, first, frames, asked)
    # One that has begun is closed when it is dropped: the program may be gone before Django reads.
    await anext(chunks)
    return StreamingHttpResponse(chunks, content_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


async def begin(here: Node, user: User, asked: Completion) -> Generation:
    wanted = request_of(asked).to_data()
    if not is_storable(wanted):
        sentence = "The request holds a character or a number that cannot be kept, such as NUL."
        raise ApiError(400, sentence, code="invalid_value")
    work = asyncio.ensure_future(store(here, user, asked, wanted))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # The program is gone, and the row on its way into the database all the same.
        here.spawn(cancel_stored(here, work))
        raise


async def store(here: Node, user: User, asked: Completion, wanted: dict[str, Any]) -> Generation:
    waiting = await here.waiting()
    try:
        generation = await here.in_database(
            submit_request, user, asked.model, last_words(asked.messages), wanted
        )
    except Refused:
        raise no_such_model(asked.model) from None
    await send_out(here, user, generation, [], waiting)
    return generation


async def cancel_stored(here: Node, work: asyncio.Future[Generation]) -> None:
    with suppress(ApiError, *here.unreachable, *here.database_down):
        await cancel(here, await work)


async def attend(
    here: Node, generation: Generation, answer: Answer, request: asyncio.Task[Any] | None
) -> None:
    """Whoever asked is gone, or has all there is: a model must not go on for nobody.

    Django says that a program is gone by cancelling the task of its request, and says it once.
    Where that falls into a call in a thread (asgiref), or into a time-out that ends in the same
    moment (Python 3.11), nothing is raised; but the task knows, and is asked every now and then.
    """
    while request is not None and not (request.done() or request.cancelling()):
        await asyncio.wait([request], timeout=ATTEND_SECONDS)
    if not answer.ended:
        await cancel(here, generation)


async def interrupted(request: HttpRequest) -> ApiError:
    """Why the events ended before the answer did."""
    stands = await node().in_database(standing(request))
    return errors.unavailable() if stands else errors.not_a_key()


async def whole(
    request: HttpRequest, answer: Answer, frames: AsyncIterator[bytes | None]
) -> HttpResponseBase:
    async with aclosing(cast(Any, frames)):
        async for frame in frames:
            if frame is not None:
                answer.take(decode_event(frame))
    if not answer.ended:
        raise await interrupted(request)
    return JsonResponse(answer.whole())


async def first_deltas(
    request: HttpRequest, answer: Answer, frames: AsyncIterator[bytes | None]
) -> list[dict[str, Any]]:
    """What comes first, while an error can still be told by the status. A silence ends the wait."""
    try:
        async for frame in frames:
            deltas = [] if frame is None else answer.take(decode_event(frame))
            if deltas or frame is None or answer.ended:
                return deltas
    except BaseException:
        await cast(Any, frames).aclose()
        raise
    raise await interrupted(request)


async def streamed(
    request: HttpRequest,
    here: Node,
    answer: Answer,
    first: list[dict[str, Any]],
    frames: AsyncIterator[bytes | None],
    asked: Completion,
) -> AsyncIterator[bytes]:
    async with aclosing(cast(Any, frames)):
        yield b""
        try:
            yield data(answer.chunk({"role": "assistant", "content": ""}))
            for delta in first:
                yield data(answer.chunk(delta))
            if not answer.ended:
                async for frame in frames:
                    if frame is None:
                        yield KEEP_ALIVE
                        continue
                    for delta in answer.take(decode_event(frame)):
                        yield data(answer.chunk(delta))
            if not answer.ended:
                raise await interrupted(request)
        except ApiError as error:
            yield data(error.body)
            return
        except (*here.unreachable, *here.database_down) as error:
            logger.warning("stream_interrupted", error=str(error))
            yield data(errors.unavailable().body)
            return
        yield data(answer.chunk({}, answer.finish_reason))
        if asked.stream_options and asked.stream_options.include_usage:
            yield data(answer.usage_chunk())
        yield DONE


def data(value: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % sse.one_line(encode(value))


async def cancel(here: Node, generation: Generation) -> None:
    try:
        if await ask_to_stop(here, generation):
            await stop(here, generation)
    except here.database_down as error:
        logger.warning("cancel_not_stored", generation=str(generation.pk), error=str(error))
