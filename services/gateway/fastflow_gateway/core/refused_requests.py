"""What is wrong with a request before anybody looks at what it asks for."""

from fastflow_events.message import Statement


class NoJsonType(Statement, frozen=True, tag="fault.no_json_type"):
    """A page of another site can send every other type unasked."""

    english = "the body is JSON and says so: Content-Type: application/json; it says {given}"
    given: str


class ChangedSince(Statement, frozen=True, tag="fault.changed_since"):
    """Somebody was faster."""

    english = "it was changed since it had the ETag in If-Match; read it again"


class TooMany(Statement, frozen=True, tag="fault.too_many"):
    """Others ask, too."""

    english = "too many requests; ask again in {after_s} s"
    after_s: int


class Busy(Statement, frozen=True, tag="fault.busy"):
    """Of all callers together."""

    english = "too many requests are being answered; ask again"


class AddressTooLong(Statement, frozen=True, tag="fault.address_too_long"):
    """Of a request."""

    english = "the address is longer than 8192 bytes"


class HeadTooLarge(Statement, frozen=True, tag="fault.head_too_large"):
    """Of a request."""

    english = "there are at most 100 headers, in 16384 bytes"


class TooLate(Statement, frozen=True, tag="fault.too_late"):
    """A connection costs its other side nothing."""

    english = "the request did not come to its end in time"


class UnreadableRequest(Statement, frozen=True, tag="fault.unreadable_request"):
    """Not even its head."""

    english = "this is no request of HTTP/1.1"


class NoSuchParameter(Statement, frozen=True, tag="fault.no_such_parameter"):
    """Of a query; a misspelt filter would otherwise filter nothing."""

    english = "there is no query parameter {name} here"
    name: str


class ParameterLike(Statement, frozen=True, tag="fault.parameter_like"):
    """Of a query; a misspelt filter would otherwise filter nothing."""

    english = "there is no query parameter {name} here; did you mean {like}?"
    name: str
    like: str


class ParameterTwice(Statement, frozen=True, tag="fault.parameter_twice"):
    """Nobody knows which one counts."""

    english = "the query parameter {name} is given once"
    name: str


class Unreadable(Statement, frozen=True, tag="fault.unreadable"):
    """Of a query or the headers; each is said beside it."""

    english = "this cannot be read: {names}"
    names: tuple[str, ...]


class NameLetters(Statement, frozen=True, tag="fault.name_letters"):
    """Of what people name."""

    english = "a name is 1 to {most} letters, digits, dots, dashes and underscores"
    most: int
