"""What an answer may turn to besides its model: things that only the caller knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Without a collaborator, the tools that need it say that they cannot work here."""


NOTHING = Surroundings()
