"""What is known of models for a moment."""

import pytest
from pytest_django import Settings

from llm.kept import Kept


class Row:
    def __init__(self) -> None:
        self.value, self.asked = "first", 0

    def __call__(self, key: str) -> str:
        self.asked += 1
        if self.value == "away":
            raise OSError("away")
        return f"{key}: {self.value}"


def test_what_was_found_is_not_asked_for_again(settings: Settings) -> None:
    settings.MODELS_KEPT_SECONDS = 60
    row = Row()
    kept = Kept(row)
    assert kept("a") == kept("a") == "a: first"
    assert (kept("b"), row.asked) == ("b: first", 2)
    kept.forget()
    row.value = "second"
    assert kept("a") == "a: second"


def test_after_its_time_it_is_asked_for_again(settings: Settings) -> None:
    settings.MODELS_KEPT_SECONDS = 0
    row = Row()
    kept = Kept(row)
    assert kept("a") == "a: first"
    row.value = "second"
    assert kept("a") == "a: second"


def test_a_failure_is_not_kept(settings: Settings) -> None:
    settings.MODELS_KEPT_SECONDS = 60
    row = Row()
    row.value = "away"
    kept = Kept(row)
    with pytest.raises(OSError, match="away"):
        kept("a")
    row.value = "back"
    assert kept("a") == "a: back"
