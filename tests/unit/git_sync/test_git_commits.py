"""A commit's subject, author and time are read from Git's own object, whatever it holds."""

from datetime import UTC, datetime

import pytest
from fastflow_events.commit_about import CommitAbout
from fastflow_git_sync.core.commits import MAX_SUBJECT, about
from hypothesis import given
from hypothesis import strategies as st

HEAD = b"tree 1\nparent 2\nauthor Ann Lee <ann@example.org> 1700000000 +0100\n"
COMMITTER = b"committer Bob <bob@example.org> 1700000600 +0100\n"


def test_the_first_line_is_the_subject_and_the_author_has_no_address() -> None:
    found = about(HEAD + COMMITTER + b"\nFix | the tax\n\nMore words.\n")
    at = datetime(2023, 11, 14, 22, 23, 20, tzinfo=UTC)
    assert found == CommitAbout(subject="Fix | the tax", author="Ann Lee", at=at)


def test_a_signature_is_no_message() -> None:
    signed = HEAD + COMMITTER + b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n author Eve <e@e> 1 +0000\n -----END\n"
    assert about(signed + b"\nSigned\n") == about(HEAD + COMMITTER + b"\nSigned\n")


def test_another_encoding_is_read_as_such() -> None:
    assert about(HEAD + COMMITTER + b"encoding ISO-8859-1\n\nGr\xfc\xdfe\n").subject == "Grüße"
    assert about(HEAD + COMMITTER + b"encoding base64\n\nplain\n").subject == "plain"
    assert about(HEAD + COMMITTER + b"encoding nonsense\n\nplain\n").subject == "plain"


@pytest.mark.parametrize("message", [b"", b"\n", b"\n\n\n"])
def test_without_a_message_there_is_no_subject(message: bytes) -> None:
    assert about(HEAD + COMMITTER + message).subject == ""


def test_a_long_line_is_cut_and_no_control_letter_is_shown() -> None:
    found = about(HEAD + COMMITTER + b"\n\x1b[31m" + b"x" * 5000).subject
    assert (len(found), found[:5], found[-1]) == (MAX_SUBJECT, "[31mx", "…")


@given(st.binary(max_size=300))
def test_any_bytes_say_something_or_nothing(raw: bytes) -> None:
    about(raw)
    about(b"committer <x> 99999999999 +0000\nencoding utf-16\n\n" + raw)
