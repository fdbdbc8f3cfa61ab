from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LLMConfig(AppConfig):
    name = "llm"
    verbose_name = "Models"

    def ready(self) -> None:
        from llm.catalogue import sync_after_migrate

        post_migrate.connect(sync_after_migrate, sender=self)
