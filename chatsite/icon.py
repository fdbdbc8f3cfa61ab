"""The icon of static/icon.svg as PNG, for the home screens that take nothing else."""

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw

TEAL, WHITE = "#0e7c7b", "#ffffff"
# The drawing's own measure, and by how much it is drawn larger and then made smaller for its edges.
UNITS, FINER = 32, 4


@cache
def png(size: int, *, full: bool) -> bytes:
    """`full`: the colour reaches every edge, for a system that cuts its own shape."""
    scale = size * FINER / UNITS
    image = Image.new("RGBA", (size * FINER, size * FINER), TEAL if full else (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    if not full:
        draw.rounded_rectangle(scaled(scale, 0, 0, 32, 32), 8 * scale, TEAL)
    draw_bubble(draw, scale)
    written = BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(written, "PNG", optimize=True)
    return written.getvalue()


def draw_bubble(draw: ImageDraw.ImageDraw, scale: float) -> None:
    draw.rounded_rectangle(scaled(scale, 9, 8, 23, 20), 3.5 * scale, WHITE)
    draw.polygon(scaled(scale, 9, 14, 9, 22.6, 10.8, 23.4, 15, 20), WHITE)
    draw.ellipse(scaled(scale, 9, 21.45, 11.2, 23.65), WHITE)


def scaled(scale: float, *values: float) -> list[float]:
    return [value * scale for value in values]
