"""What is wrong with a request, each fault a statement of its own."""

from fastflow_events.message import Statement


class NotJson(Statement, frozen=True, tag="fault.not_json"):
    """In the words of who reads it."""

    english = "the body is not JSON: {error}"
    error: str


class BodyTooDeep(Statement, frozen=True, tag="fault.body_too_deep"):
    """Some reader would give up."""

    english = "the body is nested more than {most} deep"
    most: int


class NoSuchMember(Statement, frozen=True, tag="fault.no_such_member"):
    """Of the body."""

    english = "there is no such member"


class TwoNames(Statement, frozen=True, tag="fault.two_names"):
    """An older name and the one of today."""

    english = "given under two names with different content"


class NoRunConfiguration(Statement, frozen=True, tag="fault.no_run_configuration"):
    """None of its schedules has that id."""

    english = "the pipeline has no such run configuration"


class OtherRunConfigurations(Statement, frozen=True, tag="fault.other_run_configurations"):
    """None of its schedules has that id."""

    english = "the pipeline has no such run configuration; it has: {known}"
    known: tuple[str, ...]


class NoRunConfigurations(Statement, frozen=True, tag="fault.no_run_configurations"):
    """It has no schedules."""

    english = "the pipeline has no such run configuration; it has: none"


class NextHasNoRunConfiguration(Statement, frozen=True, tag="fault.next_has_no_run_configuration"):
    """None of its schedules has that id."""

    english = "the next pipeline has no such run configuration"


class ScheduleInFile(Statement, frozen=True, tag="fault.schedule_in_file"):
    """Files come first."""

    english = "pipeline.json has a schedule of this name"


class UnknownZone(Statement, frozen=True, tag="fault.unknown_zone"):
    """It has a list of its own."""

    english = '{parameter}: not a name of the time zone database, as in "Europe/Berlin"'
    parameter: str


class EndsBeforeItBegins(Statement, frozen=True, tag="fault.ends_before_it_begins"):
    """A window of time."""

    english = "{parameter}: later than where it begins, and at most {days} days"
    parameter: str
    days: int


class NoSuchInclude(Statement, frozen=True, tag="fault.no_such_include"):
    """Of a list."""

    english = "include takes {known}"
    known: tuple[str, ...]


class BackfillRange(Statement, frozen=True, tag="fault.backfill_range"):
    """Of a backfill."""

    english = "a range of instants with time zones, after before until"


class TooFarAhead(Statement, frozen=True, tag="fault.too_far_ahead"):
    """Of a backfill."""

    english = "an instant of the next thirty years at most"


class Concurrency(Statement, frozen=True, tag="fault.concurrency"):
    """Runs at once."""

    english = "from 1 to {most}"
    most: int


class TooManyInstants(Statement, frozen=True, tag="fault.too_many_instants"):
    """Of a backfill."""

    english = "more than {most} instants; ask for shorter ranges"
    most: int


class RouteLength(Statement, frozen=True, tag="fault.route_length"):
    """Of a route."""

    english = "1 to {most} characters, not blank"
    most: int


class TokenGivenTwice(Statement, frozen=True, tag="fault.token_given_twice"):
    """Nobody knows which one counts."""

    english = "a token is given once, not as {first} and {second}"
    first: str
    second: str


class FileName(Statement, frozen=True, tag="fault.file_name"):
    """Of a file with a secret."""

    english = "the name of a file, without folders"


class KnownHosts(Statement, frozen=True, tag="fault.known_hosts"):
    """Keys of hosts."""

    english = "lines as in known_hosts: host, kind of key, key"


class TokenOfAnotherAddress(Statement, frozen=True, tag="fault.token_of_another_address"):
    """It would be sent elsewhere."""

    english = "this token was given for {url}; another address needs it again"
    url: str


class NoTokenNeeded(Statement, frozen=True, tag="fault.no_token_needed"):
    """Nobody is asked."""

    english = "a folder of this machine needs no token"


class ValueAlone(Statement, frozen=True, tag="fault.value_alone"):
    """It is sealed here."""

    english = "with a value there is nothing else to say"


class ValueOrSealed(Statement, frozen=True, tag="fault.value_or_sealed"):
    """Of a secret."""

    english = "give a value, or a sealed text and the version it was sealed for"


class UnknownKey(Statement, frozen=True, tag="fault.unknown_key"):
    """Nobody could open it."""

    english = "it was sealed for a key that no runner has ever published"


class SecretName(Statement, frozen=True, tag="fault.secret_name"):
    """It becomes one."""

    english = "a secret is named like an environment variable: letters, digits and _"


class VariableFixed(Statement, frozen=True, tag="fault.variable_fixed"):
    """Its name is one of ours."""

    english = "{name} is set for every run and cannot be changed"
    name: str


class Several(Statement, frozen=True, tag="fault.several"):
    """What is wrong, one after the other."""

    english = "{problems}"
    problems: tuple[Statement, ...]


class OfParam(Statement, frozen=True, tag="fault.of_param"):
    """Which one is said beside it."""

    english = "found {found}; allowed: {allowed}"
    found: Statement
    allowed: Statement


class AnInstant(Statement, frozen=True, tag="fault.an_instant"):
    """Of a query."""

    english = "{name} is an instant, as in 2026-01-31T08:00:00Z"
    name: str


class NoCursor(Statement, frozen=True, tag="fault.no_cursor"):
    """Pages are asked for with what the page before said."""

    english = "not a cursor of ours"


class NoHooks(Statement, frozen=True, tag="fault.no_hooks"):
    """Others have no messages of their own."""

    english = "there are hooks for {hosts}"
    hosts: tuple[str, ...]


class NoSuchFacts(Statement, frozen=True, tag="fault.no_such_facts"):
    """No fact has that name."""

    english = "there are no such facts"


class IdAlone(Statement, frozen=True, tag="fault.id_alone"):
    """Ids are those of an aggregate."""

    english = "an id says nothing without its aggregate"


class NoAggregate(Statement, frozen=True, tag="fault.no_aggregate"):
    """No fact is of one."""

    english = "there is no such kind of aggregate"


class WhichRepository(Statement, frozen=True, tag="fault.which_repository"):
    """There are several."""

    english = "say which repository: {names}"
    names: tuple[str, ...]


class NoPush(Statement, frozen=True, tag="fault.no_push"):
    """Of a Git host."""

    english = "the message names no repository or no branch"


class MessageNotJson(Statement, frozen=True, tag="fault.message_not_json"):
    """Of a Git host."""

    english = "the message is not JSON"


class MessageNoObject(Statement, frozen=True, tag="fault.message_no_object"):
    """Of a Git host."""

    english = "the message is not a JSON object"


class OutputPlace(Statement, frozen=True, tag="fault.output_place"):
    """Where reading goes on."""

    english = "a place in the output is written <attempt>.<line>"


class LivePlace(Statement, frozen=True, tag="fault.live_place"):
    """Where a live stream goes on."""

    english = "the id of an event of /api/live is wanted"


class LiveOfRun(Statement, frozen=True, tag="fault.live_of_run"):
    """Lines and samples are of one."""

    english = "say which run, too"


class OtherOrigin(Statement, frozen=True, tag="fault.other_origin"):
    """A browser would do it for somebody else."""

    english = "a page of another origin may not change anything here"


class Bug(Statement, frozen=True, tag="fault.bug"):
    """Nobody thought of it."""

    english = "this is our fault; the log says more"


class OfParameter(Statement, frozen=True, tag="fault.of_parameter"):
    """Of a query or a header, in the words of who reads it."""

    english = "{name}: {problem}"
    name: str
    problem: str
