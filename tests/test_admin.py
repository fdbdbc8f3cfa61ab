"""The admin's pages, as a superuser sees them and as others do not."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.models import ApiKey, User
from conversations.models import (
    Attachment,
    Conversation,
    Feedback,
    Folder,
    Generation,
    Import,
    Message,
    Preset,
    Prompt,
    Share,
)
from llm.models import ChatModel, Provider
from streaming.log import cancel_channel
from streaming.redis import connect_sync

SCRIPT = "<script>alert(1)</script>"
OURS = [
    User,
    ApiKey,
    Conversation,
    Folder,
    Message,
    Generation,
    Attachment,
    Feedback,
    Share,
    Import,
    Prompt,
    Preset,
    Provider,
    ChatModel,
]
LISTS = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in OURS]


@pytest.fixture(autouse=True)
def _files_as_they_are(settings: Settings) -> None:
    """Pages without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def superuser(client: Client, transactional_db: None) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com"))
    return client


@pytest.fixture
def model() -> ChatModel:
    provider = Provider.objects.create(name="A provider", kind=Provider.Kind.DEMO)
    return ChatModel.objects.create(slug="m", label="M", provider=provider, provider_model="m")


def answer(owner: User, model: ChatModel, text: str = "Hello", **fields: Any) -> Generation:
    """A conversation with one question, its file, and its answer."""
    conversation = Conversation.objects.create(owner=owner, title=f"About {text}")
    Attachment.objects.create(
        owner=owner, conversation=conversation, name="a.txt", kind="text", size=5, text=SCRIPT
    )
    block = [{"type": "text", "text": text}]
    prompt = Message.objects.create(conversation=conversation, role="user", content=block)
    reply = Message.objects.create(
        conversation=conversation, parent=prompt, role="assistant", content=block
    )
    Feedback.objects.create(message=reply, rating=1, comment=SCRIPT)
    Share.objects.create(conversation=conversation, title=f"Shared {text}", messages=[SCRIPT])
    return Generation.objects.create(
        conversation=conversation,
        prompt=prompt,
        message=reply,
        model=model,
        model_slug=model.slug,
        **{"status": "completed", "attempt": 1, **fields},
    )


def belongings(owner: User) -> None:
    """One of everything that a user has apart from conversations."""
    ApiKey.objects.create(owner=owner, name="A script", prefix="sk", digest="d")
    Folder.objects.create(owner=owner, name=SCRIPT)
    Prompt.objects.create(owner=owner, title="Shorter", text=SCRIPT)
    Preset.objects.create(owner=owner, name="Poet", system_prompt=SCRIPT)
    Import.objects.create(owner=owner, name="a.json", status="failed", problems=[SCRIPT])


def page(client: Client, url: str) -> str:
    answered = client.get(url)
    assert answered.status_code == 200, url
    return answered.content.decode()


def rows(text: str) -> int:
    return len(re.findall(r'name="_selected_action"', text))


# --- Every page ---------------------------------------------------------------------------------
def test_every_model_of_ours_is_in_the_admin() -> None:
    assert all(admin.site.is_registered(model) for model in OURS)


@pytest.mark.parametrize("url", LISTS)
def test_every_list_can_be_read_and_searched(
    superuser: Client, owner: User, model: ChatModel, url: str
) -> None:
    answer(owner, model)
    belongings(owner)
    assert rows(page(superuser, url)) >= 1
    assert rows(page(superuser, f"{url}?q=no-such-thing-anywhere")) == 0


@pytest.mark.parametrize("kind", OURS)
def test_every_row_has_its_page(
    superuser: Client, owner: User, model: ChatModel, kind: Any
) -> None:
    answer(owner, model)
    belongings(owner)
    row = kind.objects.first()
    text = page(
        superuser, f"/admin/{kind._meta.app_label}/{kind._meta.model_name}/{row.pk}/change/"
    )
    assert "<script>alert" not in text


def test_the_index_bears_the_products_name(superuser: Client) -> None:
    assert "Chatsite" in page(superuser, "/admin/")


