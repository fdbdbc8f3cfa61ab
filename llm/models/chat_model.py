import json
from collections.abc import Collection, Iterator

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from llm.models.checks import expected
from llm.models.provider import Provider

LEAST_WINDOW = 512


class ChatModel(models.Model):
    class Cache(models.TextChoices):
        OFF = "off", "Off"
        USER = "user", "For each user"
        SHARED = "shared", "For all users together"

    class Prefill(models.TextChoices):
        NONE = "", "It is asked in words to go on: works everywhere"
        LAST = "last", "As the last message: Claude before 4.6, Ollama, llama.cpp, OpenRouter"
        VLLM = "vllm", "With continue_final_message: vLLM"
        PREFIX = "prefix", "With prefix on the last message: Mistral, DeepSeek"

    slug = models.CharField(
        max_length=200, unique=True, help_text="May hold slashes, colons and dots."
    )
    label = models.CharField(max_length=200, help_text="What users see.")
    description = models.CharField(
        max_length=200, blank=True, help_text="One line for users: what it is good at."
    )
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    provider_model = models.CharField(max_length=200, help_text="The provider's name for it.")
    enabled = models.BooleanField(default=True)
    default = models.BooleanField(default=False, help_text="At most one model is the default.")
    groups = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="chat_models",
        help_text="Who may use it. None chosen: everybody.",
    )
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="In tokens.")
    max_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    price_in = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Of a million tokens that it reads.",
    )
    price_out = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Of a million tokens that it writes.",
    )
    images = models.BooleanField("takes images", default=True)
    uses_tools = models.BooleanField("uses tools", default=True)
    reasons = models.BooleanField("shows reasoning", default=False)
    prefill = models.CharField(
        "going on",
        max_length=10,
        choices=Prefill,
        default=Prefill.NONE,
        blank=True,
        help_text="How it is given the beginning of an answer that was cut. A model that does not "
        "know the way that is chosen here begins the answer anew or refuses it.",
    )
    fallback = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="stands_in_for",
        help_text="Answers where this one cannot be reached.",
    )
    queue = models.CharField(
        max_length=64, default="generations", help_text="The worker pool that runs it."
    )
    parameters = models.JSONField(
        default=dict, blank=True, help_text='Such as {"temperature": 0.2}.'
    )
    system_prompt = models.TextField(blank=True)
    tools = models.JSONField(
        default=list, blank=True, help_text='Names of tools, such as ["current_time"].'
    )
    tools_to_approve = models.JSONField(
        default=list,
        blank=True,
        help_text="Those of its tools that run only if the user approves the call, "
        'such as ["fetch_page"].',
    )
    filters = models.JSONField(
        default=list,
        blank=True,
        help_text="What an answer goes through before anybody sees it, in this order, such as "
        '[{"name": "redact"}, {"name": "max_length", "options": {"characters": 20000}}].',
    )
    summarises = models.BooleanField(
        "summarises long conversations",
        default=False,
        help_text="Asks the model for a summary of what no longer fits into its context window, "
        "and tells it that with each question. Needs a context window.",
    )
    cache = models.CharField(
        max_length=10,
        choices=Cache,
        default=Cache.OFF,
        help_text="Whether an answer is given again to exactly the same question and history.",
    )
    debug = models.BooleanField(
        default=False,
        help_text="Keeps what goes into each step of an agent or a graph and what comes out of it, "
        "for admins to read on the page of the generation. It may hold what users write.",
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

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Not in `clean`: a form that has only some of the fields, as the list in the admin, has no
        place for errors of the others."""
        super().clean_fields(exclude=exclude)
        faults = {field: why for field, why in self._faults() if field not in (exclude or ())}
        if faults:
            raise ValidationError(faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        """What no field can refuse by itself, each with the name of its field."""
        if not isinstance(self.parameters, dict):
            yield "parameters", expected("an object", self.parameters)
        try:
            json.dumps(self.parameters, allow_nan=False)
        except ValueError:
            # Python reads NaN and Infinity, and no database takes them.
            yield "parameters", "Expected JSON, got NaN or Infinity."
        if self.context_window is not None and self.context_window < LEAST_WINDOW:
            # Every question would be too long for it. Some write 128 and mean thousands.
            least = f"at least {LEAST_WINDOW} tokens"
            yield "context_window", expected(least, self.context_window)
        if self.max_output_tokens == 0:
            yield "max_output_tokens", expected("at least 1 token", 0)
        for field in ("tools", "tools_to_approve"):
            names = getattr(self, field)
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                yield field, expected("a list of names", names)
        # Some of them bring an HTTP client, which no start of a process is to wait for.
        from llm.filters.registry import read

        try:
            read(self.filters)
        except (ValueError, ImportError) as error:
            yield "filters", str(error)
        if self.leads_back_to_itself():
            yield "fallback", "The fallbacks lead back to this model."

    def leads_back_to_itself(self) -> bool:
        seen = {self.pk}
        stand_in = self.fallback
        while stand_in is not None:
            if stand_in.pk in seen:
                return True
            seen.add(stand_in.pk)
            stand_in = stand_in.fallback
        return False
