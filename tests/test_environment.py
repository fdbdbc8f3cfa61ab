"""Settings from the environment: a wrong value stops the start with a sentence."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite.environment import address


@pytest.mark.parametrize("given", ["", "http://localhost:11434/v1", "https://[::1]:8443/v1/"])
def test_an_address_is_taken_as_it_is(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEWHERE", f" {given} ")
    assert address("SOMEWHERE") == given


@pytest.mark.parametrize(
    "given", ["localhost:11434/v1", "/v1", "ftp://a/v1", "http://", "http://a:x/v1", "http://[a/v1"]
)
def test_what_is_no_address_is_quoted(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEWHERE", given)
    with pytest.raises(ImproperlyConfigured) as refused:
        address("SOMEWHERE")
    assert str(refused.value).startswith("SOMEWHERE: expected an address such as http://")
    assert repr(given) in str(refused.value)
