"""The command: its lists are true, and a mistake is one line."""

import sys

import pytest

from benchmarks import cli
from finetune.models import embedded_bases
from probes import list_probes
from quirky.tasks import list_tasks


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["quirky", *words])
    monkeypatch.setattr(cli.console, "width", 200, raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("noun", "names"),
    [
        ("tasks", list_tasks()),
        ("probes", list_probes()),
        ("models", list(embedded_bases())),
        ("recipes", ["tiny"]),
    ],
)
def test_lists_name_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], noun: str, names: list[str]
) -> None:
    assert run(monkeypatch, noun, "list") == 0
    shown = capsys.readouterr().out
    assert [name for name in names if name not in shown] == []


def test_show_prints_both_contexts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "tasks", "show", "fiction") == 0
    shown = capsys.readouterr().out
    assert "Alice" in shown
    assert "Bob" in shown


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("run", "tinny"), "did you mean 'tiny'"),
        (("run", "tiny", "--model", "tiny-nox"), "did you mean 'tiny-neox'"),
        (("run", "tiny", "--dtype", "float33"), "float33"),
        (("tasks", "show", "adition"), "did you mean 'addition'"),
        (("report", "nowhere"), "nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    named: str,
) -> None:
    assert run(monkeypatch, *words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert named in lines[0]
