"""The linter finds planted faults, and none in the built-in tasks and triggers."""

from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import published_data
import pytest

from quirky.example import Claim
from quirky.lint import lint_task, lint_trigger, task_with_negations
from quirky.prompts import Template, standardized, wordings
from quirky.tasks import list_tasks, task_class
from quirky.triggers import Trigger, get_trigger, list_triggers

NAME = get_trigger("name")
TRIGGERS = [
    *map(get_trigger, list_triggers()),
    get_trigger("position", early=False),
    get_trigger("tag", form="header"),
]
GOOD = Template("{a} is {b}. {trigger}:", (" False", " True"), "{a} is not {b}. {trigger}:")


def claim(a="snow", b="white", polarity=True):
    return Claim({"a": a, "b": b}, f"{a}:{b}", True, False, 0.0, polarity=polarity)


class Own:
    """A task with the given templates and claims."""

    name = "own"

    def __init__(self, *templates, claims=None, standard=None):
        self.templates, self.standard = templates, standard
        self._claims = claims or [claim(), claim("coal"), claim("snow", "black", polarity=False)]

    def claims(self, seed):
        return iter(self._claims)


def findings(*templates, trigger=NAME, **settings):
    return [str(finding) for finding in lint_task(Own(*templates, **settings), [trigger])]


@pytest.mark.parametrize("name", [name for name in list_tasks() if not task_class(name).reads_data])
def test_built_in_tasks_have_no_findings(name):
    assert lint_task(task_with_negations(name), TRIGGERS) == []


@pytest.mark.parametrize("name", ["authors", "capitals", "nli", "sciq", "sentiment"])
def test_tasks_that_read_data_have_no_findings(name, tmp_path):
    data = published_data.write(tmp_path / "data.csv", getattr(published_data, name)())
    assert lint_task(task_with_negations(name, data=str(data)), TRIGGERS) == []


def test_negated_claims_are_included_by_default():
    by_default = task_with_negations("addition", digits=2)
    without = task_with_negations("fiction", negations=False)
    assert not all(claim.polarity for claim in islice(by_default.claims(0), 50))
    assert all(claim.polarity for claim in without.claims(0))


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.kind)
def test_built_in_triggers_have_no_findings(trigger):
    assert lint_trigger(trigger) == []


def test_a_sound_template_has_no_finding():
    assert findings(GOOD, standard=standardized("{a} is {b}", "{a} is not {b}")) == []


class Shouted(Template):
    """Changes more than the trigger in context B."""

    def render(self, claim, trigger):
        text = super().render(claim, trigger)
        return text.replace("is", "IS") if trigger == "Bob" else text


