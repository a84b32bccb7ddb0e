"""Where Git may go: only to the address that was checked, and never from a public host to a private one."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from fastflow_git_sync.testing import public
from fastflow_git_sync.testing.repository import Repository


@pytest.fixture
def may_make_networks() -> None:
    made = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    if made.returncode == 0:
        return
    if os.environ.get("CI") or os.environ.get("FASTFLOW_TEST_STRICT"):
        pytest.fail(f"a network of its own needs root, unshare and ip: {made.stderr.decode()}")
    pytest.skip("a network of its own needs root, unshare and ip")


@pytest.mark.usefixtures("may_make_networks")
def test_a_public_host_leads_nowhere_private_by_name_or_by_redirect(tmp_path: Path) -> None:
    commit = Repository(tmp_path / "origin").commit({"hello/main.py": ""})
    done = subprocess.run(public.command(str(tmp_path)), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["pinned"] == commit  # nobody but us knows the name, so Git went where it was told to
    assert {found[name] for name in public.NAMES} == {commit}
    for attempt in ("private name", "half private name"):
        assert found[attempt] == "git.example is at a private address; that needs FASTFLOW_GIT_ALLOW_PRIVATE"
    assert found["knocked meanwhile"] == 0
    for attempt in ("redirect", "redirect allowed"):
        assert "has moved, and redirects need FASTFLOW_GIT_ALLOW_REDIRECTS" in found[attempt]
    assert found["asked inside"] == 0
    assert "refuses these credentials" in found["both allowed"]  # the token is for the first host only
    assert found["asked inside then"] > 0
    assert found["token inside"] is False
