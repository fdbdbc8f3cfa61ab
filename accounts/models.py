from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Somebody who can log in. Everything that belongs to a user is reached through its owner."""

    @property
    def name(self) -> str:
        return self.get_full_name() or self.get_username()
