"""Secrets in files, read anew whenever they are needed, so that they can be rotated."""

from pathlib import Path

from fastflow_events.errors import InfrastructureError

from fastflow_gateway.core.push_hooks import MIN_SECRET, secrets_in


def hook_secrets(path: Path | None) -> list[str]:
    """The secrets of push hooks; empty without a file.

    Raises:
        InfrastructureError: the file cannot be read, or holds a secret that can be guessed.
    """
    if path is None:
        return []
    try:
        secrets = secrets_in(path.read_text())
    except (OSError, UnicodeDecodeError) as exc:
        raise InfrastructureError("the file FASTFLOW_HOOK_SECRETS_FILE names cannot be read") from exc
    if any(len(secret) < MIN_SECRET for secret in secrets):
        raise InfrastructureError(f"a secret of FASTFLOW_HOOK_SECRETS_FILE has less than {MIN_SECRET} characters")
    return secrets
