"""What two runs differ in, in one sentence; pure."""

from fastflow_events.message import Statement


class NothingBefore(Statement, frozen=True, tag="changes.nothing_before"):
    """Of its pipeline."""

    english = "there is no earlier success to compare with"


class OtherPipeline(Statement, frozen=True, tag="changes.other_pipeline"):
    """Nothing of them can be compared."""

    english = "a run of the same pipeline, {pipeline}"
    pipeline: str


class NothingDiffers(Statement, frozen=True, tag="changes.nothing_differs"):
    """Of what is known."""

    english = "nothing differs in what the two runs were given"


class TheseDiffer(Statement, frozen=True, tag="changes.these_differ"):
    """The rest is the same."""

    english = "only this differs: {parts}"
    parts: tuple[Statement, ...]


class Code(Statement, frozen=True, tag="changes.code"):
    """Of the folder."""

    english = "{files, plural, one {# file} other {# files}} of the code"
    files: int


class Packages(Statement, frozen=True, tag="changes.packages"):
    """Of the lock."""

    english = "{count, plural, one {# package} other {# packages}}"
    count: int


class Params(Statement, frozen=True, tag="changes.params"):
    """That were asked for."""

    english = "{count, plural, one {# param} other {# params}}"
    count: int


class Variables(Statement, frozen=True, tag="changes.variables"):
    """Of the environment."""

    english = "{count, plural, one {# variable} other {# variables}}"
    count: int


class Secrets(Statement, frozen=True, tag="changes.secrets"):
    """Their versions."""

    english = "{count, plural, one {# secret} other {# secrets}}"
    count: int


class Setting(Statement, frozen=True, tag="changes.setting"):
    """Such as the image."""

    english = "{name}"
    name: str


def verdict_of(
    *, files: int, packages: int, params: int, variables: int, secrets: int, settings: list[str]
) -> Statement:
    """The sentence."""
    parts: list[Statement] = []
    if files:
        parts.append(Code(files))
    if packages:
        parts.append(Packages(packages))
    if params:
        parts.append(Params(params))
    if variables:
        parts.append(Variables(variables))
    if secrets:
        parts.append(Secrets(secrets))
    parts += [Setting(name) for name in settings]
    return TheseDiffer(tuple(parts)) if parts else NothingDiffers()
