"""What every style sheet keeps to."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SHEETS = sorted((Path(__file__).resolve().parent.parent / "static" / "css").glob("*.css"))
each_sheet = pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)

SIDES = re.compile(
    r"(?<![\w-])(?:left|right)\s*:|-(?:left|right)(?:-\w+)?\s*:|(?:text-align|float|clear):\s*(?:left|right)"
)
FOUR_SIDES = re.compile(r"(?<![\w-])(padding|margin|inset|border-width):\s*([^;{}]+)")
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(", re.IGNORECASE)


def rules_of(sheet: Path) -> str:
    """Without comments."""
    return re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)


def parts_of(value: str) -> list[str]:
    """`0 max(1px, 2px) 3px` → three parts."""
    return re.findall(r"(?:[^\s(]|\((?:[^()]|\([^()]*\))*\))+", value.replace("!important", ""))


def lopsided(sheet: Path) -> Iterator[str]:
    for name, value in FOUR_SIDES.findall(rules_of(sheet)):
        parts = parts_of(value)
        if len(parts) == 4 and parts[1] != parts[3]:
            yield f"{name}: {value}"


@each_sheet
def test_no_side_is_called_left_or_right(sheet: Path) -> None:
    """A page in a script from right to left is the same page in a mirror."""
    assert SIDES.findall(rules_of(sheet)) == []
    assert list(lopsided(sheet)) == []


@each_sheet
def test_colours_come_from_the_tokens(sheet: Path) -> None:
    if sheet.name != "tokens.css":
        assert COLOUR.findall(rules_of(sheet)) == []


def test_who_wants_no_motion_gets_none() -> None:
    base = rules_of(SHEETS[0].parent / "base.css")
    block = base.split("@media (prefers-reduced-motion: reduce)")[1]
    assert "transition: none !important" in block
    assert "animation: none !important" in block
