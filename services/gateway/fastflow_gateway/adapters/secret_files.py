"""Secrets in files, read anew whenever they are needed, so that they can be rotated."""

from pathlib import Path

from fastflow_events.errors import InfrastructureError

from fastflow_gateway.core.push_hooks import MIN_SECRET, secrets_in
from fastflow_gateway.core.refusals import HookSecretShort, HookSecretsUnreadable


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
        raise InfrastructureError(HookSecretsUnreadable()) from exc
    if any(len(secret) < MIN_SECRET for secret in secrets):
        raise InfrastructureError(HookSecretShort(MIN_SECRET))
    return secrets
