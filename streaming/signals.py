"""A log-out, a deactivation, a new password, a revoked key and a deletion reach the user's open
tabs and readers at once."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save
from django.db.transaction import on_commit
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.keys import keys_revoked
from accounts.models import ApiKey, User
from conversations.models import Conversation
from streaming.identity import CHECK_IDENTITY
from streaming.news import announce_deletion, publish


@receiver(user_logged_out)
def after_logout(user: User | None, request: HttpRequest, **_: Any) -> None:
    if user is not None:
        # Django sends this before it deletes the session, so the sockets could still find it.
        request.session.delete()
        check_sockets_of(user.pk)


@receiver(post_save, sender=User)
def after_change(
    instance: User, created: bool, update_fields: frozenset[str] | None, **_: Any
) -> None:
    # Every log-in saves `last_login`, which changes nothing for a socket.
    if not created and update_fields != frozenset({"last_login"}):
        on_commit(lambda: check_sockets_of(instance.pk))


@receiver(post_delete, sender=User)
def after_delete(instance: User, **_: Any) -> None:
    user_id = instance.pk
    on_commit(lambda: check_sockets_of(user_id))


@receiver(keys_revoked)
def after_revocation(owner: int, **_: Any) -> None:
    on_commit(lambda: check_sockets_of(owner))


@receiver(post_delete, sender=ApiKey)
def after_key(instance: ApiKey, **_: Any) -> None:
    owner = instance.owner_id
    on_commit(lambda: check_sockets_of(owner))


@receiver(post_delete, sender=Conversation)
def after_deletion(instance: Conversation, **_: Any) -> None:
    announce_deletion(instance)


def check_sockets_of(user_id: int) -> None:
    # Should this get lost: every socket asks again within half a minute anyway.
    publish(user_id, CHECK_IDENTITY)
