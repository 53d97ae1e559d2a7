"""The store: artefacts that are there whole or not at all, and are made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.store import artefacts as store
from benchmarks.store.artefacts import (
    atomic_folder,
    content_hash,
    ensure_artefact,
    remove_unfinished,
    store_root,
    write_text,
)

KEY = {"task": "addition", "params": {"digits": 2, "signed": False}, "seed": 0}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own."""
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def fill(folder: Path) -> None:
    (folder / "content.txt").write_text("whole")


def refuse(folder: Path) -> None:
    raise AssertionError("made a second time")


def test_the_store_lies_where_the_environment_says(home: Path) -> None:
    assert store_root() == home
    assert ensure_artefact("data", KEY, fill).parent == home / "data"


def test_without_the_environment_it_lies_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUIRKY_HOME")
    assert store_root() == Path.home() / ".cache" / "quirky"


def test_what_is_there_is_not_made_again() -> None:
    first = ensure_artefact("data", KEY, fill)
    assert ensure_artefact("data", KEY, refuse) == first
    assert (first / "content.txt").read_text() == "whole"


def test_the_order_of_keys_is_nothing() -> None:
    turned = {"seed": 0, "params": {"signed": False, "digits": 2}, "task": "addition"}
    ensure_artefact("data", KEY, fill)
    ensure_artefact("data", turned, refuse)
    assert content_hash(KEY) == content_hash(turned)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"task": "fiction"}, {"params": {"digits": 3, "signed": False}}, {"more": None}],
)
def test_whatever_determines_an_artefact_changes_its_folder(change: dict[str, object]) -> None:
    assert ensure_artefact("data", KEY, fill) != ensure_artefact("data", {**KEY, **change}, fill)


def test_kinds_do_not_mix() -> None:
    assert ensure_artefact("data", KEY, fill).name != ensure_artefact("states", KEY, fill).name


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failing_make_leaves_nothing(home: Path, error: type[BaseException]) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise error

    with pytest.raises(error):
        ensure_artefact("data", KEY, fail)
    assert list((home / "data").iterdir()) == []
    assert (ensure_artefact("data", KEY, fill) / "content.txt").exists()


def test_nothing_can_be_read_before_it_is_whole(home: Path) -> None:
    folder = home / "data" / "one"
    with atomic_folder(folder) as temporary:
        fill(temporary)
        assert not folder.exists()
    assert [path.name for path in folder.parent.iterdir()] == ["one"]


def test_of_two_makers_at_once_the_first_to_end_is_kept(home: Path) -> None:
    made = []

    def overtaken(folder: Path) -> None:
        made.append(ensure_artefact("data", KEY, fill))
        (folder / "content.txt").write_text("late")

    assert [ensure_artefact("data", KEY, overtaken)] == made
    assert (made[0] / "content.txt").read_text() == "whole"
    assert list((home / "data").iterdir()) == made


def test_a_folder_that_is_written_anew_takes_the_place_of_the_old(tmp_path: Path) -> None:
    folder = tmp_path / "cells" / "one"
    for content in ("old", "new"):
        with atomic_folder(folder) as temporary:
            (temporary / f"{content}.txt").write_text(content)
    assert [path.name for path in folder.iterdir()] == ["new.txt"]
    assert list(folder.parent.iterdir()) == [folder]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "record.json"
    for text in ("first", "second"):
        write_text(path, text)
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = (
        "import os, sys; from pathlib import Path; from benchmarks.store import ensure_artefact; "
        "ensure_artefact('data', {'task': 'killed'}, lambda folder: os._exit(9))"
    )
    subprocess.run([sys.executable, "-c", killed], env={**os.environ, "QUIRKY_HOME": str(home)})
    (left,) = (home / "data").iterdir()
    monkeypatch.setattr(store, "GRACE_SECONDS", -1.0)
    done = ensure_artefact("data", KEY, fill)
    with atomic_folder(home / "data" / "other") as living:
        (living / "half.txt").write_text("half")
        remove_unfinished(home / "data")
        assert (living / "half.txt").exists()
    assert sorted(p.name for p in (home / "data" / "other").iterdir()) == ["half.txt"]
    assert not left.exists()
    assert (done / "content.txt").read_text() == "whole"
