"""The admin's pages that ask a provider something.

They do so on an event loop of their own, in the request's thread, and load LangChain only when they
are used: the web node's loop belongs to its sockets, and its start is to be quick.
"""

import asyncio
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from llm import cache
from llm.errors import ProviderError
from llm.models import ChatModel, Provider
from llm.secrets import SecretLost
from llm.spec import spec

QUESTION = "Say hello in one short sentence."


def try_page(request: HttpRequest, model: ChatModel) -> HttpResponse:
    """The answer costs money, so it takes a click on this page to have it."""
    trial = None
    if request.method == "POST":
        from llm.trial import try_out

        trial = asyncio.run(try_out(spec(model), QUESTION))
    context = {
        **about(request, _("Test %(model)s") % {"model": model}, model),
        "model": model,
        "question": QUESTION,
        "trial": trial,
    }
    return TemplateResponse(request, "admin/llm/try.html", context)


def fetch_page(request: HttpRequest, provider: Provider) -> HttpResponse:
    if request.method == "POST":
        added = add_models(provider, request.POST.getlist("model"))
        level = messages.SUCCESS if added else messages.WARNING
        said = _("Models added: %(count)s. Set them up, then enable them.") % {"count": added}
        messages.add_message(request, level, said)
        return redirect("admin:llm_chatmodel_changelist")
    from llm.listing import models_of

    failure, found = None, []
    try:
        found = asyncio.run(models_of(provider))
    except ProviderError as error:
        failure = error
    except SecretLost as error:
        failure = ProviderError("model_misconfigured", str(error))
    known = set(provider.models.values_list("provider_model", flat=True))
    context = {
        **about(request, _("Models of %(provider)s") % {"provider": provider}, provider),
        "provider": provider,
        "found": [(each, each.id in known) for each in found],
        "failure": failure,
    }
    return TemplateResponse(request, "admin/llm/fetch.html", context)


def cache_page(request: HttpRequest, model: ChatModel) -> HttpResponse:
    if request.method == "POST":
        gone = cache.purge(model.slug)
        said = _("The cache of %(model)s is empty. Answers that were in it: %(count)s.")
        messages.success(request, said % {"model": model, "count": gone})
        return redirect("admin:llm_chatmodel_change", model.pk)
    context = {**about(request, _("Cache of %(model)s") % {"model": model}, model), "model": model}
    return TemplateResponse(request, "admin/llm/cache.html", context)


def add_models(provider: Provider, ids: list[str]) -> int:
    """Not enabled: prices, groups and abilities are for a person to say. Known ones stay as they
    are. Returns how many are new."""
    known = set(provider.models.values_list("provider_model", flat=True))
    new = [each for each in dict.fromkeys(ids) if each and each not in known and len(each) <= 200]
    for name in new:
        ChatModel.objects.create(
            slug=free_slug(name, provider),
            label=name,
            provider=provider,
            provider_model=name,
            enabled=False,
        )
    return len(new)


def free_slug(name: str, provider: Provider) -> str:
    if not ChatModel.objects.filter(slug=name).exists():
        return name
    prefix, number = slugify(provider.name) or "provider", 1
    slug = f"{prefix}/{name}"[:200]
    while ChatModel.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{prefix}-{number}/{name}"[:200]
    return slug


def about(request: HttpRequest, title: str, row: Model) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title, "opts": row._meta, "original": row}
