from functools import cache

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# They say where something is or goes, which is on the other side in a script from right to left.
POINTING = frozenset(
    {
        "arrow-left",
        "arrow-right",
        "chevron-left",
        "chevron-right",
        "log-out",
        "panel-left",
        "reply",
        "undo-2",
    }
)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A Lucide icon as inline SVG, hidden from assistive technology: its button has the name."""
    return _svg(name)


@cache
def _svg(name: str) -> SafeString:
    """Raises FileNotFoundError for a name that lucide-static does not have."""
    source = (settings.NODE_MODULES / "lucide-static" / "icons" / f"{name}.svg").read_text()
    _, _, shape = source.partition("<svg")
    _, _, inner = shape.partition(">")
    classes = "icon-svg icon-points" if name in POINTING else "icon-svg"
    # The file is part of a pinned package, not of anything that a user wrote.
    return mark_safe(  # noqa: S308
        f'<svg class="{classes}" viewBox="0 0 24 24" aria-hidden="true">{inner.strip()}'
    )
