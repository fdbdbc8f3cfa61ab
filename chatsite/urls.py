from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import TemplateView

from accounts import key_pages
from api import documented
from api.urls import api
from chatsite import errors, health, home_screen
from chatsite.metrics import metrics
from chatsite.policy import with_admin_policy, with_diagram_policy

# The admin's own form would be a second door, without the limits on guessing passwords.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", include("conversations.urls")),
    path("api/v1/docs", documented.page, name="api_docs"),
    path("api/v1/", api.urls),
    path("v1/", include("api.openai.urls")),
    # With DEBUG, Django would answer with a page for people.
    re_path(r"^(?:api/)?v1/", errors.nowhere),
    path("accounts/keys/", key_pages.keys, name="account_keys"),
    path("accounts/keys/<uuid:key_id>/revoke/", key_pages.revoke, name="account_key_revoke"),
    path("accounts/", include("allauth.urls")),
    path("admin/", with_admin_policy(admin.site.urls)),
    path("manifest.webmanifest", home_screen.manifest, name="manifest"),
    path("icons/<slug:name>.png", home_screen.icon, name="icon"),
    path("service-worker.js", home_screen.service_worker, name="service_worker"),
    path("offline/", home_screen.offline, name="offline"),
    path(
        "diagram/",
        with_diagram_policy(TemplateView.as_view(template_name="diagram.html")),
        name="diagram",
    ),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", metrics),
]

handler400 = "chatsite.errors.bad_request"
handler404 = "chatsite.errors.not_found"
handler500 = "chatsite.errors.server_error"
