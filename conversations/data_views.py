"""The page where users take their data with them, bring it, and take it away."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    return render(request, "account/data.html", {"has_password": user.has_usable_password()})
