"""What was named and is not there."""

from fastflow_events.message import Statement


class NoSuchRun(Statement, frozen=True, tag="absent.no_such_run"):
    """Nobody ever asked for it."""

    english = "there is no such run"


class NoSuchPipeline(Statement, frozen=True, tag="absent.no_such_pipeline"):
    """No folder has its name."""

    english = "there is no such pipeline"


class NoSuchRepository(Statement, frozen=True, tag="absent.no_such_repository"):
    """Nobody watches it."""

    english = "there is no such repository"


class NoSuchEnvironment(Statement, frozen=True, tag="absent.no_such_environment"):
    """Nobody ever needed it."""

    english = "there is no such environment"


class NoSuchSecret(Statement, frozen=True, tag="absent.no_such_secret"):
    """Nobody ever set it."""

    english = "there is no such secret"


class NoSuchBackfill(Statement, frozen=True, tag="absent.no_such_backfill"):
    """Nobody ever asked for it."""

    english = "there is no such backfill"


class NoSuchChain(Statement, frozen=True, tag="absent.no_such_chain"):
    """Nothing starts the one after the other."""

    english = "there is no such chain"


class NoChainOfApi(Statement, frozen=True, tag="absent.no_chain_of_api"):
    """Chains of files are changed in their files."""

    english = "there is no such chain that was set over the API"


class NoScheduleOfApi(Statement, frozen=True, tag="absent.no_schedule_of_api"):
    """Schedules of files are changed in their files."""

    english = "there is no such schedule that was set over the API"


class NoSuchToken(Statement, frozen=True, tag="absent.no_such_token"):
    """Nobody ever made it."""

    english = "there is no such token"
