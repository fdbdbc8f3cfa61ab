"""The admin's name, colours and menu. The colours are those of the chat page."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def item(title: str, icon: str, model: str) -> dict[str, Any]:
    """An entry of the menu for `app_model`; staff without the right to see it do not."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": may_see(model),
    }


def may_see(model: str) -> Callable[[HttpRequest], bool]:
    app, _, name = model.partition("_")
    return lambda request: request.user.has_perm(f"{app}.view_{name}")


def environment(request: HttpRequest) -> list[str] | None:
    return ["Development", "warning"] if settings.DEBUG else None


def icon(request: HttpRequest) -> str:
    return static("icon.svg")


def admin_styles(request: HttpRequest) -> str:
    return static("css/admin.css")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Chatsite",
    "SITE_HEADER": "Chatsite",
    "SITE_SUBHEADER": "Administration",
    "SITE_SYMBOL": "forum",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "STYLES": [admin_styles],
    "ENVIRONMENT": "chatsite.unfold.environment",
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "base": {
            "50": "oklch(99.2% .003 85)",
            "100": "oklch(97.6% .004 85)",
            "200": "oklch(91.5% .006 85)",
            "300": "oklch(84% .007 82)",
            "400": "oklch(72% .01 80)",
            "500": "oklch(53% .01 75)",
            "600": "oklch(45% .01 75)",
            "700": "oklch(36% .009 70)",
            "800": "oklch(27% .009 70)",
            "900": "oklch(21.5% .006 70)",
            "950": "oklch(18.5% .006 70)",
        },
        "primary": {
            "50": "oklch(97.5% .012 195)",
            "100": "oklch(95% .022 195)",
            "200": "oklch(90% .045 195)",
            "300": "oklch(84% .07 192)",
            "400": "oklch(76% .1 190)",
            "500": "oklch(62% .1 193)",
            "600": "oklch(53% .095 195)",
            "700": "oklch(46% .083 196)",
            "800": "oklch(39% .07 196)",
            "900": "oklch(33% .055 197)",
            "950": "oklch(25% .04 198)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "Chats",
                "items": [
                    item("Conversations", "forum", "conversations_conversation"),
                    item("Folders", "folder", "conversations_folder"),
                    item("Messages", "chat_bubble", "conversations_message"),
                    item("Generations", "bolt", "conversations_generation"),
                    item("Attachments", "attach_file", "conversations_attachment"),
                    item("Feedback", "thumbs_up_down", "conversations_feedback"),
                    item("Shares", "link", "conversations_share"),
                    item("Imports", "upload", "conversations_import"),
                    item("Prompts", "short_text", "conversations_prompt"),
                    item("Presets", "tune", "conversations_preset"),
                    item("History summaries", "summarize", "conversations_historysummary"),
                ],
            },
            {
                "title": "Models",
                "separator": True,
                "items": [
                    item("Chat models", "smart_toy", "llm_chatmodel"),
                    item("Providers", "cloud", "llm_provider"),
                    item("MCP servers", "extension", "llm_toolserver"),
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [
                    item("Users", "person", "accounts_user"),
                    item("Groups", "group", "auth_group"),
                    item("API keys", "key", "accounts_apikey"),
                    item("E-mail addresses", "mail", "account_emailaddress"),
                ],
            },
        ],
    },
}
