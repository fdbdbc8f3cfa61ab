"""What several routers give and take."""

from datetime import datetime
from uuid import UUID

from ninja import Schema


class ConversationOut(Schema):
    id: UUID
    title: str
    pinned: bool
    archived: bool
    folder: UUID | None
    active: list[UUID]
    temporary: bool
    updated_at: datetime
