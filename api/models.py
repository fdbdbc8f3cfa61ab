from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from api.auth import user_of
from llm.catalogue import offered

router = Router(tags=["models"])


class ModelOut(Schema):
    slug: str
    label: str
    description: str
    images: bool
    context_window: int | None


@router.get("", response=list[ModelOut], operation_id="list_models")
def models(request: HttpRequest) -> Any:
    """The models that you may ask, the default one first."""
    return list(offered(user_of(request)))
