"""Which models a provider's server has."""

import asyncio
import json

import msgspec
from django.conf import settings

from llm import failures
from llm.build import ANTHROPIC_URL, ANTHROPIC_VERSION, OPENAI_URL
from llm.models import Provider
from llm.reading import refusal
from llm.secrets import decrypt, from_environment
from llm.session import close_session, session, timeout

SECONDS = 20.0
MAX_BYTES = 8 * 1024 * 1024


class Listed(msgspec.Struct):
    id: str
    display_name: str = ""


class Page(msgspec.Struct):
    data: list[Listed]


async def models_of(provider: Provider) -> list[Listed]:
    """In the order of their names. Raises ProviderError, with the server's own words as detail, and
    SecretLost."""
    if provider.kind == Provider.Kind.DEMO:
        return [Listed("demo", "Demo")]
    if provider.kind == Provider.Kind.RUNNABLE:
        return [Listed(slug, path) for slug, path in sorted(settings.LLM_RUNNABLES.items())]
    try:
        async with asyncio.timeout(SECONDS):
            found = await _get(*_request(provider))
    except failures.CAUGHT as error:
        raise failures.from_exception(error) from error
    finally:
        await close_session()
    # A model whose name no form and no database takes cannot be asked for, either.
    return sorted((each for each in found if each.id.isprintable()), key=lambda each: each.id)


def _request(provider: Provider) -> tuple[str, dict[str, str]]:
    key = decrypt(provider.encrypted_key) or from_environment(provider.key_variable)
    given: dict[str, str] = json.loads(decrypt(provider.encrypted_headers) or "{}")
    if provider.kind == Provider.Kind.ANTHROPIC:
        address = (provider.base_url or ANTHROPIC_URL).rstrip("/").removesuffix("/v1")
        own = {"anthropic-version": ANTHROPIC_VERSION, **({"x-api-key": key} if key else {})}
        return f"{address}/v1/models?limit=1000", {**own, **given}
    own = {"Authorization": f"Bearer {key}"} if key else {}
    return f"{(provider.base_url or OPENAI_URL).rstrip('/')}/models", {**own, **given}


async def _get(url: str, headers: dict[str, str]) -> list[Listed]:
    # The key must not follow a redirect to another host.
    async with session().get(
        url, headers=headers, timeout=timeout(SECONDS), allow_redirects=False
    ) as response:
        body = await response.content.read(MAX_BYTES)
        while not response.content.at_eof() and len(body) < MAX_BYTES:
            body += await response.content.read(MAX_BYTES - len(body))
        said = body[:2000].decode(errors="replace")
        if response.status != 200:
            raise refusal(response, said)
        try:
            return msgspec.json.decode(body, type=Page).data
        except msgspec.MsgspecError as error:
            # Often the page of a proxy, or of the server's own surface: its words tell which.
            raise refusal(response, f"{error}: {said}") from error
