import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from chatsite.origin import SameOrigin  # noqa: E402
from chatsite.static_files import StaticFiles  # noqa: E402
from streaming.consumers import ChatConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": StaticFiles(pages),
        "websocket": SameOrigin(URLRouter([path("ws/chat/", ChatConsumer.as_asgi())])),
    }
)
