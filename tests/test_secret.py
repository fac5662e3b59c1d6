"""Secrets: from the environment or a file of one's own, and anything else is refused in a sentence."""

from __future__ import annotations

import os

import pytest

from rowsync.errors import UsageError
from rowsync.secret import named_file, read_secret

VARIABLE = "ROWSYNC_TEST_SECRET"


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("hunter2\nand more\n")
    file.chmod(0o600)
    return file


def test_the_first_line_of_a_file_is_the_secret(file):
    assert read_secret("the key", VARIABLE, file) == "hunter2"


def test_the_environment_comes_first(file, monkeypatch):
    monkeypatch.setenv(VARIABLE, "other")
    assert read_secret("the key", VARIABLE, file) == "other"


def test_without_either_there_is_none(file):
    assert read_secret("the key", VARIABLE) is None
    file.write_text("")
    assert read_secret("the key", VARIABLE, file) is None


def test_a_file_that_others_can_read_is_refused_with_what_to_type(file):
    file.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600") as refused:
        read_secret("the key", VARIABLE, file)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["absent", ".", "a\x00b", "pipe", "bytes"])
def test_what_is_no_readable_file_is_refused_in_a_sentence(tmp_path, name):
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "bytes").chmod(0o600)
    with pytest.raises(UsageError, match="key"):
        read_secret("the key", VARIABLE, tmp_path / name)


def test_a_home_that_nobody_has_is_refused_in_a_sentence():
    assert named_file("mqtt", "ca_file", None) is None
    with pytest.raises(UsageError, match=r"In \[mqtt\], ca_file"):
        named_file("mqtt", "ca_file", "~nobodyatall/x")
