"""What may be asked of the whole installation."""

from typing import TypeAlias

from msgspec import Struct


class PauseEverything(Struct, frozen=True, kw_only=True):
    """Start nothing new."""

    who: str
    why: str = ""


class ResumeEverything(Struct, frozen=True, kw_only=True):
    """Go on."""

    who: str


SettingCommand: TypeAlias = PauseEverything | ResumeEverything
