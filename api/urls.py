"""`/api/v1/`: what the page does beside the socket, for a logged-in user of this site."""

from ninja import NinjaAPI
from ninja.security import SessionAuth

from api import (
    attachments,
    conversations,
    errors,
    exports,
    folders,
    imports,
    library,
    preferences,
    search,
    settings,
    shares,
)

api = NinjaAPI(
    title="Chatsite",
    version="1",
    urls_namespace="api",
    docs_url=None,
    auth=SessionAuth(csrf=True),
)
errors.register(api)
api.add_router("/attachments", attachments.router)
api.add_router("/conversations", conversations.router)
api.add_router("/folders", folders.router)
api.add_router("/conversations", shares.of_conversations)
api.add_router("/shares", shares.router)
api.add_router("/me", preferences.router)
api.add_router("/conversations", exports.of_conversations)
api.add_router("/export", exports.router)
api.add_router("/conversations", settings.router)
api.add_router("/prompts", library.prompts)
api.add_router("/presets", library.presets)
api.add_router("/imports", imports.router)
api.add_router("/search", search.router)
