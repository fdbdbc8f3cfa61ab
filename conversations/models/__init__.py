"""What is kept. Rows change by guarded updates: `filter(pk=…, status=…).update(…)`."""

from conversations.models.attachment import CUT, Attachment
from conversations.models.conversation import TITLE_CHARS, Conversation, Folder
from conversations.models.generation import Generation
from conversations.models.library import Preset, Prompt
from conversations.models.message import Feedback, Message
from conversations.models.search import SearchText
from conversations.models.share import Share
from conversations.models.summary import HistorySummary
from conversations.models.trace import GenerationTrace
from conversations.models.transfer import Import

__all__ = [
    "CUT",
    "TITLE_CHARS",
    "Attachment",
    "Conversation",
    "Feedback",
    "Folder",
    "Generation",
    "GenerationTrace",
    "HistorySummary",
    "Import",
    "Message",
    "Preset",
    "Prompt",
    "SearchText",
    "Share",
]
