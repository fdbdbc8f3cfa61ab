from django.urls import path

from conversations import data_views, share_views, views
from conversations.attachments.views import file

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("accounts/data/", data_views.page, name="account_data"),
    path("s/<str:token>/", share_views.page, name="share"),
    path(
        "s/<str:token>/attachments/<uuid:file_id>/",
        share_views.attachment,
        name="shared-attachment",
    ),
    path("attachments/<uuid:attachment_id>/", file, name="attachment"),
]
