from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from langchain_core.tools import ToolException, tool


@tool(parse_docstring=True)
def current_time(timezone: str = "UTC") -> str:
    """The current date and time.

    Args:
        timezone: an IANA name such as "Europe/Berlin".
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ToolException(f"There is no time zone called {timezone!r}.") from None
    return datetime.now(UTC).astimezone(zone).strftime("%A, %d %B %Y, %H:%M:%S %Z")
