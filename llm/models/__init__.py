"""Where models come from, and the models that users can pick."""

from llm.models.chat_model import ChatModel
from llm.models.checks import validate_base_url
from llm.models.provider import Provider
from llm.models.tool_server import ServerTool, ToolServer

__all__ = ["ChatModel", "Provider", "ServerTool", "ToolServer", "validate_base_url"]
