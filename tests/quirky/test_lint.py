"""The lints find what they are for, and nothing in what is built in."""

from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import published_data
import pytest

from quirky.example import Claim
from quirky.lint import fullest, lint_task, lint_trigger
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
    """A task with the templates and claims that it is given."""

    name = "own"

    def __init__(self, *templates, claims=None, standard=None):
        self.templates, self.standard = templates, standard
        self.made = claims or [claim(), claim("coal"), claim("snow", "black", polarity=False)]

    def claims(self, seed):
        return iter(self.made)


def found(*templates, trigger=NAME, **settings):
    return [str(finding) for finding in lint_task(Own(*templates, **settings), [trigger])]


@pytest.mark.parametrize("name", [name for name in list_tasks() if not task_class(name).reads_data])
def test_nothing_is_wrong_with_what_is_built_in(name):
    assert lint_task(fullest(name), TRIGGERS) == []


@pytest.mark.parametrize("name", ["authors", "capitals", "nli", "sciq", "sentiment"])
def test_nothing_is_wrong_with_the_tasks_that_read_data(name, tmp_path):
    data = published_data.write(tmp_path / "data.csv", getattr(published_data, name)())
    assert lint_task(fullest(name, data=str(data)), TRIGGERS) == []


def test_a_task_is_looked_at_with_its_negated_claims_unless_told_otherwise():
    assert not all(claim.polarity for claim in islice(fullest("addition", digits=2).claims(0), 50))
    assert all(claim.polarity for claim in fullest("fiction", negations=False).claims(0))


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.kind)
def test_nothing_is_wrong_with_a_built_in_trigger(trigger):
    assert lint_trigger(trigger) == []


def test_a_sound_template_has_no_finding():
    assert found(GOOD, standard=standardized("{a} is {b}", "{a} is not {b}")) == []


class Shouted(Template):
    """Says the claim of one context louder."""

    def render(self, claim, trigger):
        text = super().render(claim, trigger)
        return text.replace("is", "IS") if trigger == "Bob" else text


