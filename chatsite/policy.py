"""A Content-Security-Policy for the admin's pages alone.

Their theme runs on Alpine, which builds functions from attributes, and styles elements in place.
That needs 'unsafe-eval' and inline styles; inline scripts it does not need. The pages that show
what models write to their users keep the strict policy.
"""

from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import URLPattern, URLResolver

ALSO = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}


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
