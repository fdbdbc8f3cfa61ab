"""What goes into the image: .dockerignore names it, so what is new is left out at first."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.template import engines

ROOT = Path(__file__).resolve().parent.parent
INSIDE = {
    line.removeprefix("!").rstrip("/")
    for line in (ROOT / ".dockerignore").read_text().splitlines()
    if line.startswith("!")
}


def ours() -> set[Path]:
    """Files and folders of this repository that the settings name."""
    named = [Path(app.path) for app in apps.get_app_configs()]
    named += [Path(str(folder)) for engine in engines.all() for folder in engine.dirs]
    named += [Path(str(folder)) for folder in settings.LOCALE_PATHS]
    for folder in settings.STATICFILES_DIRS:
        named.append(Path(str(folder[1] if isinstance(folder, tuple) else folder)))
    installed = (ROOT / "node_modules", ROOT / ".venv")
    return {
        path.relative_to(ROOT)
        for path in named
        if path.is_relative_to(ROOT) and not any(path.is_relative_to(place) for place in installed)
    }


@pytest.mark.parametrize("path", sorted(map(str, ours())))
def test_what_the_settings_name_is_in_the_image(path: str) -> None:
    parts = Path(path).parts
    assert any("/".join(parts[:depth]) in INSIDE for depth in range(1, len(parts) + 1))


def test_what_the_dockerfile_copies_by_name_is_there() -> None:
    text = (ROOT / "Dockerfile").read_text()
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for source in line.split()[:-1]
        if source != "."
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).is_file(), source
        assert source in INSIDE
