"""Clients in TypeScript are made from the contract, and compile."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(900)
def test_types_made_from_the_contract_compile_with_what_uses_them() -> None:
    done = subprocess.run([ROOT / "scripts/contract-types"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
