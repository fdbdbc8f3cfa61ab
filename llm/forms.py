"""The admin's forms: what no model field can do by itself."""

import re
from typing import Any

from django import forms
from django.db.models import QuerySet
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from llm.models import ChatModel, Provider, ServerTool
from llm.secrets import SecretLost

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
        "Stored encrypted and not shown again; empty leaves them as they are.",
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

    def clean_headers(self) -> dict[str, str]:
        return named(self.cleaned_data["headers"], HEADER)

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


class ChatModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Choosing a new default takes the old one's place, so the constraint is not to refuse it."""

    def _get_validation_exclusions(self) -> set[str]:
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*exclusions, "default"}

    def clean_parameters(self) -> Any:
        return or_else(self.cleaned_data["parameters"], {})

    def clean_filters(self) -> Any:
        return or_else(self.cleaned_data["filters"], [])

    def clean_tools(self) -> Any:
        return self.known_tools("tools")

    def clean_tools_to_approve(self) -> Any:
        return self.known_tools("tools_to_approve")

    def known_tools(self, field: str) -> Any:
        given = self.cleaned_data[field]
        if not isinstance(given, list):
            return given
        # LangChain: a second that every start of a web node would wait for.
        from llm.tools import registry

        known = {*registry(), *(tool.full_name for tool in of_servers())}
        unknown = [name for name in given if isinstance(name, str) and name not in known]
        if unknown:
            there = ", ".join(sorted(known)) or "none"
            raise forms.ValidationError(f"No tool is called {unknown[0]!r}. There are: {there}.")
        return given

    class Meta:
        model = ChatModel
        fields = "__all__"  # noqa: DJ007


def of_servers() -> QuerySet[ServerTool]:
    """Also those that are off: whether a model has a tool is a decision of its own."""
    return ServerTool.objects.filter(problem="").select_related("server")


def what_is_stored(provider: Provider) -> str:
    if not provider.encrypted_key:
        return "None is stored."
    try:
        return f"One is stored, it ends in …{provider.key_tail}."
    except SecretLost:
        return "One is stored that none of ENCRYPTION_KEYS fits: give it again."
