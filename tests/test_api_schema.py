"""Whatever is sent to the API: it answers as its own description says, and never with a 5xx."""

from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import pytest
import requests
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


@pytest.fixture(scope="module")
def line() -> Iterator[requests.Session]:
    """One connection for all requests, and no cookie from one to the next."""
    with requests.Session() as session:
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield session


@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_answers_as_it_says(
    case: Case[Any], secret: str, web: Web, line: requests.Session
) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    case.call_and_validate(
        base_url=web.url, session=line, headers=headers, checks=HELD_TO, timeout=60
    )
