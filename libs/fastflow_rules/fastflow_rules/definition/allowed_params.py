"""What would be right for a parameter in place of what was found."""

from fastflow_events.message import Statement


class OneOf(Statement, frozen=True, tag="allowed.one_of"):
    """Many that are allowed, as JSON has them."""

    english = "one of {options}"
    options: tuple[str, ...]


class Declared(Statement, frozen=True, tag="allowed.declared"):
    """Parameters."""

    english = "those it declares"


class DeclaredAs(Statement, frozen=True, tag="allowed.declared_as"):
    """Parameters, and the one that looks most like it."""

    english = "those it declares; did you mean {name}?"
    name: str


class AValue(Statement, frozen=True, tag="allowed.a_value"):
    """It is required."""

    english = "a value: {kind}"
    kind: Statement


class AText(Statement, frozen=True, tag="allowed.a_text"):
    """Of a parameter."""

    english = "text"


class AWholeNumber(Statement, frozen=True, tag="allowed.a_whole_number"):
    """Of a parameter."""

    english = "a whole number"


class ANumber(Statement, frozen=True, tag="allowed.a_number"):
    """Of a parameter."""

    english = "a number"


class ADate(Statement, frozen=True, tag="allowed.a_date"):
    """Of a parameter."""

    english = 'a date, as in "2026-01-31"'


class AnInstant(Statement, frozen=True, tag="allowed.an_instant"):
    """Of a parameter."""

    english = 'an instant, as in "2026-01-31T08:00:00Z"'


class ParamName(Statement, frozen=True, tag="allowed.param_name"):
    """Of a parameter."""

    english = "a name of an environment variable"
