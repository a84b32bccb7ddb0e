"""Why the gateway cannot do what was asked, although the request is right."""

from fastflow_events.message import Statement


class NoPipeline(Statement, frozen=True, tag="refused.no_pipeline"):
    """No folder has its name."""

    english = "there is no pipeline {name}"
    name: str


class NoPipelineButLike(Statement, frozen=True, tag="refused.no_pipeline_but_like"):
    """No folder has its name."""

    english = "there is no pipeline {name}; did you mean {like}?"
    name: str
    like: str


class PipelineRemoved(Statement, frozen=True, tag="refused.pipeline_removed"):
    """Its folder is gone."""

    english = "pipeline {name} was removed at commit {commit}"
    name: str
    commit: str


class PipelineInvalid(Statement, frozen=True, tag="refused.pipeline_invalid"):
    """Its files cannot be used."""

    english = "pipeline {name} is invalid at commit {commit} and never runs with defaults: {problems}"
    name: str
    commit: str
    problems: tuple[Statement, ...]


class PipelineDisabled(Statement, frozen=True, tag="refused.pipeline_disabled"):
    """Its own file says so."""

    english = "pipeline {name} is disabled: {reason}"
    name: str
    reason: Statement


class SaysDisabled(Statement, frozen=True, tag="refused.says_disabled"):
    """Its own file says so."""

    english = "its pipeline.json says enabled: false"


class NoSchedule(Statement, frozen=True, tag="refused.no_schedule"):
    """Neither in its file nor set over the API."""

    english = "pipeline {pipeline} has no schedule {schedule}"
    pipeline: str
    schedule: str


class KeyReused(Statement, frozen=True, tag="refused.key_reused"):
    """A key stands for one request."""

    english = "this key already stands for a run that was asked for differently"


class NotOver(Statement, frozen=True, tag="refused.not_over"):
    """It goes on."""

    english = "the run is {status}; it can be repeated when it is over"
    status: str


class LetterNotRetryable(Statement, frozen=True, tag="refused.letter_not_retryable"):
    """Its handler is elsewhere."""

    english = "only requests for runs can be retried from here; this one was {consumer}''s"
    consumer: str


class NoLetter(Statement, frozen=True, tag="refused.no_letter"):
    """Of dead letters."""

    english = "there is no such dead letter, or it was dealt with already"


class NoRepositoryYet(Statement, frozen=True, tag="refused.no_repository_yet"):
    """There is nothing to read."""

    english = "no repository is watched yet"


class NoRepository(Statement, frozen=True, tag="refused.no_repository"):
    """There is nothing to read."""

    english = "no repository is watched"


class NoKeyYet(Statement, frozen=True, tag="refused.no_key_yet"):
    """Nobody could open it."""

    english = "there is no key to seal for yet: a runner publishes one when it starts for the first time"


class SecretChanges(Statement, frozen=True, tag="refused.secret_changes"):
    """Somebody else was always faster."""

    english = "the secret keeps changing"


class RunLeftNoFile(Statement, frozen=True, tag="refused.run_left_no_file"):
    """Of files that are kept."""

    english = "the run left no such file behind"


class AttemptLeftNoFile(Statement, frozen=True, tag="refused.attempt_left_no_file"):
    """Of files that are kept."""

    english = "attempt {attempt} left no such file behind"
    attempt: int


class FileExpired(Statement, frozen=True, tag="refused.file_expired"):
    """Its time was over."""

    english = "the file is not stored any more: files of runs are kept for {days} days"
    days: float


class ModelBehind(Statement, frozen=True, tag="refused.model_behind"):
    """It starts."""

    english = "the read model is still behind the log; ask again"


class AnswerUnreadable(Statement, frozen=True, tag="refused.answer_unreadable"):
    """Another release."""

    english = "git_sync gave an answer that cannot be read"


class NotGenuine(Statement, frozen=True, tag="refused.not_genuine"):
    """Nobody who may send it has sent it."""

    english = "the signature or token of this message is not known here"


class NobodyWatches(Statement, frozen=True, tag="refused.nobody_watches"):
    """Of a Git host."""

    english = "nobody watches this repository"


class CodeNotYet(Statement, frozen=True, tag="refused.code_not_yet"):
    """git_sync fetches it."""

    english = "the code of this run is not stored yet"


class HadNoFile(Statement, frozen=True, tag="refused.had_no_file"):
    """Of its code."""

    english = "the run had no such file"


class CodeGone(Statement, frozen=True, tag="refused.code_gone"):
    """Its time was over."""

    english = "the code is not stored any more"


class CodeDamaged(Statement, frozen=True, tag="refused.code_damaged"):
    """Of its code."""

    english = "the code bundle cannot be read"


class SyncSilent(Statement, frozen=True, tag="refused.sync_silent"):
    """It may be starting."""

    english = "git_sync does not answer"


class SyncUnreachable(Statement, frozen=True, tag="refused.sync_unreachable"):
    """In the words of the bus."""

    english = "git_sync cannot be asked: {error}"
    error: str


class ModelUnreadable(Statement, frozen=True, tag="refused.model_unreadable"):
    """In the words of the database."""

    english = "the read model cannot be read: {error}"
    error: str


class HookSecretsUnreadable(Statement, frozen=True, tag="refused.hook_secrets_unreadable"):
    """Of the machine of the gateway."""

    english = "the file FASTFLOW_HOOK_SECRETS_FILE names cannot be read"


class HookSecretShort(Statement, frozen=True, tag="refused.hook_secret_short"):
    """It could be guessed."""

    english = "a secret of FASTFLOW_HOOK_SECRETS_FILE has less than {least} characters"
    least: int


class StreamsFull(Statement, frozen=True, tag="refused.streams_full"):
    """Of this process."""

    english = "{most} streams are open, which is as many as this gateway carries; come back in a moment"
    most: int


class ClientHasStreams(Statement, frozen=True, tag="refused.client_has_streams"):
    """From one address, or with one token."""

    english = "{most} streams are open from this address or with this token, as many as one may have; close one first"
    most: int
