"""The API with its description (https://spec.openapis.org/oas/v3.1.0), and a page of it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from api.errors import ErrorShape

METHODS = ("get", "post", "put", "patch", "delete")
ERROR: dict[str, Any] = {
    "description": "What went wrong: a code for programs, a sentence for people.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorShape"}}},
}


class DocumentedAPI(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Every operation may answer with an error of the one shape."""
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"]["ErrorShape"] = ErrorShape.model_json_schema()
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"]["default"] = ERROR
        return schema


@login_required
def page(request: HttpRequest) -> HttpResponse:
    from api.urls import api

    return render(request, "api/docs.html", {"groups": groups(api.get_openapi_schema())})


def groups(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by their tag, with what a reader wants to know of each."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, operations in schema["paths"].items():
        for method in METHODS:
            if (operation := operations.get(method)) is not None:
                entry = described(schema, method, path, operation)
                found.setdefault(operation["tags"][0], []).append(entry)
    return dict(sorted(found.items()))


def described(
    schema: dict[str, Any], method: str, path: str, operation: dict[str, Any]
) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    body = next((resolved(schema, part["schema"]) for part in content.values()), {})
    required = body.get("required", [])
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [
            {"name": one["name"], "place": one["in"], **value(one["schema"])}
            for one in operation.get("parameters", [])
        ],
        "fields": [
            {"name": name, "required": name in required, **value(field)}
            for name, field in body.get("properties", {}).items()
        ],
        "statuses": [status for status in operation["responses"] if status != "default"],
    }


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref", "")
    found: dict[str, Any] = schema["components"]["schemas"].get(reference.split("/")[-1], part)
    return found


def value(field: dict[str, Any]) -> dict[str, str]:
    kinds = [one for one in (field, *field.get("anyOf", [])) if one.get("type") != "null"]
    names = [
        one.get("format") or one.get("type") or "object" for one in kinds if "anyOf" not in one
    ]
    return {"kind": " or ".join(dict.fromkeys(names)), "meaning": field.get("description", "")}


def kind_of(field: dict[str, Any]) -> str:
    return str(field.get("format") or field.get("type") or "object")
