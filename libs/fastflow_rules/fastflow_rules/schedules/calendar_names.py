"""Names of days and months, each a statement, so that other languages have theirs; and how they are strung together."""

from fastflow_events.message import Statement


class Monday(Statement, frozen=True, tag="calendar.monday"):
    """A day of the week."""

    english = "Monday"


class Tuesday(Statement, frozen=True, tag="calendar.tuesday"):
    """A day of the week."""

    english = "Tuesday"


class Wednesday(Statement, frozen=True, tag="calendar.wednesday"):
    """A day of the week."""

    english = "Wednesday"


class Thursday(Statement, frozen=True, tag="calendar.thursday"):
    """A day of the week."""

    english = "Thursday"


class Friday(Statement, frozen=True, tag="calendar.friday"):
    """A day of the week."""

    english = "Friday"


class Saturday(Statement, frozen=True, tag="calendar.saturday"):
    """A day of the week."""

    english = "Saturday"


class Sunday(Statement, frozen=True, tag="calendar.sunday"):
    """A day of the week."""

    english = "Sunday"


class January(Statement, frozen=True, tag="calendar.january"):
    """A month."""

    english = "January"


class February(Statement, frozen=True, tag="calendar.february"):
    """A month."""

    english = "February"


class March(Statement, frozen=True, tag="calendar.march"):
    """A month."""

    english = "March"


class April(Statement, frozen=True, tag="calendar.april"):
    """A month."""

    english = "April"


class May(Statement, frozen=True, tag="calendar.may"):
    """A month."""

    english = "May"


class June(Statement, frozen=True, tag="calendar.june"):
    """A month."""

    english = "June"


class July(Statement, frozen=True, tag="calendar.july"):
    """A month."""

    english = "July"


class August(Statement, frozen=True, tag="calendar.august"):
    """A month."""

    english = "August"


class September(Statement, frozen=True, tag="calendar.september"):
    """A month."""

    english = "September"


class October(Statement, frozen=True, tag="calendar.october"):
    """A month."""

    english = "October"


class November(Statement, frozen=True, tag="calendar.november"):
    """A month."""

    english = "November"


class December(Statement, frozen=True, tag="calendar.december"):
    """A month."""

    english = "December"


class Span(Statement, frozen=True, tag="calendar.span"):
    """Several that follow each other."""

    english = "{first} to {last}"
    first: Statement
    last: Statement


class And(Statement, frozen=True, tag="calendar.and"):
    """One more."""

    english = "{before}, {one}"
    before: Statement
    one: Statement


WEEKDAYS: tuple[Statement, ...] = (Monday(), Tuesday(), Wednesday(), Thursday(), Friday(), Saturday(), Sunday())
MONTHS: tuple[Statement, ...] = (
    *(January(), February(), March(), April(), May(), June()),
    *(July(), August(), September(), October(), November(), December()),
)
