"""The rules of the whole installation: paused or not."""

from msgspec import Struct

from fastflow_events.aggregates.setting.commands import PauseEverything, ResumeEverything, SettingCommand
from fastflow_events.aggregates.setting.events import SettingsPaused, SettingsResumed
from fastflow_events.decider import Decider
from fastflow_events.fact import Fact


class Installation(Struct, frozen=True, kw_only=True):
    """What the rules need to know."""

    paused: bool = False


def decide(command: SettingCommand, installation: Installation) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so". Never refuses."""
    match command:
        case PauseEverything(who=who, why=why):
            return [] if installation.paused else [SettingsPaused(who=who, why=why)]
        case ResumeEverything(who=who):
            return [SettingsResumed(who=who)] if installation.paused else []


def evolve(installation: Installation, fact: Fact) -> Installation:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case SettingsPaused() | SettingsResumed():
            return Installation(paused=isinstance(fact, SettingsPaused))
        case _:
            return installation


setting_decider: Decider[SettingCommand, Installation] = Decider(
    aggregate="settings", initial=Installation(), decide=decide, evolve=evolve
)