@pytest.mark.parametrize("url", ["/admin/", *LISTS])
def test_who_is_no_staff_sees_nothing(client: Client, owner: User, url: str) -> None:
    client.force_login(owner)
    assert client.get(url).status_code == 302


def test_the_admin_has_no_door_of_its_own(client: Client, owner: User) -> None:
    """Its own form would let passwords be guessed without a limit."""
    door = client.get("/admin/", follow=True)
    assert door.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    form = {"login": "owner", "password": "correct horse battery", "next": "/admin/"}
    assert client.post("/accounts/login/", form, follow=True).redirect_chain[-1][0] == "/admin/"


def test_only_the_admin_has_the_wider_content_policy(superuser: Client) -> None:
    inside = superuser.get("/admin/")["Content-Security-Policy"]
    outside = superuser.get("/accounts/logout/")["Content-Security-Policy"]
    assert "'unsafe-eval'" in inside
    assert "unsafe" not in outside
    assert "script-src 'self' 'unsafe-eval';" in f"{inside};"


# --- Finding ------------------------------------------------------------------------------------
@pytest.mark.parametrize("q", ["Rain", "owner", "owner@example.com"])
def test_a_conversation_is_found_by_title_and_owner(
    superuser: Client, owner: User, stranger: User, model: ChatModel, q: str
) -> None:
    answer(owner, model, "Rain")
    answer(stranger, model, "Sun")
    assert rows(page(superuser, f"/admin/conversations/conversation/?q={q}")) == 1


@pytest.mark.parametrize("kind", ["conversation", "message", "generation"])
def test_a_row_is_found_by_its_id(
    superuser: Client, owner: User, model: ChatModel, kind: str
) -> None:
    wanted, _ = answer(owner, model), answer(owner, model)
    pk = {
        "conversation": wanted.conversation_id,
        "message": wanted.message_id,
        "generation": wanted.pk,
    }[kind]
    assert rows(page(superuser, f"/admin/conversations/{kind}/?q={pk}")) == 1


