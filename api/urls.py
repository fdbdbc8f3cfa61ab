"""`/api/v1/`: what the page does beside the socket, and what programs do with a key."""

from api import (
    account,
    attachments,
    conversations,
    errors,
    exports,
    feedback,
    folders,
    generations,
    imports,
    library,
    messages,
    models,
    preferences,
    search,
    settings,
    shares,
)
from api.agui import router as agui
from api.auth import SESSION, KeyAuth
from api.documented import DocumentedAPI
from api.parsing import StrictParser

api = DocumentedAPI(
    title="Chatsite",
    version="1",
    urls_namespace="api",
    docs_url=None,
    auth=[KeyAuth(), SESSION],
    parser=StrictParser(),
)
errors.register(api)
api.add_router("/attachments", attachments.router)
api.add_router("/conversations", conversations.router)
api.add_router("/folders", folders.router)
api.add_router("/conversations", shares.of_conversations)
api.add_router("/shares", shares.router)
api.add_router("/me", preferences.router, auth=SESSION)
api.add_router("/conversations", exports.of_conversations)
api.add_router("/export", exports.router)
api.add_router("/conversations", messages.router)
api.add_router("/conversations", settings.router)
api.add_router("/prompts", library.prompts)
api.add_router("/presets", library.presets)
api.add_router("/imports", imports.router)
api.add_router("/messages", feedback.router)
api.add_router("/search", search.router)
api.add_router("/generations", generations.router)
api.add_router("/messages", generations.of_messages)
api.add_router("/account", account.router, auth=SESSION)
api.add_router("/models", models.router)
api.add_router("/ag-ui", agui.router)
