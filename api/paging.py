from ninja.errors import HttpError

from conversations.lists import Cursor


def cursor(before: str) -> Cursor | None:
    """From a query's `before`, which is empty for the first page."""
    try:
        return Cursor.read(before) if before else None
    except ValueError as error:
        raise HttpError(422, f"before: {error}") from None
