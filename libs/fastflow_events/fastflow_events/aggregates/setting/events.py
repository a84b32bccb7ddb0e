"""The facts of the whole installation."""

from fastflow_events.fact import Fact, wire

MAIN = "main"


@wire("settings.paused.v1")
class SettingsPaused(Fact, frozen=True, kw_only=True):
    """Nothing new starts and no schedule fires, until somebody resumes; what runs goes on."""

    who: str
    why: str = ""


@wire("settings.resumed.v1")
class SettingsResumed(Fact, frozen=True, kw_only=True):
    """Everything goes on."""

    who: str
