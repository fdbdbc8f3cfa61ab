"""Where models come from, and the models that users can pick."""

from llm.models.chat_model import ChatModel
from llm.models.checks import validate_base_url
from llm.models.provider import Provider

__all__ = ["ChatModel", "Provider", "validate_base_url"]
