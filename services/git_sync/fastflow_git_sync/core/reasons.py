"""What Git prints when it fails → one sentence for people, without credentials; pure."""

import re
from collections.abc import Sequence

MAX_SENTENCE = 300
_KNOWN = (
    (
        r"requested url returned error: 30[1-8]|unable to update url base from redirection",
        "the repository at {url} has moved, and redirects need FASTFLOW_GIT_ALLOW_REDIRECTS, those of an address given "
        "over the API FASTFLOW_GIT_ALLOW_PRIVATE too",
    ),
    (r"couldn't find remote ref|remote ref does not exist", "the repository has no branch {branch}"),
    (
        r"authentication failed|could not read (?:username|password)|returned error: 403|invalid credentials|"
        r"terminal prompts disabled",
        "the repository at {url} refuses these credentials, or wants some",
    ),
    (
        r"host key verification failed|no .* host key is known|remote host identification has changed",
        "the host key of {url} is not trusted; give the host's public keys as known_hosts",
    ),
    (r"permission denied \(", "the repository at {url} refuses the SSH key"),
    (r"could not resolve host", "the host of {url} is not known"),
    (r"connection refused|couldn't connect to server|failed to connect", "nothing answers at {url}"),
    (
        r"timed out|operation too slow|connection reset|remote end hung up|early eof",
        "the connection to {url} broke off",
    ),
    (
        r"repository .*not found|does not appear to be a git repository|does not exist|not a git repository|"
        r"no such file or directory",
        "there is no repository at {url}",
    ),
    (r"certificate|ssl", "the certificate of {url} is not trusted"),
    (r"transport .* not allowed|unsupported protocol", "the address {url} uses a protocol that is not allowed"),
    (r"no space left", "the disk is full"),
)
_NAMED = re.compile(r"(?<!\w)'[^'\n]*'|\w+://\S+|\[[^\]\s]*\](?::\d+)?|\bport \d+")
"""Addresses and names in what Git prints: a port 40399 is no answer 403, a repository called `ssl` no certificate."""
_URL_USER = re.compile(r"//[^/@\s']*@")


def reason(stderr: str, *, url: str, branch: str, secrets: Sequence[str] = ()) -> str:
    """Return the sentence for what Git printed."""
    complaint = _NAMED.sub("…", stderr).replace(url, "…")
    for pattern, sentence in _KNOWN:
        if re.search(pattern, complaint, re.IGNORECASE):
            return sentence.format(url=url, branch=f'"{branch}"')
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    return f"Git failed: {scrub(telling, secrets)[:MAX_SENTENCE]}" if telling else "Git failed without a word"


def is_unadvertised(stderr: str) -> bool:
    """True when the host gives out whole branches only, no single objects."""
    return bool(re.search(r"unadvertised object|not our ref|upload-pack: not our ref", stderr, re.IGNORECASE))


def scrub(text: str, secrets: Sequence[str]) -> str:
    """Return the text without passwords."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _URL_USER.sub("//***@", text)
