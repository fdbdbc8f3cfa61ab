"""Images are drawn anew, and only the new one is kept. What else was in the file is gone with it:
where a photo was taken, a script behind the last pixel, a second file under another format's name.
"""

import struct
from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore

from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps

from conversations.refused import Refused

# By what they say of themselves; no other decoder of Pillow's ever sees a user's bytes.
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
# A few bytes can claim any size; nothing is unpacked before this is asked.
MAX_PIXELS = 50_000_000
# No model sees more: providers scale larger ones down themselves.
MAX_SIDE = 2048
# Providers refuse images over 5 MB, and base64 makes a third more of them.
MAX_BYTES = 3_500_000
QUALITY = 88
# Unpacked, each may take some hundred megabytes for a moment.
_turns = BoundedSemaphore(4)
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    EOFError,
    LookupError,
    ArithmeticError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    media_type: str
    width: int
    height: int


def redraw(content: bytes, media_type: str) -> Picture:
    """Upright, in sRGB, no side longer than MAX_SIDE, of an animation the first picture; as PNG or
    JPEG, which every model takes. Raises Refused (file_unreadable, file_too_large)."""
    try:
        with _turns, Image.open(BytesIO(content), formats=[FORMATS[media_type]]) as opened:
            check_pixels(opened)
            return encode(draw(opened), lossy=media_type in ("image/jpeg", "image/webp"))
    except Refused:
        raise
    except Image.DecompressionBombError:
        raise too_large() from None
    except BROKEN as error:
        raise Refused("file_unreadable", _("The image is damaged and cannot be read.")) from error


def check_pixels(opened: Image.Image) -> None:
    if opened.width * opened.height > MAX_PIXELS:
        raise too_large()


def too_large() -> Refused:
    sentence = _("The image is too large: it may have at most %(most)s million pixels.")
    return Refused("file_too_large", sentence % {"most": MAX_PIXELS // 1_000_000})


def draw(opened: Image.Image) -> Image.Image:
    """The first picture, with nothing but its pixels."""
    profile = opened.info.get("icc_profile")
    opened.draft("RGB", (MAX_SIDE, MAX_SIDE))
    upright = in_eight_bits(ImageOps.exif_transpose(opened))
    drawn = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    drawn.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    drawn.info.clear()
    return in_srgb(drawn, profile) if profile and drawn.mode == "RGB" else drawn


def in_eight_bits(image: Image.Image) -> Image.Image:
    """Scanners write grey in 16 bits; converted as it is, nearly all of it would be white."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Phones write colours that an image without its profile would show pale. A profile that is
    broken, or not one for RGB, is left aside."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target) or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def encode(drawn: Image.Image, *, lossy: bool) -> Picture:
    """PNG for what is drawn and for what is transparent, unless it takes too many bytes."""
    if not lossy or drawn.mode == "RGBA":
        png = written(drawn, "PNG", optimize=False)
        if len(png) <= MAX_BYTES:
            return Picture(png, "image/png", drawn.width, drawn.height)
    jpeg = written(on_white(drawn), "JPEG", quality=QUALITY, optimize=True)
    return Picture(jpeg, "image/jpeg", drawn.width, drawn.height)


def on_white(drawn: Image.Image) -> Image.Image:
    if drawn.mode != "RGBA":
        return drawn
    paper = Image.new("RGB", drawn.size, "white")
    paper.paste(drawn, mask=drawn.getchannel("A"))
    return paper


def written(image: Image.Image, kind: str, **options: bool | int) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
