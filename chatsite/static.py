from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed names for ES modules too: relative imports are rewritten to the hashed names."""

    support_js_module_import_aggregation = True
    manifest_strict = ManifestStaticFilesStorage.manifest_strict
