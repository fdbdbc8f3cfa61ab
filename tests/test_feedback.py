"""What the owner thinks of an answer, through the API."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from conversations.models import Feedback
from conversations.windows import newest
from tests.rows import answered

pytestmark = pytest.mark.database


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def put(client: Client, message: object, **body: Any) -> Any:
    url = f"/api/v1/messages/{message}/feedback"
    return client.put(url, body, content_type="application/json")


def test_the_owner_rates_an_answer_and_thinks_again(owner: User) -> None:
    made = answered(owner)
    client = client_of(owner)
    assert put(client, made.reply.pk, rating=1).json() == {"rating": 1, "comment": ""}
    again = put(client, made.reply.pk, rating=-1, comment=" Wrong ")
    assert again.json() == {"rating": -1, "comment": "Wrong"}
    question, answer = newest(made.conversation)["messages"]
    assert (question["feedback"], answer["feedback"]) == (None, {"rating": -1, "comment": "Wrong"})
    assert client.delete(f"/api/v1/messages/{made.reply.pk}/feedback").status_code == 204
    assert not Feedback.objects.exists()


def test_a_stranger_cannot_rate_the_owners_answer(owner: User, stranger: User) -> None:
    made = answered(owner)
    put(client_of(owner), made.reply.pk, rating=1)
    client = client_of(stranger)
    assert put(client, made.reply.pk, rating=-1).status_code == 404
    assert client.delete(f"/api/v1/messages/{made.reply.pk}/feedback").status_code == 404
    assert Feedback.objects.get().rating == 1


def test_only_answers_can_be_rated(owner: User) -> None:
    made = answered(owner)
    refused = put(client_of(owner), made.message.pk, rating=1)
    assert (refused.status_code, refused.json()["code"]) == (400, "not_an_answer")


@pytest.mark.parametrize(
    "body",
    [{}, {"rating": 2}, {"rating": 1, "comment": "x" * 2001}, {"rating": 1, "comment": "\0"}],
)
def test_other_feedback_is_refused(owner: User, body: dict[str, Any]) -> None:
    made = answered(owner)
    assert put(client_of(owner), made.reply.pk, **body).status_code == 422
    assert not Feedback.objects.exists()


def test_admins_see_feedback_with_its_answer(owner: User, settings: Settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    made = answered(owner)
    put(client_of(owner), made.reply.pk, rating=-1, comment="Wrong")
    owner.is_staff = owner.is_superuser = True
    owner.save()
    client = client_of(owner)
    page = client.get("/admin/conversations/feedback/?rating__exact=-1").content.decode()
    assert "Wrong" in page
    one = client.get(f"/admin/conversations/feedback/{Feedback.objects.get().pk}/change/")
    assert "Good day" in one.content.decode()
