"""What needs somebody: each a statement of its own."""

from fastflow_events.message import Statement


class RepositorySick(Statement, frozen=True, tag="warning.repository_sick"):
    """Its head cannot be read."""

    english = "repository {name} could not be read: {reason}"
    name: str
    reason: Statement


class RunnerSilent(Statement, frozen=True, tag="warning.runner_silent"):
    """Its runs are lost unless it comes back."""

    english = "runner {name} gives no sign of life and has {runs, plural, one {# run} other {# runs}} in hand"
    name: str
    runs: int


class NobodyExecutes(Statement, frozen=True, tag="warning.nobody_executes"):
    """Runs wait for somebody."""

    english = "no runner is alive"


class LettersOpen(Statement, frozen=True, tag="warning.letters_open"):
    """Somebody has to look at them."""

    english = "{letters, plural, one {# message} other {# messages}} could not be handled"
    letters: int


class FiresMissed(Statement, frozen=True, tag="warning.fires_missed"):
    """Of schedules, within a day."""

    english = "{fires, plural, one {# fire} other {# fires}} of schedules did not happen within the last day"
    fires: int


class PipelineUnusable(Statement, frozen=True, tag="warning.pipeline_unusable"):
    """Its files are wrong."""

    english = "pipeline {name} is invalid and never runs: {reason}"
    name: str
    reason: Statement


class FactsSetAside(Statement, frozen=True, tag="warning.facts_set_aside"):
    """Nothing is decided about what they are of."""

    english = (
        "{facts, plural, one {# fact} other {# facts}} cannot be read, and nothing is decided about what they are of"
    )
    facts: int


class FailuresOpen(Statement, frozen=True, tag="warning.failures_open"):
    """No success has followed them."""

    english = "{pipelines, plural, one {# pipeline fails} other {# pipelines fail}}"
    pipelines: int


class LogFullSoon(Statement, frozen=True, tag="warning.log_full_soon"):
    """At this rate."""

    english = "the log is full in {days} days"
    days: float
