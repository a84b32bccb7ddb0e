"""What Git prints when it fails → one sentence for people, without credentials; pure."""

import re
from collections.abc import Sequence

from fastflow_events.message import Statement

from fastflow_git_sync.core import host_faults

MAX_SENTENCE = 300
_KNOWN: tuple[tuple[str, type[Statement]], ...] = (
    (
        r"requested url returned error: 30[1-8]|unable to update url base from redirection",
        host_faults.Moved,
    ),
    (r"couldn't find remote ref|remote ref does not exist", host_faults.NoBranch),
    (
        r"authentication failed|could not read (?:username|password)|returned error: 403|invalid credentials|"
        r"terminal prompts disabled",
        host_faults.CredentialsRefused,
    ),
    (
        r"host key verification failed|no .* host key is known|remote host identification has changed",
        host_faults.HostKey,
    ),
    (r"permission denied \(", host_faults.SshKeyRefused),
    (r"could not resolve host", host_faults.UnknownHost),
    (r"connection refused|couldn't connect to server|failed to connect", host_faults.NothingAnswers),
    (
        r"timed out|operation too slow|connection reset|remote end hung up|early eof",
        host_faults.BrokeOff,
    ),
    (
        r"repository .*not found|does not appear to be a git repository|does not exist|not a git repository|"
        r"no such file or directory",
        host_faults.NoRepositoryAt,
    ),
    (r"certificate|ssl", host_faults.Certificate),
    (r"transport .* not allowed|unsupported protocol", host_faults.ProtocolRefused),
    (r"no space left", host_faults.DiskFull),
)
_NAMED = re.compile(r"(?<!\w)'[^'\n]*'|\w+://\S+|\[[^\]\s]*\](?::\d+)?|\bport \d+")
"""Addresses and names in what Git prints: a port 40399 is no answer 403, a repository called `ssl` no certificate."""
_URL_USER = re.compile(r"//[^/@\s']*@")


def reason(stderr: str, *, url: str, branch: str, secrets: Sequence[str] = ()) -> Statement:
    """Return what Git printed means."""
    about = {"url": url, "branch": branch}
    complaint = _NAMED.sub("…", stderr).replace(url, "…")
    for pattern, fault in _KNOWN:
        if re.search(pattern, complaint, re.IGNORECASE):
            return fault(*(about[name] for name in fault.__struct_fields__))
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    return host_faults.GitFailed(scrub(telling, secrets)[:MAX_SENTENCE]) if telling else host_faults.GitSilent()


def is_unadvertised(stderr: str) -> bool:
    """True when the host gives out whole branches only, no single objects."""
    return bool(re.search(r"unadvertised object|not our ref|upload-pack: not our ref", stderr, re.IGNORECASE))


def scrub(text: str, secrets: Sequence[str]) -> str:
    """Return the text without passwords."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _URL_USER.sub("//***@", text)
