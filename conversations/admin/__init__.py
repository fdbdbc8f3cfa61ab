"""What admins see of what is kept. Nothing is added here, and what people and models have said is
read only: a text that was changed behind its back could no longer be the one that was shown."""

from conversations.admin import (  # noqa: F401
    attachment,
    conversation,
    library,
    message,
    share,
    summary,
    transfer,
    user,
)
