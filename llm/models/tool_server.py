import json

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from llm.models.checks import expected, validate_base_url
from llm.secrets import encrypt

# Between the name of a server and that of its tool, as models know it.
SEPARATOR = "__"


class ToolServer(models.Model):
    """An MCP server. Its headers or its environment are stored encrypted (llm/secrets.py)."""

    class Transport(models.TextChoices):
        HTTP = "http", "Streamable HTTP"
        STDIO = "stdio", "A command (stdio)"

    name = models.CharField(
        max_length=24,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9]*$", "Small letters and digits only.")],
        help_text="Its tools are called by it: the tool read of the server files is files__read.",
    )
    transport = models.CharField(max_length=8, choices=Transport, default=Transport.HTTP)
    url = models.CharField(
        "URL", blank=True, max_length=500, validators=[validate_base_url], help_text="For HTTP."
    )
    command = models.CharField(
        blank=True,
        max_length=200,
        help_text="For stdio. Only what the setting MCP_COMMANDS lists is ever run.",
    )
    args = models.JSONField(
        "arguments", default=list, blank=True, help_text='A list, such as ["--root", "/srv/docs"].'
    )
    encrypted_secrets = models.TextField(blank=True, editable=False)
    timeout = models.FloatField(
        default=30,
        validators=[MinValueValidator(0.1), MaxValueValidator(600)],
        help_text="Seconds for one call. What reports its progress has them again.",
    )
    enabled = models.BooleanField(default=True)
    fetched_at = models.DateTimeField("tools fetched", null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "MCP server"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not isinstance(self.args, list) or not all(isinstance(arg, str) for arg in self.args):
            raise ValidationError({"args": expected("a list of texts", self.args)})
        needed = "url" if self.transport == self.Transport.HTTP else "command"
        if not getattr(self, needed):
            raise ValidationError({needed: "This transport needs it."})

    def set_secrets(self, secrets: dict[str, str]) -> None:
        self.encrypted_secrets = encrypt(json.dumps(secrets)) if secrets else ""


class ServerTool(models.Model):
    """A tool as its server last described it. `problem` says why no model can be given it."""

    class Permission(models.TextChoices):
        ALLOWED = "allowed", "Allowed"
        ASK = "ask", "Ask the user"
        OFF = "off", "Off"

    server = models.ForeignKey(ToolServer, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=128)
    description = models.TextField(blank=True)
    schema = models.JSONField(default=dict)
    acts = models.BooleanField(
        "has side effects",
        default=True,
        help_text="An answer in which it has run is not started again by itself.",
    )
    permission = models.CharField(max_length=8, choices=Permission, default=Permission.OFF)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "tool"
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="one_tool_of_a_name")
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """As models know it. What is no valid name there has a `problem` instead."""
        return f"{self.server.name}{SEPARATOR}{self.name}"
