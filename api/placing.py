"""Where a message goes whose sender does not say."""

from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from conversations.access import conversation_of
from conversations.submit import Refused


def parent_of(user: User, conversation_id: UUID, key: UUID | None) -> UUID | None:
    """Where a message without a parent goes: under the newest answer, as a page would show it; one
    that is sent again, where it went the first time. Raises NotFound and Refused."""
    conversation = conversation_of(user, conversation_id)
    before = conversation.messages.filter(client_message_id=key).first() if key else None
    if before is not None:
        return before.parent_id
    newest = conversation.messages.order_by("-created_at", "role").first()
    if newest is None:
        return None
    if newest.role != "assistant":
        raise Refused("conflict", _("A message can only follow an answer."))
    return newest.pk
