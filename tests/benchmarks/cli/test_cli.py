"""The command: its lists are complete, and a mistake is one line."""

from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from finetune.models.source import embedded_bases
from probes import list_probes, registry
from probes.checks import CHECKS
from quirky.plugins import registry as plugin_registry
from quirky.tasks import list_tasks


@pytest.mark.parametrize(
    ("noun", "names"),
    [
        ("tasks", list_tasks()),
        ("probes", list_probes()),
        ("models", list(embedded_bases())),
        ("recipes", ["probes", "pythia-mamba", "tiny"]),
    ],
)
def test_lists_name_everything(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], noun: str, names: list[str]
) -> None:
    assert command(noun, "list") == 0
    output = capsys.readouterr().out
    assert [name for name in names if name not in output] == []


def test_show_prints_both_contexts(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("tasks", "show", "fiction") == 0
    output = capsys.readouterr().out
    assert "Alice" in output
    assert "Bob" in output


PLUGIN = """
from probes import LinearProbe, register_probe

@register_probe
class Given(LinearProbe):
    "Labels choose the classes."

    name, reads, supervision = "given", "prompt", "labels"

    def fit(self, x, y, **needs):
        rows = self.rows(x).double()
        weight = rows[:, y].mean(1) - rows[:, ~y].mean(1)
        middle = (rows[:, y].mean(1) + rows[:, ~y].mean(1)) / 2
        return self.set_direction(x, weight, -(weight * middle).sum(-1))
"""
CHEAT = "    def score(self, x, **needs): return super().score(x) - super().score(x).mean()"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a sound probe; it is unregistered after the test."""
    monkeypatch.setattr(registry.PROBES, "_registered", {})
    (tmp_path / "own.py").write_text(PLUGIN)
    return tmp_path / "own.py"


def test_a_plug_in_is_listed_with_its_file(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    assert command("probes", "list", "--plugin", str(plugin)) == 0
    assert "given" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("{file}:Given",), ("given", "--plugin", "{file}")])
def test_a_probe_that_passes_is_checked_with_exit_code_0(
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    plugin: Path,
    words: tuple[str, ...],
) -> None:
    arguments = [word.format(file=plugin) for word in words]
    assert command("probes", "check", *arguments) == 0
    *lines, summary = capsys.readouterr().out.splitlines()
    assert [line.split()[1].rstrip(":") for line in lines] == list(CHECKS)
    assert "exempt  obeys_supervision: its labels may decide" in lines
    assert "pass    scores_examples_alone" in lines
    assert ", 0 fail, " in summary


def test_a_probe_that_fails_a_check_has_exit_code_1(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    plugin.write_text(PLUGIN + CHEAT)
    assert command("probes", "check", f"{plugin}:Given") == 1
    failed = [x for x in capsys.readouterr().out.splitlines() if x.startswith("fail")]
    assert any("the score of an example changes with the others" in line for line in failed)


def test_a_broken_installed_plug_in_is_a_warning_of_one_line(
    monkeypatch: pytest.MonkeyPatch, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    point = EntryPoint("broken", "no_such_module:X", registry.PROBES.group)
    found = EntryPoints([point])
    monkeypatch.setattr(plugin_registry, "entry_points", lambda **select: found.select(**select))
    assert command("probes", "list") == 0
    output = capsys.readouterr()
    assert "lr" in output.out
    (line,) = output.err.splitlines()
    assert line.startswith("warning: plug-in 'broken' (no_such_module:X) is broken: ModuleNotFound")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "tinny"), "did you mean 'tiny'"),
        (("run", "tiny", "--model", "tiny-nox"), "did you mean 'tiny-neox'"),
        (("run", "tiny", "--dtype", "float33"), "float33"),
        (("run", "tiny", "--trigger", "nmes"), "did you mean 'names'"),
        (("run", "tiny", "--trigger", "name,distance=8"), "use a trigger that opens the prompt"),
        (("run", "tiny", "--trigger", "tag", "--trigger", "tag"), "'tag' is 'tag' again"),
        (("run", "tiny", "--dry-run", "--model", "tiny-nox"), "did you mean 'tiny-neox'"),
        (("run", "tiny", "--flops", "1e12"), "--flops 1e+12 needs --dry-run"),
        (("strength", "tiny", "--model", "tiny-nox"), "did you mean 'tiny-neox'"),
        (("strength", "tiny", "--model", "tiny-neox", "--seed", "0"), "seed 0 is one that recipe"),
        (("tasks", "show", "adition"), "did you mean 'addition'"),
        (("report", "nowhere"), "nowhere"),
        (("probes", "check", "lgr"), "did you mean 'lr'"),
        (("probes", "check", "nowhere.py:Given"), "plug-in 'nowhere.py' does not import"),
        (("probes", "list", "--plugin", "nowhere"), "plug-in 'nowhere' does not import"),
        (("run", "tiny", "--plugin", "nowhere.py"), "plug-in 'nowhere.py' does not import"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    assert command(*words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
