"""What keeps Git from talking to the host of a repository, or the host from answering."""

from fastflow_events.message import Statement


class Moved(Statement, frozen=True, tag="git.moved"):
    """Its host says so."""

    english = (
        "the repository at {url} has moved, and redirects need FASTFLOW_GIT_ALLOW_REDIRECTS, those of an "
        "address given over the API FASTFLOW_GIT_ALLOW_PRIVATE too"
    )
    url: str


class NoBranch(Statement, frozen=True, tag="git.no_branch"):
    """It was deleted, or never there."""

    english = 'the repository has no branch "{branch}"'
    branch: str


class CredentialsRefused(Statement, frozen=True, tag="git.credentials_refused"):
    """Its host says so."""

    english = "the repository at {url} refuses these credentials, or wants some"
    url: str


class HostKey(Statement, frozen=True, tag="git.host_key"):
    """Somebody could be in between."""

    english = "the host key of {url} is not trusted; give the host's public keys as known_hosts"
    url: str


class SshKeyRefused(Statement, frozen=True, tag="git.ssh_key_refused"):
    """Its host says so."""

    english = "the repository at {url} refuses the SSH key"
    url: str


class UnknownHost(Statement, frozen=True, tag="git.unknown_host"):
    """Nobody has that name."""

    english = "the host of {url} is not known"
    url: str


class NothingAnswers(Statement, frozen=True, tag="git.nothing_answers"):
    """Nobody listens there."""

    english = "nothing answers at {url}"
    url: str


class BrokeOff(Statement, frozen=True, tag="git.broke_off"):
    """It is tried again."""

    english = "the connection to {url} broke off"
    url: str


class NoRepositoryAt(Statement, frozen=True, tag="git.no_repository_at"):
    """Its host says so."""

    english = "there is no repository at {url}"
    url: str


class Certificate(Statement, frozen=True, tag="git.certificate"):
    """Somebody could be in between."""

    english = "the certificate of {url} is not trusted"
    url: str


class ProtocolRefused(Statement, frozen=True, tag="git.protocol_refused"):
    """Of a repository."""

    english = "the address {url} uses a protocol that is not allowed"
    url: str


class DiskFull(Statement, frozen=True, tag="git.disk_full"):
    """Of the machine of git_sync."""

    english = "the disk is full"


class GitFailed(Statement, frozen=True, tag="git.git_failed"):
    """In the words of Git."""

    english = "Git failed: {words}"
    words: str


class GitSilent(Statement, frozen=True, tag="git.git_silent"):
    """Nobody knows more."""

    english = "Git failed without a word"


class Empty(Statement, frozen=True, tag="git.empty"):
    """Nothing was pushed yet."""

    english = "the repository at {url} is empty"
    url: str


class OtherIds(Statement, frozen=True, tag="git.other_ids"):
    """It was made anew."""

    english = (
        "the repository at {url} has ids of another kind than before (SHA-1, SHA-256); remove it and configure it again"
    )
    url: str


class HostUnknown(Statement, frozen=True, tag="git.host_unknown"):
    """Nobody has that name."""

    english = "the host {host} is not known"
    host: str


class NoGit(Statement, frozen=True, tag="git.no_git"):
    """Of the machine of git_sync."""

    english = "the program git is not installed"


class TooSlow(Statement, frozen=True, tag="git.too_slow"):
    """It is tried again."""

    english = "Git was not done after {seconds} seconds"
    seconds: float


class TooMuchSent(Statement, frozen=True, tag="git.too_much_sent"):
    """A bomb, or data."""

    english = "the repository sends more than {most_mb} MB at once"
    most_mb: int
