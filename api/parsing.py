"""Bodies as the routers get them."""

from typing import Any

import msgspec
from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """Python's own parser lets pass what is no JSON and no database keeps: half a surrogate pair,
    NaN, Infinity."""

    def parse_body(self, request: HttpRequest) -> Any:
        return msgspec.json.decode(request.body)
