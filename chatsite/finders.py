from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import FileSystemFinder

# mermaid's package is 80 MB, of which a browser needs one module and its parts.
MERMAID = ("mermaid.esm.min.mjs", "chunks/mermaid.esm.min/")


class PackageFinder(FileSystemFinder):
    """Of mermaid, only what browsers ask for."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[Any]:
        for path, storage in super().list(ignore_patterns):
            is_mermaid = getattr(storage, "prefix", None) == "npm/mermaid"
            if not is_mermaid or (path.startswith(MERMAID) and path.endswith(".mjs")):
                yield path, storage
