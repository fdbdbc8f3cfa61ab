"""The admin's form of an MCP server."""

import re
from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from llm.forms import host_of, is_for, named, or_else, which_are_stored
from llm.models import ToolServer

SECRET = re.compile(r"([A-Za-z_][\w-]*)[ \t]*[:=][ \t]*(\S.*)")


class ToolServerForm(forms.ModelForm):  # type: ignore[type-arg]
    """Stored secrets go in and never come out: an empty field leaves them as they are."""

    secrets = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off"}),
        help_text="For HTTP its headers, for a command its environment: one `Name: value` on a "
        "line. Stored encrypted and not shown again; empty leaves them as they are. ",
    )
    forget = forms.BooleanField(
        label="Forget the stored secrets", required=False, widget=UnfoldBooleanWidget
    )

    class Meta:
        model = ToolServer
        fields = "__all__"  # noqa: DJ007

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secrets"].help_text += which_are_stored(self.instance.encrypted_secrets)

    def clean_args(self) -> Any:
        return or_else(self.cleaned_data["args"], [])

    def clean_command(self) -> str:
        """Whoever may change this row must not be able to run just anything on the workers."""
        command: str = self.cleaned_data["command"]
        if command and command not in settings.MCP_COMMANDS:
            raise forms.ValidationError(
                f"The setting MCP_COMMANDS does not list {command!r}, so no worker runs it."
            )
        return command

    def clean_secrets(self) -> dict[str, str]:
        found = named(self.cleaned_data["secrets"], SECRET)
        if any("${" in value for value in found.values()):
            # The library would put in a variable of the worker's own environment.
            raise forms.ValidationError("A value cannot refer to a variable by `${…}`.")
        return found

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        before, after = (host_of(each, "url", "command") for each in (self.initial, given))
        kept = self.instance.encrypted_secrets and not given.get("secrets")
        if kept and before != after and not given.get("forget"):
            self.add_error("url", is_for(before, "secrets"))
        return given

    def save(self, commit: bool = True) -> ToolServer:
        server: ToolServer = self.instance
        given: dict[str, Any] = self.cleaned_data
        if given["forget"]:
            server.set_secrets({})
        if given["secrets"]:
            server.set_secrets(given["secrets"])
        saved: ToolServer = super().save(commit)
        return saved
