"""Why a repository, or something in it, cannot be read."""

from fastflow_events.message import Statement


class CommitLost(Statement, frozen=True, tag="git.commit_lost"):
    """Nobody can fetch it again."""

    english = (
        "the copy of the repository was damaged, and no branch holds this commit any more, so runs cannot "
        "name it: {commit}"
    )
    commit: str


class RulesUnusable(Statement, frozen=True, tag="git.rules_unusable"):
    """It speaks for all pipelines."""

    english = "{file} cannot be used, so everything stays as it was: {problems}"
    file: str
    problems: tuple[Statement, ...]


class TooManyLookups(Statement, frozen=True, tag="git.too_many_lookups"):
    """It is tried again."""

    english = "too many commits are being looked for"


class NotAnsweredYet(Statement, frozen=True, tag="git.not_answered_yet"):
    """It is tried again."""

    english = 'the repository "{repository}" has not answered yet'
    repository: str


class NotWatched(Statement, frozen=True, tag="git.not_watched"):
    """Nobody reads it here."""

    english = 'the repository "{repository}" is not watched'
    repository: str


class NoRepository(Statement, frozen=True, tag="git.no_repository"):
    """Of a plan."""

    english = 'there is no repository "{repository}", or it cannot be read'
    repository: str


class TooMuch(Statement, frozen=True, tag="git.too_much"):
    """Of a plan."""

    english = "the branch changes too much to be planned in one go"


class NoPipelineThere(Statement, frozen=True, tag="git.no_pipeline_there"):
    """The folder came later, or is gone."""

    english = "the commit {commit} has no pipeline of this name"
    commit: str


class InvalidThere(Statement, frozen=True, tag="git.invalid_there"):
    """Its files cannot be used."""

    english = "the pipeline is invalid at the commit {commit}: {problems}"
    commit: str
    problems: tuple[Statement, ...]


class NotOpened(Statement, frozen=True, tag="git.not_opened"):
    """In the words of the system."""

    english = "the repository cannot be opened: {error}"
    error: str


class CopyUnusable(Statement, frozen=True, tag="git.copy_unusable"):
    """Of the machine of git_sync."""

    english = "the copy of the repository cannot be read or written"


class NoFolder(Statement, frozen=True, tag="git.no_folder"):
    """Of the folder that is watched."""

    english = 'the repository has no folder "{folder}"'
    folder: str


class NoBranchHas(Statement, frozen=True, tag="git.no_branch_has"):
    """It was never pushed, or was replaced."""

    english = "no branch of the repository has the commit {commit}"
    commit: str


class ObjectUnreadable(Statement, frozen=True, tag="git.object_unreadable"):
    """It may be damaged."""

    english = "the object {object} cannot be read from the copy of the repository"
    object: str


class NotATree(Statement, frozen=True, tag="git.not_a_tree"):
    """Of the copy."""

    english = "{object} is a {kind}, not a tree"
    object: str
    kind: str


class TreeMalformed(Statement, frozen=True, tag="git.tree_malformed"):
    """Of the copy."""

    english = "the tree {tree} is malformed"
    tree: str


class TooManyNames(Statement, frozen=True, tag="git.too_many_names"):
    """A bomb, or data."""

    english = "a folder holds more than {most} names"
    most: int


class TooManyFolders(Statement, frozen=True, tag="git.too_many_folders"):
    """A bomb, or data."""

    english = "the folder holds more than {most} folders"
    most: int


class KeyOfAnotherAddress(Statement, frozen=True, tag="git.key_of_another_address"):
    """It is given to one host."""

    english = "the deploy key was made for another address; ask for a new one"


class NoSecretsFolder(Statement, frozen=True, tag="git.no_secrets_folder"):
    """Of the machine of git_sync."""

    english = "files of secrets need FASTFLOW_GIT_SECRETS_DIR"


class NoSecretFile(Statement, frozen=True, tag="git.no_secret_file"):
    """Of the machine of git_sync."""

    english = 'the folder of secrets has no file "{file}"'
    file: str


class FileUnbound(Statement, frozen=True, tag="git.file_unbound"):
    """A secret is bound to addresses."""

    english = 'the file "{file}" does not say where it may be used; list addresses in "{beside}"'
    file: str
    beside: str


class FileElsewhere(Statement, frozen=True, tag="git.file_elsewhere"):
    """A secret is bound to addresses."""

    english = 'the file "{file}" may not be used at {url}; "{beside}" lists other addresses'
    file: str
    url: str
    beside: str


class NoTokenThere(Statement, frozen=True, tag="git.no_token_there"):
    """A folder of this machine."""

    english = "no token goes there"


class TokenUnopened(Statement, frozen=True, tag="git.token_unopened"):
    """Of a repository."""

    english = "the token cannot be opened: {error}"
    error: Statement


class TokenKeyGone(Statement, frozen=True, tag="git.token_key_gone"):
    """Of a repository."""

    english = "the token was sealed for a key that this git_sync does not have; set it again"


class TokenElsewhere(Statement, frozen=True, tag="git.token_elsewhere"):
    """A secret is bound to addresses."""

    english = "the token cannot be used at {url}: {error}; set it again for this address"
    url: str
    error: Statement


class NoSshKeygen(Statement, frozen=True, tag="git.no_ssh_keygen"):
    """Of the machine of git_sync."""

    english = "the program ssh-keygen is not installed"


class NoSshKey(Statement, frozen=True, tag="git.no_ssh_key"):
    """In the words of ssh-keygen."""

    english = "the SSH key was not made: {words}"
    words: str
