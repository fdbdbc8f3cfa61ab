"""The admin's forms: what no model field can do by itself."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from django import forms
from django.db.models import QuerySet
from django.utils.text import Truncator
from unfold.widgets import (
    CHECKBOX_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from llm.models import ChatModel, Provider, ServerTool
from llm.secrets import SecretLost, decrypt

TOOL_CHARACTERS = 100
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(\S.*)")


def named(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    """Values by their names, one `Name: value` on a line. Raises ValidationError."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = pattern.fullmatch(line)
        if match is None:
            raise forms.ValidationError(f"Expected `Name: value`, got {line!r}.")
        found[match[1]] = match[2]
    return found


def or_else(given: Any, nothing: Any) -> Any:
    """What an emptied field of JSON stands for: the form makes None of it."""
    return nothing if given is None else given


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]
    """Stored secrets go in and never come out: an empty field leaves them as they are."""

    key = forms.CharField(
        label="API key",
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )
    headers = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Sent with every request, one `Name: value` on a line. "
        "Stored encrypted and not shown again; empty leaves them as they are. ",
    )
    forget = forms.BooleanField(
        label="Forget the stored key and headers", required=False, widget=UnfoldBooleanWidget
    )

    class Meta:
        model = Provider
        fields = "__all__"  # noqa: DJ007

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].help_text = f"{what_is_stored(self.instance)} Empty leaves it so."
        self.fields["headers"].help_text += which_are_stored(self.instance.encrypted_headers)

    def clean_headers(self) -> dict[str, str]:
        return named(self.cleaned_data["headers"], HEADER)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        stored = {"key": self.instance.encrypted_key, "headers": self.instance.encrypted_headers}
        kept = [name for name, token in stored.items() if token and not given.get(name)]
        before, after = (host_of(each, "base_url", "kind") for each in (self.initial, given))
        if kept and before != after and not given.get("forget"):
            self.add_error("base_url", is_for(before, " and ".join(kept)))
        return given

    def save(self, commit: bool = True) -> Provider:
        provider: Provider = self.instance
        if self.cleaned_data["forget"]:
            provider.set_key("")
            provider.set_headers({})
        if self.cleaned_data["key"]:
            provider.set_key(self.cleaned_data["key"])
        if self.cleaned_data["headers"]:
            provider.set_headers(self.cleaned_data["headers"])
        saved: Provider = super().save(commit)
        return saved


def host_of(fields: Mapping[str, Any], address: str, otherwise: str) -> str:
    """With scheme and port; what stands in `otherwise` where there is no address."""
    parts = urlsplit(fields.get(address) or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else str(fields.get(otherwise))


def is_for(host: str, kept: str) -> str:
    """Whoever may change an address must not be able to read a secret by having it sent to a host
    of their own."""
    return (
        f"What is stored ({kept}) was given for {host}. "
        "For another one give it again, or have it forgotten."
    )


class Tools(UnfoldAdminCheckboxSelectMultipleWidget):
    """With lines that wrap: those of the theme are as long as what a tool says of itself."""

    option_template_name = forms.CheckboxSelectMultiple.option_template_name

    def __init__(self) -> None:
        super().__init__()
        classes = (each for each in CHECKBOX_CLASSES if each != "block")
        self.attrs["class"] = " ".join([*classes, "inline-block", "align-middle"])


class ChatModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Choosing a new default takes the old one's place, so the constraint is not to refuse it."""

    tools = forms.MultipleChoiceField(
        required=False,
        widget=Tools(),
        help_text="What it may do besides writing.",
    )
    tools_to_approve = forms.MultipleChoiceField(
        required=False,
        widget=Tools(),
        help_text="Those of its tools that run only if the user approves the call.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = known_tools()
        for name in ("tools", "tools_to_approve"):
            # Whoever edits something else must not lose a tool that is away for a while.
            away = [each for each in getattr(self.instance, name) if each not in known]
            choices = [*known.items(), *((each, f"{each}: is not there") for each in away)]
            cast(forms.MultipleChoiceField, self.fields[name]).choices = choices

    def _get_validation_exclusions(self) -> set[str]:
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*exclusions, "default"}

    def clean_parameters(self) -> Any:
        return or_else(self.cleaned_data["parameters"], {})

    def clean_filters(self) -> Any:
        return or_else(self.cleaned_data["filters"], [])

    class Meta:
        model = ChatModel
        fields = "__all__"  # noqa: DJ007


def known_tools() -> dict[str, str]:
    """What is said of each, by its name: ours first, then those of the servers."""
    # LangChain: a second that every start of a web node would wait for.
    from llm.tools import registry

    ours = {name: said_in_short(name, tool.description) for name, tool in registry().items()}
    theirs = {tool.full_name: said_of(tool) for tool in of_servers()}
    return {**ours, **theirs}


def said_of(tool: ServerTool) -> str:
    said = said_in_short(tool.full_name, tool.description)
    if not tool.server.enabled or tool.permission == ServerTool.Permission.OFF:
        return f"{said} (off)"
    return f"{said} (asks the user)" if tool.permission == ServerTool.Permission.ASK else said


def said_in_short(name: str, description: str) -> str:
    said = " ".join(description.split())
    return Truncator(f"{name}: {said}" if said else name).chars(TOOL_CHARACTERS)


def of_servers() -> QuerySet[ServerTool]:
    """Also those that are off: whether a model has a tool is a decision of its own."""
    return (
        ServerTool.objects.filter(problem="")
        .select_related("server")
        .order_by("server__name", "name")
    )


def what_is_stored(provider: Provider) -> str:
    if not provider.encrypted_key:
        return "None is stored."
    try:
        return f"One is stored, it ends in …{provider.key_tail}."
    except SecretLost:
        return "One is stored that none of ENCRYPTION_KEYS fits: give it again."


def which_are_stored(token: str) -> str:
    """The names alone."""
    if not token:
        return "None are stored."
    try:
        return f"Stored: {', '.join(json.loads(decrypt(token)))}."
    except SecretLost:
        return "Some are stored that none of ENCRYPTION_KEYS fits: give them again."
