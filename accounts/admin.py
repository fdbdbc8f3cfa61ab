from __future__ import annotations

from collections.abc import Callable

from allauth.account.admin import EmailAddressAdmin as BaseEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.keys import revoke_keys
from accounts.models import ApiKey, User

# What a user's page says that they have. Packages that this one does not know add what they keep.
BELONGINGS: list[Callable[[User], str]] = []

# Both come from their own packages in Django's plain dress.
admin.site.unregister([Group, EmailAddress])


def link_to(model: str, label: str, **filters: object) -> str:
    url = reverse(f"admin:{model}_changelist")
    query = urlencode({name: str(value) for name, value in filters.items()})
    return format_html(
        '<a href="{}?{}" class="text-primary-600 underline">{}</a>', url, query, label
    )


class EmailAddressInline(TabularInline):
    model = EmailAddress
    extra = 0
    fields = ["email", "primary", "verified"]


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [EmailAddressInline]
    list_display = [
        "username",
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "date_joined",
        "last_login",
    ]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups", "date_joined", "last_login"]
    search_fields = ["username", "email", "first_name", "last_name"]
    date_hierarchy = "date_joined"
    ordering = ["-date_joined"]
    readonly_fields = ["date_joined", "last_login", "leaving_at", "belongings"]
    fieldsets = [
        *(BaseUserAdmin.fieldsets or []),
        ("Preferences", {"fields": ["language", "theme", "text_size"]}),
        ("What they have", {"fields": ["belongings", "leaving_at"]}),
    ]
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="belongings")
    def belongings(self, user: User) -> str:
        return format_html_join(" · ", "{}", ([line(user)] for line in BELONGINGS))


def api_keys(user: User) -> str:
    label = f"API keys: {user.api_keys.filter(revoked_at=None).count():,}"
    return link_to("accounts_apikey", label, owner__id__exact=user.pk)


BELONGINGS.append(api_keys)


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    pass


@admin.register(EmailAddress)
class EmailAddressAdmin(BaseEmailAddressAdmin, ModelAdmin):
    list_select_related = ["user"]
    autocomplete_fields = ["user"]
    raw_id_fields: list[str] = []
    show_full_result_count = False
    list_per_page = 50


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """Made by their owners, and by `manage.py create_api_key`: nobody else sees a secret."""

    list_display = ["name", "prefix", "owner", "may", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["last_used_at", "expires_at", "revoked_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "prefix", "owner__username", "owner__email"]
    date_hierarchy = "created_at"
    actions = ["revoke"]
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return obj is None and allowed

    @admin.display(description="may")
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scope_labels)

    @admin.action(description="Revoke the selected keys", permissions=["delete"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        revoked = revoke_keys(chosen)
        self.message_user(request, f"{revoked} keys do not work any more.")
