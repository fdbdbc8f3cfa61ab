"""The page where users make and revoke keys for their programs."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.keys import create_key, revoke_keys
from accounts.models import ApiKey, User

MOST_KEYS = 50
DAYS = [
    ("30", gettext_lazy("After 30 days")),
    ("365", gettext_lazy("After a year")),
    ("", gettext_lazy("Never")),
]


class KeyForm(forms.Form):
    name = forms.CharField(max_length=80, label=gettext_lazy("What it is for"))
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        initial=[ApiKey.Scope.CHAT],
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("What it may do"),
    )
    days = forms.ChoiceField(
        choices=DAYS, required=False, initial="365", label=gettext_lazy("When it ends")
    )

    @property
    def expires_at(self) -> Any:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """The new secret is on the answer to the form alone: a page that could be loaded again would
    show it again."""
    user = cast(User, request.user)
    form, secret = KeyForm(request.POST or None, label_suffix=""), ""
    if request.method == "POST" and form.is_valid():
        if user.api_keys.filter(revoked_at=None).count() >= MOST_KEYS:
            form.add_error(None, _("You have %d keys. Revoke one first.") % MOST_KEYS)
        else:
            scopes = form.cleaned_data["scopes"]
            _row, secret = create_key(user, form.cleaned_data["name"], scopes, form.expires_at)
            form = KeyForm(label_suffix="")
    context = {"form": form, "secret": secret, "keys": user.api_keys.filter(revoked_at=None)}
    return render(request, "account/keys.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    user = cast(User, request.user)
    key = get_object_or_404(user.api_keys, pk=key_id)
    revoke_keys(user.api_keys.filter(pk=key.pk))
    messages.success(request, _("The key “%s” does not work any more.") % key.name)
    return redirect("account_keys")
