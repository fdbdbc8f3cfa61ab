"""Where an answer that was cut goes on: nothing is said twice, and nothing is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.seam import Seam

WRITTEN = "It was the best of times, it was the worst of ti"


def joined(written: str, pieces: list[str]) -> str:
    seam = Seam(written)
    shown = [seam.take(piece) for piece in pieces]
    return written + "".join(shown) + seam.rest()


@pytest.mark.parametrize(
    ("written", "arrives", "whole"),
    [
        (WRITTEN, "mes, it was", f"{WRITTEN}mes, it was"),
        (WRITTEN, " it was the worst of times", f"{WRITTEN}mes"),
        (WRITTEN, WRITTEN + "mes", f"{WRITTEN}mes"),
        ("something impor", "important", "something important"),
        ("something impor", "tant", "something important"),
        ("it made her laugh: ha ", "ha ha", "it made her laugh: ha ha ha"),
        ("a cat", " cat's", "a cat cat's"),
        ("1, 12, 123", "1234", "1, 12, 1231234"),
        (
            "```\nfor each in all:\n",
            "for each in all:\n    go()",
            "```\nfor each in all:\n    go()",
        ),
        ("the end.", "\n\nAnd more", "the end.\n\nAnd more"),
        ("", "anything", "anything"),
    ],
)
def test_what_is_there_already_is_left_out(written: str, arrives: str, whole: str) -> None:
    assert joined(written, [arrives]) == whole
    assert joined(written, list(arrives)) == whole


@given(st.text("ab \n", max_size=30), st.lists(st.text("ab \n", max_size=5), max_size=12))
def test_the_size_of_the_pieces_changes_nothing(written: str, pieces: list[str]) -> None:
    assert joined(written, pieces) == joined(written, ["".join(pieces)])


@given(st.text(max_size=60), st.text(max_size=60))
def test_only_a_repetition_is_ever_left_out(written: str, arrives: str) -> None:
    whole = joined(written, [arrives])
    left_out = arrives.removesuffix(whole[len(written) :])
    assert whole == written + arrives or written.endswith(left_out.lstrip())
