from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who can log in. Everything that belongs to a user is reached through its owner."""

    class Theme(models.TextChoices):
        SYSTEM = "system"
        LIGHT = "light"
        DARK = "dark"

    class TextSize(models.TextChoices):
        SMALL = "small"
        MEDIUM = "medium"
        LARGE = "large"
        LARGEST = "largest"

    language = models.CharField(
        max_length=16, blank=True, help_text="A code such as `fr`; empty: the browser's."
    )
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    text_size = models.CharField(max_length=8, choices=TextSize, default=TextSize.MEDIUM)

    @property
    def name(self) -> str:
        return self.get_full_name() or self.get_username()