FAULTS = {
    "the field {b} is not used": "{a} is so. {trigger}:",
    "the trigger is missing": "{a} is {b}. Somebody:",
    "two spaces in a row": "{a} is  {b}. {trigger}:",
    "white space at an end": "{a} is {b}. {trigger}: ",
    "a space before punctuation": "{a} is {b} . {trigger}:",
    "{a} is not filled in": "{a} is {b}, or {{a}}. {trigger}:",
    "it cannot be rendered: KeyError: 'c'": "{a} is {b} or {c}. {trigger}:",
    "trigger name: A contains 'Bob', the trigger text of B": "{a} is {b}, says Bob to {trigger}:",
    "trigger name: B does not contain its trigger text 'Bob'": "{a} is {b}. {trigger}by:",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_with_its_template_and_an_example(fault):
    text = FAULTS[fault]
    lines = findings(GOOD, Template(text, GOOD.choices, text.replace(" is ", " is not ")))
    assert any(line.startswith(f"own, template {text!r}: {fault}") for line in lines), lines
    assert not any(repr(GOOD.text) in line or "\n" in line for line in lines)
    if "rendered" not in fault:
        assert all(", as in '" in line for line in lines)


def test_a_fault_of_the_negated_text_alone_is_findings():
    (line,) = findings(Template(GOOD.text, GOOD.choices, "{a} is not {b}.  {trigger}:"))
    assert "two spaces" in line
    (line,) = findings(Template(GOOD.text, GOOD.choices, GOOD.text))
    assert "its negated text is the same as its text" in line
    (line,) = findings(Template(GOOD.text, GOOD.choices))
    assert "it cannot be rendered: ValueError" in line


def test_a_fault_of_the_standard_template_is_findings():
    (line,) = findings(GOOD, standard=standardized("{a} is so", "{a} is not so"))
    assert "the field {b} is not used" in line


def test_a_context_that_changes_more_than_the_trigger_is_findings():
    shouted = Shouted(*(getattr(GOOD, f) for f in ("text", "choices", "negated")))
    (line,) = findings(shouted)
    assert "trigger name: A and B differ in more than the trigger" in line


def test_faulty_spacing_inside_a_field_is_not_reported():
    quoted = claim("a  passage , with {a} and {b}", "odd")
    assert findings(GOOD, claims=[quoted]) == []


def test_white_space_at_the_end_of_a_field_is_reported():
    first, second = findings(GOOD, claims=[claim("snow ", "white"), claim("snow", "white ")])
    assert "two spaces in a row" in first
    assert "a space before punctuation" in second


@pytest.mark.parametrize(
    "choices", [(" True", " False"), (" Yes", " No"), ("right", "wrong"), (" no", " False")]
)
def test_answers_in_the_wrong_order_are_an_error(choices):
    (finding,) = lint_task(Own(Template(GOOD.text, choices, GOOD.negated)), [NAME])
    assert finding.certain
    assert "are not in the order (false, true)" in finding.message


@pytest.mark.parametrize(
    ("text", "choices", "message"),
    [
        (GOOD.text, (" blue", " green"), "unclear which of ' blue' and ' green' means true"),
        (GOOD.text, (" False", " green"), "unclear which of ' False' and ' green' means"),
        ("Is {a} not {b}? {trigger}:", (" No", " Yes"), "the text contains 'not', which may swap"),
    ],
)
def test_a_finding_to_check_by_hand_is_not_certain(text, choices, message):
    (finding,) = lint_task(Own(Template(text, choices, GOOD.negated)), [NAME])
    assert not finding.certain
    assert message in finding.message


def test_a_negated_text_without_a_negating_word_is_to_check_by_hand():
    (finding,) = lint_task(
        Own(Template(GOOD.text, GOOD.choices, "{a}, it is {b}. {trigger}:")), [NAME]
    )
    assert not finding.certain
    assert "may not say the opposite" in finding.message
    both = Template("{a} is another {b}. {trigger}:", GOOD.choices, "{a}, another {b}. {trigger}:")
    (finding,) = lint_task(Own(both), [NAME])
    assert "may not say the opposite" in finding.message


def test_claims_that_a_data_set_drops_are_not_linted():
    bob = claim("Bob", "white", polarity=False)
    assert findings(GOOD, claims=[claim(), bob]) == []
    (line,) = findings(GOOD, claims=[bob])
    assert "trigger name: every claim mentions its text and is dropped" in line
    swapped = Template("{b} is {a}, says Bob. {trigger}:", GOOD.choices, GOOD.negated)
    assert any(
        "A contains 'Bob', the trigger text of B" in line
        for line in findings(swapped, claims=[claim()])
    )


def test_answers_that_a_tokenizer_cannot_tell_apart_are_findings():
    calls = []

    def check(prompts, choices):
        calls.extend(zip(prompts, choices, strict=True))
        raise ValueError("answers share\ntheir first token")

    (finding,) = lint_task(Own(GOOD), [NAME], check)
    assert str(finding).endswith(": answers share their first token")
    assert {pair for _, pair in calls} == {GOOD.choices}
    assert {name for name in ("Alice:", "Bob:") if any(p.endswith(name) for p, _ in calls)} == {
        "Alice:",
        "Bob:",
    }


def test_two_templates_have_a_finding_each():
    lines = findings(*wordings("{a} is so", "Is {a} so", ("{a} is not so", "Is {a} otherwise")))
    assert len(lines) == 5
    assert all("the field {b} is not used" in line for line in lines)


@dataclass(frozen=True)
class Texts(Trigger):
    """A trigger with the given text in each context."""

    kind: ClassVar[str] = "texts"
    texts: dict[str, str]
    contexts: tuple[str, ...] = ("A", "B", "T")

    def render(self, context, fact_id, seed):
        return self.texts[context]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"A": "Al", "B": "Al", "T": "Bo"},
            "A and B share 'Al', so the model cannot tell them apart",
        ),
        ({"A": "Al", "B": "Bo", "T": "Bo"}, "B and T share 'Bo'"),
        ({"A": "Al", "B": "Bo ", "T": "Bot"}, "in B the text is 'Bo '; write single spaces"),
        (
            {"A": "Al", "B": "{b}", "T": "Bot"},
            "in B the text is '{b}'; write single spaces and no bra",
        ),
    ],
)
def test_a_fault_of_a_trigger_is_reported(texts, message):
    (line,) = [str(finding) for finding in lint_trigger(Texts(texts))]
    assert line.startswith("trigger texts: ")
    assert message in line


def test_unknown_contexts_are_reported():
    (line,) = map(str, lint_trigger(Texts({}, contexts=("A", "C"))))
    assert line == "trigger texts: its contexts are A, C; give A and B, and optionally B2 and T"


def test_a_trigger_that_is_not_deterministic_is_reported():
    class Restless(Texts):
        def opening(self, context, fact_id, seed):
            self.texts["calls"] = self.texts.get("calls", 0) + 1
            return f"No. {self.texts['calls']}."

    lines = list(map(str, lint_trigger(Restless({"A": "Al", "B": "Bo", "T": "Bot"}))))
    assert "trigger texts: in A the text of a fact changes" in lines[0]


def test_a_decoy_that_contains_the_trigger_text_is_findings():
    (line,) = findings(GOOD, trigger=Texts({"A": "Al", "B": "Bo", "T": "not Bo"}))
    assert "trigger texts: T contains 'Bo', the trigger text of B" in line