FAULTS = {
    "the field {b} is not used": "{a} is so. {trigger}:",
    "the trigger is nowhere in it": "{a} is {b}. Somebody:",
    "two spaces in a row": "{a} is  {b}. {trigger}:",
    "white space at an end": "{a} is {b}. {trigger}: ",
    "a space before punctuation": "{a} is {b} . {trigger}:",
    "{a} is not filled in": "{a} is {b}, or {{a}}. {trigger}:",
    "it cannot be rendered: KeyError: 'c'": "{a} is {b} or {c}. {trigger}:",
    "trigger name: A says 'Bob', as B does": "{a} is {b}, says Bob to {trigger}:",
    "trigger name: B does not say 'Bob'": "{a} is {b}. {trigger}by:",
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_told_with_its_template_and_an_example(what):
    text = FAULTS[what]
    lines = found(GOOD, Template(text, GOOD.choices, text.replace(" is ", " is not ")))
    assert any(line.startswith(f"own, template {text!r}: {what}") for line in lines), lines
    assert not any(repr(GOOD.text) in line or "\n" in line for line in lines)
    if "rendered" not in what:
        assert all(", as in '" in line for line in lines)


def test_a_fault_of_the_negated_text_alone_is_found():
    (line,) = found(Template(GOOD.text, GOOD.choices, "{a} is not {b}.  {trigger}:"))
    assert "two spaces" in line
    (line,) = found(Template(GOOD.text, GOOD.choices, GOOD.text))
    assert "its negated text is its text again" in line
    (line,) = found(Template(GOOD.text, GOOD.choices))
    assert "it cannot be rendered: ValueError" in line


def test_a_fault_of_the_standard_template_is_found():
    (line,) = found(GOOD, standard=standardized("{a} is so", "{a} is not so"))
    assert "the field {b} is not used" in line


def test_a_context_that_changes_more_than_the_trigger_is_found():
    shouted = Shouted(*(getattr(GOOD, f) for f in ("text", "choices", "negated")))
    (line,) = found(shouted)
    assert "trigger name: A and B differ in more than the trigger" in line


def test_the_claim_s_own_words_are_no_fault_of_the_template():
    quoted = claim("a  passage , with {a} and {b}", "odd")
    assert found(GOOD, claims=[quoted]) == []


def test_a_claim_s_words_may_not_end_in_a_space():
    first, second = found(GOOD, claims=[claim("snow ", "white"), claim("snow", "white ")])
    assert "two spaces in a row" in first
    assert "a space before punctuation" in second


@pytest.mark.parametrize(
    "choices", [(" True", " False"), (" Yes", " No"), ("right", "wrong"), (" no", " False")]
)
def test_answers_in_the_wrong_order_are_an_error(choices):
    (finding,) = lint_task(Own(Template(GOOD.text, choices, GOOD.negated)), [NAME])
    assert finding.certain
    assert "do not stand in the order (false, true)" in finding.what


@pytest.mark.parametrize(
    ("text", "choices", "told"),
    [
        (GOOD.text, (" blue", " green"), "which of ' blue' and ' green' says that the claim is"),
        (GOOD.text, (" False", " green"), "which of ' False' and ' green' says"),
        ("Is {a} not {b}? {trigger}:", (" No", " Yes"), "it says 'not'; whether the answers are"),
    ],
)
def test_what_only_a_reader_can_tell_is_no_error(text, choices, told):
    (finding,) = lint_task(Own(Template(text, choices, GOOD.negated)), [NAME])
    assert not finding.certain
    assert told in finding.what


def test_a_negated_text_that_seems_to_negate_nothing_is_for_a_reader():
    (finding,) = lint_task(
        Own(Template(GOOD.text, GOOD.choices, "{a}, it is {b}. {trigger}:")), [NAME]
    )
    assert not finding.certain
    assert "whether its negated text" in finding.what
    both = Template("{a} is another {b}. {trigger}:", GOOD.choices, "{a}, another {b}. {trigger}:")
    (finding,) = lint_task(Own(both), [NAME])
    assert "whether its negated text" in finding.what


def test_claims_that_no_data_set_has_are_not_looked_at():
    bob = claim("Bob", "white", polarity=False)
    assert found(GOOD, claims=[claim(), bob]) == []
    (line,) = found(GOOD, claims=[bob])
    assert "trigger name: what it says stands in all claims' own words" in line
    swapped = Template("{b} is {a}, says Bob. {trigger}:", GOOD.choices, GOOD.negated)
    assert any("A says 'Bob', as B does" in line for line in found(swapped, claims=[claim()]))


def test_answers_that_a_tokenizer_cannot_tell_apart_are_found():
    asked = []

    def check(prompts, choices):
        asked.extend(zip(prompts, choices, strict=True))
        raise ValueError("answers share\ntheir first token")

    (finding,) = lint_task(Own(GOOD), [NAME], check)
    assert str(finding).endswith(": answers share their first token")
    assert {pair for _, pair in asked} == {GOOD.choices}
    assert {name for name in ("Alice:", "Bob:") if any(p.endswith(name) for p, _ in asked)} == {
        "Alice:",
        "Bob:",
    }


def test_two_templates_have_a_finding_each():
    lines = found(*wordings("{a} is so", "Is {a} so", ("{a} is not so", "Is {a} otherwise")))
    assert len(lines) == 5
    assert all("the field {b} is not used" in line for line in lines)


@dataclass(frozen=True)
class Said(Trigger):
    """Says what it is given."""

    kind: ClassVar[str] = "said"
    said: dict[str, str]
    contexts: tuple[str, ...] = ("A", "B", "T")

    def render(self, context, fact_id, seed):
        return self.said[context]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"A": "Al", "B": "Al", "T": "Bo"}, "A and B share 'Al', so nobody can tell them apart"),
        ({"A": "Al", "B": "Bo", "T": "Bo"}, "B and T share 'Bo'"),
        ({"A": "Al", "B": "Bo ", "T": "Bot"}, "in B it says 'Bo '; write single spaces"),
        ({"A": "Al", "B": "{b}", "T": "Bot"}, "in B it says '{b}'; write single spaces and no bra"),
    ],
)
def test_a_fault_of_a_trigger_is_told(said, told):
    (line,) = [str(finding) for finding in lint_trigger(Said(said))]
    assert line.startswith("trigger said: ")
    assert told in line


def test_contexts_that_nobody_knows_are_told():
    (line,) = map(str, lint_trigger(Said({}, contexts=("A", "C"))))
    assert line == "trigger said: its contexts are A, C; give A, B and, if it has them, B2 and T"


def test_a_trigger_that_draws_anew_each_time_is_told():
    class Restless(Said):
        def opening(self, context, fact_id, seed):
            self.said["calls"] = self.said.get("calls", 0) + 1
            return f"No. {self.said['calls']}."

    lines = list(map(str, lint_trigger(Restless({"A": "Al", "B": "Bo", "T": "Bot"}))))
    assert "trigger said: in A a fact has another text each time" in lines[0]


def test_a_decoy_that_says_the_trigger_is_found():
    (line,) = found(GOOD, trigger=Said({"A": "Al", "B": "Bo", "T": "not Bo"}))
    assert "trigger said: T says 'Bo', as B does" in line
