from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import FileSystemFinder

# What of each package a browser asks for, by the beginnings of its names: the packages bring a
# thousand files more, all of which would be hashed and compressed at a first start.
USED = {
    "npm/dompurify": ("purify.es.mjs",),
    "npm/highlight": ("es/highlight.min.js",),
    "npm/inter": ("index.css", "files/"),
    "npm/katex": ("katex.mjs", "katex.min.css", "fonts/"),
    # With its map, which it names.
    "npm/marked": ("marked.esm.js",),
    "npm/mermaid": ("mermaid.esm.min.mjs", "chunks/mermaid.esm.min/"),
}


class PackageFinder(FileSystemFinder):
    """Of each package, only what browsers ask for."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[Any]:
        for path, storage in super().list(ignore_patterns):
            used = USED.get(getattr(storage, "prefix", ""))
            if used is None or (path.startswith(used) and not path.endswith(".mjs.map")):
                yield path, storage
