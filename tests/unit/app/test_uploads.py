"""A file that was sent: kept privately under a name of our own, and gone when nobody holds it."""

import gc
import os
from pathlib import Path

import pytest

from app.actions.uploads import keep, plain_name


def test_it_is_readable_by_this_user_alone_and_removed_when_dropped(tmp_path: Path):
    upload = keep(tmp_path / "uploads", "October.csv", b"a,b\n1,2\n")
    assert upload.path.read_bytes() == b"a,b\n1,2\n"
    assert upload.path.stat().st_mode & 0o077 == 0
    assert upload.path.parent.stat().st_mode & 0o077 == 0
    upload.drop()
    upload.drop()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_it_goes_with_its_session(tmp_path: Path):
    upload = keep(tmp_path / "uploads", "October.csv", b"a")
    path = upload.path
    del upload
    gc.collect()
    assert not path.exists()


def test_what_a_killed_process_left_is_swept_and_what_is_fresh_stays(tmp_path: Path):
    old, fresh = tmp_path / "1.upload", tmp_path / "2.upload"
    old.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(old, (0, 0))
    upload = keep(tmp_path, "a.csv", b"a")
    assert not old.exists()
    assert fresh.exists()
    assert upload.path.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\October.csv", "October.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("", "upload"),
        ("../", "upload"),
        ("x" * 300, "x" * 120),
    ],
)
def test_its_name_is_words_and_never_a_path(tmp_path: Path, name: str, shown: str):
    assert plain_name(name) == shown
    upload = keep(tmp_path, name, b"a")
    assert upload.name == shown
    assert upload.path.parent == tmp_path
    assert upload.path.name.endswith(".upload")
