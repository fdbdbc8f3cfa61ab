from django.urls import path

from api.openai import views

urlpatterns = [
    path("models", views.models),
    path("models/<path:slug>", views.model),
    path("chat/completions", views.completions),
]
