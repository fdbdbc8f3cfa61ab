import re
from collections.abc import Callable
from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

_scripts, imports = HashedFilesMixin._js_module_import_aggregation_patterns  # type: ignore[attr-defined]


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed names for our ES modules too: their relative imports are rewritten. Those of packages
    are left alone (Django's own switch for all scripts trips over comments in highlight.js)."""

    # Each pass carries a hash one import further up.
    max_post_process_passes = 40

    patterns = (*HashedFilesMixin.patterns, ("js/*.js", imports))

    def url_converter(self, *args: Any, **kwargs: Any) -> Callable[[re.Match[str]], str]:
        convert: Callable[[re.Match[str]], str] = super().url_converter(*args, **kwargs)
        return lambda match: match[0] if is_left_alone(match) else convert(match)


def is_left_alone(match: re.Match[str]) -> bool:
    """A name from the page's import map, as in `import("katex")`, is no path."""
    is_import = match[0].startswith("import")
    return in_comment(match) or (is_import and not match["url"].startswith((".", "/")))


def in_comment(match: re.Match[str]) -> bool:
    """A type's `import("./x.js")` is no import. Taken for one, two modules that name each other's
    types would never come to a hash."""
    before = match.string[: match.start()]
    return before.rfind("/*") > before.rfind("*/")
