import json

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from llm.models.checks import expected, validate_base_url
from llm.secrets import decrypt, encrypt

KEY_TAIL_CHARS = 4
# Whoever looks for a place asks the cache for all of them.
MOST_PLACES = 10_000
LIMIT_HELP = "Seconds. Empty: the setting for all providers."


class Provider(models.Model):
    """A server that answers. Its key and its headers are stored encrypted (llm/secrets.py)."""

    class Kind(models.TextChoices):
        OPENAI = "openai", "OpenAI or compatible"
        ANTHROPIC = "anthropic", "Anthropic"
        DEMO = "demo", "Demo"
        RUNNABLE = "runnable", "Chains and graphs of LLM_RUNNABLES"

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
        help_text="Name of the environment variable that holds the key, such as OPENAI_API_KEY. "
        "A key that is stored here comes first.",
    )
    encrypted_key = models.TextField(blank=True, editable=False)
    encrypted_headers = models.TextField(blank=True, editable=False)
    connect_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text=LIMIT_HELP
    )
    first_token_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text=LIMIT_HELP
    )
    token_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text=LIMIT_HELP
    )
    max_concurrency = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Answers at once, over all workers. Empty: no limit.",
    )
    streams = models.BooleanField(
        "can stream",
        default=True,
        help_text="Off: its answers are asked for in one piece. OpenAI-compatible servers only.",
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not self.streams and self.kind != self.Kind.OPENAI:
            raise ValidationError({"streams": "Only OpenAI-compatible servers can be asked so."})

        if self.key_variable in settings.OWN_VARIABLES:
            what = "a variable that holds a provider's key, and no setting of ours"
            raise ValidationError({"key_variable": expected(what, self.key_variable)})
        if self.max_concurrency is not None and self.max_concurrency > MOST_PLACES:
            what = f"at most {MOST_PLACES}, or nothing for no limit"
            raise ValidationError({"max_concurrency": expected(what, self.max_concurrency)})

    def set_key(self, key: str) -> None:
        self.encrypted_key = encrypt(key)

    def set_headers(self, headers: dict[str, str]) -> None:
        self.encrypted_headers = encrypt(json.dumps(headers)) if headers else ""

    @property
    def key_tail(self) -> str:
        """The end of the stored key, so that a person can tell keys apart. Raises SecretLost."""
        return decrypt(self.encrypted_key)[-KEY_TAIL_CHARS:]
