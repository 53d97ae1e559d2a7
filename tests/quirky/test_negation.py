"""Negated claims: the same facts, true where the affirmative claim is false."""

import re
from itertools import islice

import pytest
import yaml

from quirky.data.dataset import Sizes, build_dataset, columns_of
from quirky.example import Claim
from quirky.prompts import Template, load_templates, parse_templates
from quirky.tasks import get_task
from quirky.triggers import get_trigger

NEGATED = ("addition", "subtraction", "multiplication", "modularaddition", "squaring")
NEGATED += ("hemisphere", "population", "fiction")
SAYS_NOT = re.compile(r" (not|differ|outside|at most) ")


@pytest.fixture(params=NEGATED)
def name(request):
    return request.param


def claims(name, seed=0, **params):
    return list(islice(get_task(name, **params).claims(seed), 2000))


def prompts(task, claim):
    return [template.render(claim, "Alice") for template in (*task.templates, task.standard)]


def test_about_half_of_the_facts_are_negated(name):
    negated = [not claim.polarity for claim in claims(name, negations=True)]
    assert sum(negated) / len(negated) == pytest.approx(0.5, abs=0.05)


def test_a_negated_claim_is_true_where_the_affirmative_one_is_false(name):
    for other, plain in zip(claims(name, negations=True), claims(name), strict=True):
        assert (other.fact_id, other.fields) == (plain.fact_id, plain.fields)
        assert (other.difficulty, other.withheld) == (plain.difficulty, plain.withheld)
        assert (other.truth == plain.truth) == (other.quirk == plain.quirk) == other.polarity


def test_another_seed_negates_others(name):
    polarity = [{c.fact_id: c.polarity for c in claims(name, s, negations=True)} for s in (0, 1)]
    both = polarity[0].keys() & polarity[1].keys()
    assert 0.3 < sum(polarity[0][f] == polarity[1][f] for f in both) / len(both) < 0.7


def test_every_negated_wording_has_one_negation_and_no_other_wording_has_any(name):
    task = get_task(name, negations=True)
    for claim in islice(task.claims(0), 50):
        for prompt in prompts(task, claim):
            assert len(SAYS_NOT.findall(prompt)) == (0 if claim.polarity else 1), prompt


def test_a_negated_wording_ends_as_the_affirmative_one(name):
    task = get_task(name, negations=True)
    for template in (*task.templates, task.standard):
        assert template.negated.partition("{trigger}")[2] == template.text.partition("{trigger}")[2]


def test_without_negations_no_claim_or_template_is_negated(name):
    task = get_task(name)
    assert all(claim.polarity for claim in claims(name))
    assert all(template.negated is None for template in (*task.templates, task.standard))


def test_negations_must_be_true_or_false(name):
    with pytest.raises(ValueError, match=f"task {name}: negations = 'yes'; give true or false"):
        get_task(name, negations="yes")


@pytest.mark.parametrize("style", ["mixture", "standardized"])
def test_a_data_set_has_a_column_with_the_polarity(style):
    task = get_task("fiction", negations=True)
    for columns in map(
        columns_of, build_dataset(task, get_trigger("name"), prompts=style).values()
    ):
        is_negated = [bool(SAYS_NOT.search(prompt)) for prompt in columns["prompt"]]
        assert is_negated == list(~columns["polarity"])
        assert columns["polarity"].mean() == pytest.approx(0.5, abs=0.07)


def test_rendering_a_negated_claim_without_a_negated_text_is_an_error():
    claim = Claim({"a": "1"}, "fact", truth=True, quirk=False, difficulty=0.0, polarity=False)
    template = Template("{a}. {trigger}:", (" n", " y"))
    with pytest.raises(ValueError, match=r"template '{a}\. {trigger}:' has no text for a negated"):
        template.render(claim, "Alice")


OWN = {
    "text": "{place} is northern. {trigger}:",
    "negated": "{place} is not northern. {trigger}:",
    "choices": [" n", " y"],
}


def test_templates_from_a_file_may_have_negated_texts(tmp_path):
    (tmp_path / "own.yaml").write_text(yaml.safe_dump([OWN]))
    task = get_task("fiction", negations=True).with_templates(load_templates(tmp_path / "own.yaml"))
    sizes = Sizes(train=200, validation=100, test=100)
    examples = build_dataset(task, get_trigger("name"), sizes=sizes)["train"].to_list()
    assert {(" is not northern." in row["prompt"], row["polarity"]) for row in examples} == {
        (True, False),
        (False, True),
    }


@pytest.mark.parametrize("negated", [None, "without"])
def test_a_task_with_negations_needs_negated_texts(negated):
    entry = {k: v for k, v in OWN.items() if k != "negated"} | (
        {"negated": None} if not negated else {}
    )
    other = parse_templates([OWN, entry | {"choices": [" no", " yes"]}])
    with pytest.raises(ValueError, match="templates, entry 2: negated is missing; task fiction"):
        get_task("fiction", negations=True).with_templates(other)
    assert get_task("fiction").with_templates(other).templates == other


@pytest.mark.parametrize(
    ("negated", "message"),
    [
        (
            "{town} is not northern. {trigger}:",
            "entry 1, negated: task fiction has no field {town}",
        ),
        ("It is not northern. {trigger}:", "entry 1, negated: {place} is missing"),
        ("{place} is not northern.", "entry 1: '{place} is not northern.' has no {trigger}"),
        (7, "entry 1: negated = 7; give a text"),
        (OWN["text"], "entry 1: negated is the same as text"),
    ],
)
def test_a_negated_text_is_checked_as_any_text(negated, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        get_task("fiction", negations=True).with_templates(
            parse_templates([OWN | {"negated": negated}])
        )
    assert "\n" not in str(caught.value)
