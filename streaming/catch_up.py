"""What a client lacks, as frames: from the log where it can prove that it has everything, else one
snapshot from the database. Never a part."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from conversations.models import Generation
from conversations.shapes import error_shape
from streaming.log import StreamLog
from streaming.protocol import Snapshot, decode_event, encode, header
from streaming.recovery import state_of
from streaming.snapshot import START, State, StreamPosition, changes_content

FRAMES_BEFORE_A_SNAPSHOT = 200
REPORTS_AFTER_A_SNAPSHOT = 20


def row_of(generation: str) -> Generation | None:
    return Generation.objects.select_related("message").filter(pk=generation).first()


async def missing_in_log(
    log: StreamLog, generation: str, conversation: str, message: str, after: StreamPosition
) -> list[bytes] | None:
    """Frames after a position; many of them become one snapshot, and what it is busy with. None
    where the log cannot tell.

    Raises redis.RedisError.
    """
    frames = await log.read(generation, after)
    if not frames or (after != START and len(frames) <= FRAMES_BEFORE_A_SNAPSHOT):
        return frames
    whole = frames if after == START else await log.read(generation, START)
    reports = latest_reports(whole or [])
    state = state_of(whole[: len(whole) - len(reports)]) if whole else None
    return [snapshot_of_state(state, conversation, message), *reports] if state else frames


def latest_reports(frames: Sequence[bytes]) -> Sequence[bytes]:
    """What the answer has said of its progress since. No snapshot tells it, and a tab that is
    loaded during a long step would show nothing until the next one."""
    first = len(frames)
    while first > max(1, len(frames) - REPORTS_AFTER_A_SNAPSHOT) and is_report(frames[first - 1]):
        first -= 1
    return frames[first:]


def is_report(frame: bytes) -> bool:
    return header(frame).type == "progress" and not changes_content(decode_event(frame))


def snapshot_of_state(state: State, conversation: str, message: str) -> bytes:
    ended = state["status"] not in ("queued", "in_progress")
    extras = {key: state[key] for key in ("usage", "timings") if ended}
    reason = state["finish_reason"]
    return _snapshot(
        generation=state["generation"],
        attempt=state["attempt"],
        seq=state["seq"],
        conversation=conversation,
        message=message,
        status=state["status"],
        content=state["content"],
        model=state["model"],
        **extras,
        **({"error": state["error"]} if state["error"] else {}),
        **({"finish_reason": reason} if reason else {}),
    )


def snapshot_of_row(row: Generation) -> bytes:
    """The whole of an ended generation; of an active one only that it is there."""
    at = (0, 0) if row.is_active else (row.attempt, row.seq)
    ended = {} if row.is_active else {"usage": row.usage, "timings": row.timings}
    error = error_shape(row)
    return _snapshot(
        generation=row.pk,
        attempt=at[0],
        seq=at[1],
        conversation=row.conversation_id,
        message=row.message_id,
        status=row.status,
        content=row.message.content,
        model=row.answering_slug or None,
        **ended,
        **({"error": error} if error else {}),
        **({"finish_reason": row.finish_reason} if row.finish_reason else {}),
    )


def _snapshot(**fields: Any) -> bytes:
    return encode(Snapshot(**fields))


def position_in(frame: bytes) -> tuple[str, StreamPosition]:
    head = header(frame)
    return head.type, StreamPosition(head.attempt, head.seq)


def rows_for_resume(conversation: UUID, known: set[UUID]) -> list[Generation]:
    """Every running generation of a conversation, and of those the client knows, the ended too."""
    rows = Generation.objects.filter(conversation=conversation).select_related("message")
    active = rows.filter(status__in=Generation.ACTIVE)
    return list((active | rows.filter(pk__in=known)).order_by("queued_at"))
