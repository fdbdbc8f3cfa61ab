"""Where models come from, and the models that users can pick."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q


def validate_base_url(value: str) -> None:
    """Django's own check refuses names without a dot, such as `http://ollama:11434/v1`."""
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.username or parts.query or parts.fragment:
        raise ValidationError(_expected("an address such as http://localhost:11434/v1", value))


class Provider(models.Model):
    class Kind(models.TextChoices):
        OPENAI = "openai", "OpenAI or compatible"
        DEMO = "demo", "Demo"

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.OPENAI)
    base_url = models.CharField(
        "base URL",
        blank=True,
        max_length=500,
        validators=[validate_base_url],
        help_text="Such as http://localhost:11434/v1. Empty: the provider's own address.",
    )
    key_variable = models.CharField(
        max_length=100,
        blank=True,
        help_text="Name of the environment variable that holds the key, such as OPENAI_API_KEY.",
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ChatModel(models.Model):
    slug = models.CharField(
        max_length=200, unique=True, help_text="May hold slashes, colons and dots."
    )
    label = models.CharField(max_length=200, help_text="What users see.")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    provider_model = models.CharField(max_length=200, help_text="The provider's name for it.")
    enabled = models.BooleanField(default=True)
    default = models.BooleanField(default=False, help_text="At most one model is the default.")
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="In tokens.")
    max_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    parameters = models.JSONField(
        default=dict, blank=True, help_text='Such as {"temperature": 0.2}.'
    )
    system_prompt = models.TextField(blank=True)
    tools = models.JSONField(
        default=list, blank=True, help_text='Names of tools, such as ["current_time"].'
    )
    position = models.IntegerField(default=0, help_text="Lower comes first.")

    class Meta:
        ordering = ["position", "label"]
        verbose_name = "chat model"
        constraints = [
            models.UniqueConstraint(
                fields=["default"], condition=Q(default=True), name="one_default_chat_model"
            )
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Neither shape is one that a JSON field can refuse by itself."""
        if not isinstance(self.parameters, dict):
            raise ValidationError({"parameters": _expected("an object", self.parameters)})
        if not isinstance(self.tools, list) or not all(isinstance(t, str) for t in self.tools):
            raise ValidationError({"tools": _expected("a list of names", self.tools)})


def _expected(what: str, got: Any) -> str:
    return f"Expected {what}, got {got!r}."
