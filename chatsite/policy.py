"""The pages with a Content-Security-Policy of their own.

The admin's pages:
Their theme runs on Alpine, which builds functions from attributes, and styles elements in place.
That needs 'unsafe-eval' and inline styles; inline scripts it does not need. The pages that show
what models write to their users keep the strict policy.

The page that draws diagrams: mermaid writes inline styles. It is shown in a sandboxed frame and has
no origin, so that nothing of the site's is within its reach: no cookie, no storage, no request.
"""

from collections.abc import Callable
from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver
from django.views.decorators.clickjacking import xframe_options_sameorigin

View = Callable[..., HttpResponse]
ALSO = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}

DIAGRAMS = {
    "default-src": [NONE],
    "script-src": [SELF, NONCE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    # Also where somebody opens it by itself.
    "sandbox": ["allow-scripts"],
}


def with_diagram_policy(view: View) -> View:
    policed: View = csp(DIAGRAMS)(view)
    return xframe_options_sameorigin(policed)


def with_admin_policy(included: tuple[list[Any], str, str]) -> tuple[list[Any], str, str]:
    """The same URLs (as `admin.site.urls` gives them), with the admin's policy on each."""
    patterns, app, namespace = included
    for pattern in patterns:
        relax(pattern)
    return patterns, app, namespace


def relax(pattern: URLPattern | URLResolver) -> None:
    if isinstance(pattern, URLResolver):
        for inner in pattern.url_patterns:
            relax(inner)
    else:
        pattern.callback = csp_update(ALSO)(pattern.callback)
