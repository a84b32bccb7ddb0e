"""What is wrong with what shall be different of a run that is wanted once more."""

from fastflow_events.message import Statement


class SetAndUnset(Statement, frozen=True, tag="fault.set_and_unset"):
    """One of both is meant."""

    english = "the same name is given a value"


class NothingToUnset(Statement, frozen=True, tag="fault.nothing_to_unset"):
    """It may be misspelt."""

    english = "the run had no variable or param of this name"


class PriorityMissing(Statement, frozen=True, tag="fault.priority_missing"):
    """Of a place in the queue."""

    english = "prioritise needs a priority"


class OnlyOfAction(Statement, frozen=True, tag="fault.only_of_action"):
    """Another action knows nothing of it."""

    english = "this goes with the action {actions} only"
    actions: str


class IdsOrFilter(Statement, frozen=True, tag="fault.ids_or_filter"):
    """Of many runs."""

    english = "either ids or a filter says which runs are meant"


class TooManyLike(Statement, frozen=True, tag="fault.too_many_like"):
    """It may be a mistake."""

    english = "{found} runs are like this and {most} are taken at most; ask for less"
    found: int
    most: int
