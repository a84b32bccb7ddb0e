from fastflow_runner.core.silence import Silence


def test_who_has_been_silent_for_long_enough_is_gone() -> None:
    silence = Silence(30)
    assert silence.heard({"a", "b"}, {"b"}, 0) == set()
    assert silence.heard({"a", "b"}, {"b"}, 10) == set()
    assert silence.heard({"a", "b"}, {"b"}, 20) == set()
    assert silence.heard({"a", "b"}, {"b"}, 30) == {"a"}


def test_one_word_is_enough_to_be_there() -> None:
    silence = Silence(20)
    silence.heard({"a"}, set(), 0)
    assert silence.heard({"a"}, {"a"}, 10) == set()
    assert silence.heard({"a"}, set(), 20) == set()
    assert silence.heard({"a"}, set(), 30) == set()
    assert silence.heard({"a"}, set(), 40) == {"a"}


def test_silence_does_not_count_while_nothing_could_be_heard() -> None:
    silence = Silence(20)
    silence.heard({"a"}, set(), 0)
    silence.heard({"a"}, set(), 10)
    silence.deaf()
    assert silence.heard({"a"}, set(), 20) == set()
    assert silence.heard({"a"}, set(), 30) == set()
    assert silence.heard({"a"}, set(), 40) == {"a"}


def test_who_slept_has_not_listened() -> None:
    silence = Silence(20)
    silence.heard({"a"}, set(), 0)
    assert silence.heard({"a"}, set(), 300) == set()
    assert silence.heard({"a"}, set(), 310) == set()
    assert silence.heard({"a"}, set(), 320) == {"a"}


def test_who_holds_nothing_is_forgotten() -> None:
    silence = Silence(10)
    silence.heard({"a"}, set(), 0)
    assert silence.heard(set(), set(), 10) == set()
    assert silence.heard({"a"}, set(), 20) == set()