def test_the_answers_of_a_conversation_are_found_by_its_id(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    conversation = answer(owner, model).conversation_id
    answer(owner, model)
    assert rows(page(superuser, f"/admin/conversations/generation/?q={conversation}")) == 1
    assert rows(page(superuser, f"/admin/conversations/message/?q={conversation}")) == 2


def test_failures_are_found_by_their_code_and_filtered_by_status(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    answer(owner, model)
    answer(owner, model, status="failed", error_code="rate_limited", attempt=2)
    url = "/admin/conversations/generation/"
    assert rows(page(superuser, f"{url}?q=rate_limited")) == 1
    assert rows(page(superuser, f"{url}?status__exact=failed")) == 1
    assert rows(page(superuser, f"{url}?started_again=1")) == 1
    assert rows(page(superuser, f"{url}?started_again=0")) == 1


def test_a_conversation_leads_to_its_messages_and_generations(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    pk = answer(owner, model).conversation_id
    answer(owner, model)
    text = page(superuser, f"/admin/conversations/conversation/{pk}/change/")
    links = re.findall(rf'href="(/admin/conversations/\w+/\?conversation__id__exact={pk})"', text)
    assert [rows(page(superuser, link)) for link in links] == [2, 1, 1, 1]


@pytest.mark.parametrize("place", ["listed", "archived", "temporary", "deleted"])
def test_a_conversation_is_found_by_its_place(
    superuser: Client, owner: User, model: ChatModel, place: str
) -> None:
    now = timezone.now()
    fields: dict[str, dict[str, Any]] = {
        "listed": {},
        "archived": {"archived": True},
        "temporary": {"expires_at": now},
        "deleted": {"archived": True, "expires_at": now, "deleted_at": now},
    }
    for name, changes in fields.items():
        pk = answer(owner, model, name).conversation_id
        Conversation.objects.filter(pk=pk).update(updated_at=now, **changes)
    text = page(superuser, f"/admin/conversations/conversation/?place={place}")
    assert rows(text) == 1
    assert f"About {place}" in text


@pytest.mark.parametrize(
    "query", ["finish_reason=length", "by_program=1", "continues__exact=1", "q=length-model"]
)
def test_an_answer_is_found_by_how_it_was_asked_and_ended(
    superuser: Client, owner: User, model: ChatModel, query: str
) -> None:
    answer(owner, model)
    made = answer(owner, model, finish_reason="length", continues=True, request={"turns": [SCRIPT]})
    Generation.objects.filter(pk=made.pk).update(model_slug="length-model")
    assert rows(page(superuser, f"/admin/conversations/generation/?{query}")) == 1
    detail = page(superuser, f"/admin/conversations/generation/{made.pk}/change/")
    assert "<script>alert" not in detail


@pytest.mark.parametrize("revoked", ["0", "1"])
def test_links_are_revoked_by_an_admin_and_found_by_their_state(
    superuser: Client, owner: User, model: ChatModel, revoked: str
) -> None:
    answer(owner, model, "Rain")
    answer(owner, model, "Sun")
    taken = Share.objects.get(title="Shared Sun")
    form = {"action": "take_back", "_selected_action": [str(taken.pk)]}
    url = "/admin/conversations/share/"
    assert "1 link does not work any more." in superuser.post(url, form, follow=True).text
    taken.refresh_from_db()
    assert (taken.revoked_at is None, taken.messages) == (False, [])
    assert rows(page(superuser, f"{url}?revoked={revoked}")) == 1


def test_no_page_shows_the_secret_of_a_link(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    answer(owner, model)
    link = Share.objects.get()
    url = "/admin/conversations/share/"
    assert link.token not in page(superuser, url)
    assert link.token not in page(superuser, f"{url}{link.pk}/change/")


def test_a_users_page_counts_what_they_have_and_leads_there(
    superuser: Client, owner: User, stranger: User, model: ChatModel
) -> None:
    answer(owner, model)
    answer(owner, model)
    answer(stranger, model)
    belongings(owner)
    text = page(superuser, f"/admin/accounts/user/{owner.pk}/change/")
    for shown in ("Conversations: 2", "Attachments: 2", "API keys: 1"):
        assert shown in text
    links = re.findall(rf'href="(/admin/\w+/\w+/\?owner__id__exact={owner.pk})"', text)
    assert sorted(rows(page(superuser, link)) for link in links) == [1, 2, 2]


@pytest.mark.parametrize("kind", ["conversation", "message", "generation", "share", "feedback"])
def test_a_longer_list_asks_no_more_queries(
    superuser: Client,
    owner: User,
    model: ChatModel,
    kind: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(12):
        answer(owner, model)
    with django_assert_max_num_queries(10):
        page(superuser, f"/admin/conversations/{kind}/")


# --- What is shown ------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["conversation", "message", "generation"])
def test_what_a_model_wrote_is_text_and_never_markup(
    superuser: Client, owner: User, model: ChatModel, kind: str
) -> None:
    made = answer(owner, model, SCRIPT, status="failed", error_code="x", error_message=SCRIPT)
    pk = {"conversation": made.conversation_id, "message": made.message_id, "generation": made.pk}
    for url in (
        f"/admin/conversations/{kind}/",
        f"/admin/conversations/{kind}/{pk[kind]}/change/",
        f"/admin/conversations/{kind}/{pk[kind]}/delete/",
    ):
        assert "<script>alert" not in page(superuser, url)


def test_a_generation_shows_its_times_and_tokens(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    answer(
        owner,
        model,
        timings={"queued_ms": 20, "first_token_ms": 340, "total_ms": 12_500},
        usage={"input_tokens": 1200, "output_tokens": 30, "estimated": True},
    )
    text = page(superuser, "/admin/conversations/generation/")
    for shown in ("0.02 s", "0.34 s", "12.50 s", "~1,200 / 30"):
        assert shown in text.replace("\N{NO-BREAK SPACE}", " ")


# --- What cannot be changed ---------------------------------------------------------------------
def test_nobody_changes_a_generation_by_hand(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    made = answer(owner, model)
    url = f"/admin/conversations/generation/{made.pk}/change/"
    assert superuser.post(url, {"status": "queued"}).status_code == 403
    made.refresh_from_db()
    assert made.status == "completed"


def test_nobody_changes_what_was_written(superuser: Client, owner: User, model: ChatModel) -> None:
    message = answer(owner, model).message
    url = f"/admin/conversations/message/{message.pk}/change/"
    assert superuser.post(url, {"content": "[]"}).status_code == 403
    message.refresh_from_db()
    assert message.text == "Hello"


@pytest.mark.parametrize("kind", ["conversation", "message", "generation"])
def test_nothing_of_a_conversation_is_added_by_hand(superuser: Client, kind: str) -> None:
    assert superuser.get(f"/admin/conversations/{kind}/add/").status_code == 403


def test_a_new_title_is_stored_and_nothing_else_is_written(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    conversation = answer(owner, model).conversation
    url = f"/admin/conversations/conversation/{conversation.pk}/change/"
    superuser.post(url, {"title": "Renamed", "_save": "Save"})
    before = conversation.updated_at
    conversation.refresh_from_db()
    assert (conversation.title, conversation.updated_at) == ("Renamed", before)


def test_a_conversation_is_deleted_with_all_that_is_in_it(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    pk = answer(owner, model).conversation_id
    superuser.post(f"/admin/conversations/conversation/{pk}/delete/", {"post": "yes"})
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_a_user_gets_a_new_password(superuser: Client, owner: User) -> None:
    url = f"/admin/accounts/user/{owner.pk}/password/"
    page(superuser, url)
    new = {"password1": "quite a new one", "password2": "quite a new one"}
    superuser.post(url, {**new, "usable_password": "true"})
    owner.refresh_from_db()
    assert owner.check_password("quite a new one")


def test_a_user_is_added(superuser: Client) -> None:
    new = {"password1": "quite a new one", "password2": "quite a new one"}
    inline = {"emailaddress_set-TOTAL_FORMS": "0", "emailaddress_set-INITIAL_FORMS": "0"}
    form = {"username": "ada", "usable_password": "true", **new, **inline}
    assert superuser.post("/admin/accounts/user/add/", form).status_code == 302
    assert User.objects.get(username="ada").check_password("quite a new one")


# --- Cancel -------------------------------------------------------------------------------------
def cancel(client: Client, *generations: Generation) -> Any:
    return client.post(
        "/admin/conversations/generation/",
        {"action": "cancel", "_selected_action": [str(made.pk) for made in generations]},
        follow=True,
    )


def running(owner: User, model: ChatModel) -> Generation:
    lease = timezone.now() + timedelta(seconds=60)
    return answer(owner, model, status="in_progress", lease_expires_at=lease)


def test_an_admin_cancels_what_runs_and_only_that(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    active, ended = running(owner, model), answer(owner, model)
    with connect_sync() as redis, redis.pubsub() as heard:
        heard.subscribe(cancel_channel())
        heard.get_message(timeout=5)
        assert (
            "1 generation was asked to stop." in cancel(superuser, active, ended).content.decode()
        )
        assert next_message(heard) == str(active.pk)
    active.refresh_from_db()
    ended.refresh_from_db()
    assert active.cancel_requested_at is not None
    assert ended.cancel_requested_at is None


def next_message(heard: Any) -> str:
    """The first cancel on the channel; a worker's ticks come in between."""
    for message in heard.listen():
        if message["type"] == "message" and message["data"] != b"tick":
            return str(message["data"].decode())
    raise AssertionError("the channel was closed")


def test_cancelling_what_has_ended_says_so(
    superuser: Client, owner: User, model: ChatModel
) -> None:
    answered = cancel(superuser, answer(owner, model)).content.decode()
    assert "all of these have ended" in answered


def test_who_may_only_look_does_not_cancel(client: Client, owner: User, model: ChatModel) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_generation"))
    client.force_login(viewer)
    made = running(owner, model)
    assert rows(page(client, "/admin/conversations/generation/")) == 0
    cancel(client, made)
    made.refresh_from_db()
    assert made.cancel_requested_at is None
