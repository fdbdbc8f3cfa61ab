from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

_scripts, imports = HashedFilesMixin._js_module_import_aggregation_patterns  # type: ignore[attr-defined]


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed names for our ES modules too: their relative imports are rewritten. Those of packages
    are left alone (Django's own switch for all scripts trips over comments in highlight.js)."""

    patterns = (*HashedFilesMixin.patterns, ("js/*.js", imports))
