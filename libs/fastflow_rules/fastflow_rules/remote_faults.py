"""What is wrong with the address of a repository, its branch or its folder."""

from fastflow_events.message import Statement


class NoAddress(Statement, frozen=True, tag="remote.no_address"):
    """Of a repository."""

    english = "the url is no address of a repository; allowed are {allowed}"
    allowed: str


class PasswordInUrl(Statement, frozen=True, tag="remote.password_in_url"):
    """Addresses are shown."""

    english = "the url holds a password; a token is given beside the url, never in it"


class QueryInUrl(Statement, frozen=True, tag="remote.query_in_url"):
    """Of a repository."""

    english = "the url has a query, which no address of a repository has"


class UserInUrl(Statement, frozen=True, tag="remote.user_in_url"):
    """Of a repository."""

    english = "the user in the url has to be letters, digits and . _ + -"


class DotsInPath(Statement, frozen=True, tag="remote.dots_in_path"):
    """It could mean another one."""

    english = 'the path of the url holds "." or ".."'


class NoPort(Statement, frozen=True, tag="remote.no_port"):
    """Of a repository."""

    english = "the url has a port that is no port"


class NoBranchName(Statement, frozen=True, tag="remote.no_branch_name"):
    """Of a repository."""

    english = "the branch has no name a branch may have"


class NoSubfolder(Statement, frozen=True, tag="remote.no_subfolder"):
    """Of a repository."""

    english = "the subfolder has to be a folder inside the repository, as in team/pipelines"


class NoHost(Statement, frozen=True, tag="remote.no_host"):
    """Of a host."""

    english = "the url names no host: letters, digits, hyphens and dots are allowed"


class TwoReadings(Statement, frozen=True, tag="remote.two_readings"):
    """Of a host."""

    english = 'the host is read in two ways; give it in ASCII, as in "xn--bcher-kva.example"'


class NoHostName(Statement, frozen=True, tag="remote.no_host_name"):
    """Of a host."""

    english = 'the host is no name; give it in ASCII, as in "xn--bcher-kva.example"'


class AddressInFull(Statement, frozen=True, tag="remote.address_in_full"):
    """Of a host."""

    english = 'an address is written in full, as in "192.0.2.1" or "[2001:db8::1]"'
