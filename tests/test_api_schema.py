"""Whatever is sent to the API: it answers as its own description says, and never with a 5xx."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.keys import create_key
from accounts.models import User
from api.urls import api
from tests.stack import Process, Web

schema = schemathesis.openapi.from_dict(api.get_openapi_schema())
HELD_TO = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def secret(owner: User, web: Web, worker: Process) -> str:
    return create_key(owner, "tests")[1]


@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_answers_as_it_says(case: Case[Any], secret: str, web: Web) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    case.call_and_validate(base_url=web.url, headers=headers, checks=HELD_TO, timeout=60)
