"""Pictures of pages for eyes to look at, where SCREENSHOTS names a folder for them."""

import os
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

FOLDER = os.environ.get("SCREENSHOTS")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def take(page: Page, name: str) -> None:
    if FOLDER:
        page.screenshot(path=Path(FOLDER) / f"{name}.jpeg", quality=80)


def take_in_both_themes(page: Page, name: str) -> None:
    for scheme in SCHEMES if FOLDER else ():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        take(page, f"{name} {scheme}")
