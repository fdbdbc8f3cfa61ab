"""What a browser asks for when the site is put on a home screen: manifest, icons, service worker,
and the page that stands in while there is no network."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from chatsite.icon import png

DAY_SECONDS = 24 * 3600
NAME = "Chatsite"
LIGHT = "#fdfcfa"
# name: (pixels, whether the colour reaches every edge)
ICONS = {
    "icon-192": (192, False),
    "icon-512": (512, False),
    "maskable-512": (512, True),
    "apple-touch": (180, True),
}


@require_safe
@cache_control(public=True, max_age=DAY_SECONDS)
def icon(request: HttpRequest, name: str) -> HttpResponse:
    if name not in ICONS:
        raise Http404
    size, full = ICONS[name]
    return HttpResponse(png(size, full=full), content_type="image/png")


@require_safe
@cache_control(private=True, max_age=3600)
def manifest(request: HttpRequest) -> JsonResponse:
    shown: dict[str, Any] = {
        "id": "/",
        "name": NAME,
        "short_name": NAME,
        "description": _("Chat with language models."),
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": LIGHT,
        "theme_color": LIGHT,
        "icons": [entry(name) for name in ICONS if name != "apple-touch"],
        "shortcuts": [{"name": _("New chat"), "url": "/"}],
    }
    return JsonResponse(shown, content_type="application/manifest+json")


def entry(name: str) -> dict[str, str]:
    size, full = ICONS[name]
    return {
        "src": reverse("icon", args=[name]),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": "maskable" if full else "any",
    }


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> FileResponse:
    """At the root, for a worker sees only what lies below its own address."""
    found = finders.find("js/service_worker.js")
    if not isinstance(found, str):
        raise Http404
    return FileResponse(open(found, "rb"), content_type="text/javascript")  # noqa: PTH123


@require_safe
@cache_control(private=True, no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    """Names nobody and shows nothing of anybody: a browser keeps it."""
    return render(request, "offline.html")


def version() -> str:
    """Changes with every build of the static files, and the kept page is then fetched anew."""
    return getattr(staticfiles_storage, "manifest_hash", "") or "development"


def home_screen(request: HttpRequest) -> dict[str, str]:
    """A context processor: where the page finds its service worker. None while developing, for a
    kept page would only be in the way."""
    if settings.DEBUG:
        return {}
    return {"service_worker": f"{reverse('service_worker')}?v={version()}"}
