import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import dirname, join, normpath

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# Not `import(…)`: what is fetched when it is needed stays out of the way of what is needed now.
IMPORT = re.compile(
    r"""^(?:import|export)\b(?:[^"';]*\bfrom\b)?\s*["'](\.[^"']+)["']""", re.MULTILINE
)


@register.simple_tag
def module_preloads(entry: str) -> SafeString:
    """Links to every module that `entry` needs before it can run. Without them the browser learns
    of a module only when the one that imports it has arrived: seven round trips, one by one."""
    modules = imported_by(entry) if settings.DEBUG else _kept(entry)
    links = ((static(name),) for name in modules)
    return format_html_join("\n  ", '<link rel="modulepreload" href="{}">', links)


@cache
def _kept(entry: str) -> tuple[str, ...]:
    return imported_by(entry)


def imported_by(entry: str) -> tuple[str, ...]:
    """Names of static files, those nearest to the entry first. Packages are not followed: the page
    names its few itself, beside its import map."""
    found = [entry]
    for name in found:
        found.extend(each for each in imports_of(name) if each not in found)
    return tuple(found[1:])


def imports_of(name: str) -> Iterator[str]:
    path = finders.find(name)
    if path is None:
        raise FileNotFoundError(f"there is no static file {name}")
    source = COMMENT.sub("", Path(path).read_text())
    for address in IMPORT.findall(source):
        yield normpath(join(dirname(name), address))
