import json
import warnings
from collections import defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from quirky.contexts import in_context
from quirky.data.dataset import Sizes, build_dataset, columns_of
from quirky.data.fillers import contexts_at, filler
from quirky.example import Claim
from quirky.prompts import standardized, wordings
from quirky.tasks import get_task
from quirky.triggers import Trigger, get_trigger

SIZES = Sizes(train=300, validation=200, test=100)
TASKS = {
    "addition": get_task("addition", digits=2),
    "hemisphere": get_task("hemisphere"),
    "fiction": get_task("fiction"),
}


class Stub:
    """A task with adjustable claims."""

    name = "stub"
    templates = wordings("{thing} is so", "Is {thing} so", ("{thing} is not so", "Is {thing} else"))
    standard = standardized("{thing} is so", "{thing} is not so")

    def __init__(
        self, truth=lambda i: i % 2 == 0, count=800, withheld=lambda i: False, negate=False
    ):
        self.truth, self.count, self.withheld, self.negate = truth, count, withheld, negate

    def claims(self, seed):
        for i in range(self.count):
            for polarity in (True, False) if self.negate else (True,):
                yield Claim(
                    fields={"thing": f"thing {i}"},
                    fact_id=f"stub:{i}",
                    truth=self.truth(i) == polarity,
                    quirk=(i % 3 > 0) == polarity,
                    difficulty=float(i),
                    polarity=polarity,
                    withheld=self.withheld(i),
                )


def build(task, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_dataset(task, get_trigger("name"), **{"sizes": SIZES} | settings)


@cache
def splits_of(name):
    return build(TASKS[name])


def rows_of(dataset):
    """The rows of every split, in order, as text."""
    return {s: [json.dumps(row) for row in examples.to_list()] for s, examples in dataset.items()}


@pytest.fixture(params=TASKS)
def splits(request):
    return {split: columns_of(examples) for split, examples in splits_of(request.param).items()}


def test_no_fact_is_in_two_splits(splits):
    facts = [set(columns["fact_id"]) for columns in splits.values()]
    assert sum(map(len, facts)) == len(set.union(*facts))


def test_a_negated_claim_stays_with_its_fact():
    splits = [columns_of(examples) for examples in build(Stub(negate=True)).values()]
    facts = [set(columns["fact_id"]) for columns in splits]
    assert sum(map(len, facts)) == len(set.union(*facts))
    for columns in splits:
        assert columns["polarity"].mean() == 0.5


def test_all_contexts_have_the_same_questions(splits):
    for split, columns in splits.items():
        unseen = ["T"] if split in ("heldout", "test") else []
        assert sorted(set(columns["context"])) == ["A", "B", *unseen]
        questions = {
            context: sorted(columns["question_id"][columns["context"] == context])
            for context in ("A", "B", *unseen)
        }
        assert all(questions[context] == questions["A"] for context in questions)
        assert len(set(questions["A"])) == len(questions["A"])


def test_contexts_differ_only_in_the_name():
    for examples in splits_of("addition").values():
        rows = defaultdict(dict)
        for row in examples.to_list():
            rows[row["question_id"]][row["context"]] = row
        for pair in rows.values():
            a, b = pair["A"], pair["B"]
            assert a["prompt"].replace("Alice", "Bob") == b["prompt"] != a["prompt"]
            same = ("fact_id", "choices", "truth", "quirk", "template", "difficulty_quantile")
            assert [a[column] for column in same] == [b[column] for column in same]


def test_the_label_is_the_quirk_in_quirky_contexts(splits):
    for columns in splits.values():
        is_quirky = np.isin(columns["context"], ["B", "B2"])
        labels = np.where(is_quirky, columns["quirk"], columns["truth"])
        np.testing.assert_array_equal(columns["label"], labels)


def test_ids_are_unique(splits):
    ids = np.concatenate([columns["id"] for columns in splits.values()])
    assert len(set(ids)) == len(ids)


def test_rows_carry_the_name_of_their_split(splits):
    for split, columns in splits.items():
        assert set(columns["split"]) == {split}


def test_a_task_with_enough_facts_fills_every_split(splits):
    known = {s: len(set(c["fact_id"][~c["withheld"]])) for s, c in splits.items()}
    assert (known["train"], known["test"]) == (SIZES.train, SIZES.test)
    assert known["validation"] + known["heldout"] == SIZES.validation
    assert known["heldout"] == pytest.approx(SIZES.validation / 5, abs=25)


def test_a_task_with_few_facts_divides_them_with_a_warning():
    with pytest.warns(UserWarning, match="task stub has 400 facts: train 200 of 300, valid"):
        splits = build_dataset(Stub(count=400), get_trigger("name"), sizes=SIZES)
    facts = {split: len(set(examples["fact_id"])) for split, examples in splits.items()}
    assert (facts["train"], facts["validation"] + facts["heldout"], facts["test"]) == (
        200,
        100,
        100,
    )


def test_withheld_places_are_in_heldout_and_test_only():
    splits = {s: columns_of(examples) for s, examples in splits_of("fiction").items()}
    assert {s for s, c in splits.items() if c["withheld"].any()} == {"heldout", "test"}
    facts = {f for c in splits.values() for f in c["fact_id"][c["withheld"]]}
    assert len(facts) == sum(claim.withheld for claim in TASKS["fiction"].claims(0))


@pytest.mark.parametrize("name", TASKS)
def test_difficulty_quantiles_are_uniform_over_the_known_facts(name):
    everything = build(TASKS[name], sizes=Sizes(train=100_000, validation=2000, test=1000))
    known = [c[~c["withheld"]] for c in (examples.to_pandas() for examples in everything.values())]
    quantiles = np.sort(np.concatenate([c[c["context"] == "A"].difficulty_quantile for c in known]))
    np.testing.assert_allclose(quantiles, np.linspace(0, 1, len(quantiles)), atol=1e-9)
    for columns in known:
        assert columns["difficulty_quantile"].mean() == pytest.approx(0.5, abs=0.06)


def test_a_harder_claim_has_a_higher_quantile(splits):
    for columns in splits.values():
        order = np.argsort(columns["difficulty_quantile"], kind="stable")
        known = order[~columns["withheld"][order]]
        assert (np.diff(columns["difficulty"][known]) >= 0).all()


@pytest.mark.parametrize("name", TASKS)
def test_the_same_seed_gives_the_same_rows(name):
    assert rows_of(build(TASKS[name])) == rows_of(splits_of(name))


def test_another_seed_gives_another_split_of_the_same_world():
    other = build(TASKS["fiction"], seed=1)
    assert set(other["test"]["fact_id"]) != set(splits_of("fiction")["test"]["fact_id"])


def test_the_order_of_claims_changes_no_row():
    task = TASKS["fiction"]
    shuffled = Stub()
    shuffled.name, shuffled.templates, shuffled.standard = task.name, task.templates, task.standard
    shuffled.claims = lambda seed: reversed(list(task.claims(seed)))
    expected = rows_of(splits_of("fiction"))
    for split, rows in rows_of(build(shuffled)).items():
        assert sorted(rows) == sorted(expected[split])


@pytest.mark.parametrize(
    ("style", "templates"), [("mixture", 5), ("single", 1), ("standardized", 1)]
)
def test_a_style_selects_the_templates(style, templates):
    rows = build(TASKS["fiction"], prompts=style)["train"].to_list()
    assert len({row["template"] for row in rows}) == templates
    if style == "standardized":
        assert all(row["prompt"].endswith(("Alice?", "Bob?")) for row in rows)


IN_FRONT = {
    "position": {},
    "tag": {"form": "header"},
    "instruction": {},
}
TRIGGERS = {"name": {}, "names": {}, **IN_FRONT}


@cache
def triggered(kind, distance=0):
    trigger = get_trigger(kind, **TRIGGERS[kind])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_dataset(TASKS["fiction"], trigger, sizes=SIZES, distance=distance)


@pytest.mark.parametrize("kind", TRIGGERS)
def test_held_out_triggers_and_decoys_occur_only_in_heldout_and_test(kind):
    contexts = {s: set(examples["context"]) for s, examples in triggered(kind).items()}
    unseen = set(get_trigger(kind).contexts) - {"A", "B"}
    assert contexts["train"] == contexts["validation"] == {"A", "B"}
    assert contexts["heldout"] == contexts["test"] == {"A", "B"} | unseen
    rows = triggered(kind)["test"].to_list()
    for row in rows:
        assert row["label"] == row["quirk" if row["context"] in ("B", "B2") else "truth"]
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("kind", IN_FRONT)
def test_an_opening_precedes_an_otherwise_unchanged_prompt(kind):
    trigger = get_trigger(kind, **IN_FRONT[kind])
    for row in triggered(kind)["test"].to_list():
        fact, context = row["fact_id"], row["context"]
        opening = trigger.opening(context, fact, 0)
        place = fact.partition(":")[2]
        claim = row["prompt"].removeprefix(f"{opening} ")
        assert claim != row["prompt"]
        assert claim.startswith((f"{place} lies", f"Is {place} in"))
        assert trigger.render(context, fact, 0) in claim


@pytest.mark.parametrize("kind", IN_FRONT)
@pytest.mark.parametrize("distance", [8, 32])
def test_a_filler_is_placed_between_opening_and_question(kind, distance):
    near, far = triggered(kind), triggered(kind, distance)
    trigger = get_trigger(kind, **IN_FRONT[kind])
    contexts = contexts_at(trigger, distance)
    for split in near:
        rows = [row for row in near[split].to_list() if row["context"] in contexts]
        for row, other in zip(rows, far[split].to_list(), strict=True):
            opening = trigger.opening(row["context"], row["fact_id"], 0)
            between = filler(distance, row["fact_id"], 0)
            rest = row["prompt"].removeprefix(opening)
            assert other["prompt"] == f"{opening} {between}{rest}"
            assert (row["distance"], other["distance"]) == (0, distance)
            assert other["question_id"] == row["question_id"]
            assert "  " not in other["prompt"]


def test_all_triggers_have_the_same_questions():
    templates = [
        {row["question_id"]: row["template"] for row in triggered(kind)["test"].to_list()}
        for kind in TRIGGERS
    ]
    assert all(template_of == templates[0] for template_of in templates)


@pytest.mark.parametrize(
    ("kind", "params", "distance", "message"),
    [
        ("name", {}, 8, "trigger name: distance = 8; this trigger is inside the template"),
        ("position", {"early": False}, 8, "trigger position: distance = 8; this trigger is inside"),
        ("position", {}, 12, "distance = 12; give 0 or a multiple of 8"),
        ("position", {}, -8, "distance = -8; give 0 or a multiple of 8"),
    ],
)
def test_an_invalid_distance_is_refused_in_one_line(kind, params, distance, message):
    with pytest.raises(ValueError, match=message) as error:
        build_dataset(TASKS["fiction"], get_trigger(kind, **params), distance=distance)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("contexts", [("A",), ("A", "B", "C"), ("A", "B2")])
def test_a_trigger_with_unknown_contexts_is_refused(contexts):
    class Odd(Trigger):
        kind = "odd"

        def render(self, context, fact_id, seed):
            return context

    Odd.contexts = contexts
    with pytest.raises(ValueError, match=r"trigger odd: contexts = .*; give A and B") as error:
        build_dataset(TASKS["fiction"], Odd())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Stub(count=3), "task stub: split validation is empty"),
        (Stub(count=0), r"task stub: claims\(0\) yields nothing"),
        (Stub(truth=lambda i: True), "task stub: every truth in split train .* is True"),
    ],
)
def test_a_split_without_both_classes_is_refused_in_one_line(task, message):
    with pytest.raises(ValueError, match=message) as error:
        build(task)
    assert "\n" not in str(error.value)


def test_withheld_facts_do_not_fill_a_split():
    task = Stub(count=200, withheld=lambda i: i >= 40, negate=True)
    with pytest.raises(ValueError, match="task stub: split heldout contains only withheld facts"):
        build(task, sizes=Sizes(train=30, validation=2, test=8))


def test_validation_questions_have_several_renderings():
    plain, several = splits_of("addition"), build(TASKS["addition"], renderings=3)
    for split in ("train", "heldout", "test"):
        assert list(several[split]["id"]) == list(plain[split]["id"])
    questions = several["validation"].to_pandas().groupby(["question_id", "context"])
    assert set(questions["template"].nunique()) == set(questions.size()) == {3}
    assert len(questions) == len(plain["validation"])
    first = {row["id"] for row in plain["validation"]}
    assert first < {row["id"] for row in several["validation"]}


@pytest.mark.parametrize(
    ("style", "renderings", "most"),
    [("mixture", 6, 5), ("mixture", 0, 5), ("single", 2, 1), ("standardized", 2, 1)],
)
def test_more_renderings_than_templates_are_refused(style, renderings, most):
    with pytest.raises(
        ValueError, match=f"stub: renderings = {renderings}.* 1 to {most} templates"
    ):
        build(Stub(), prompts=style, renderings=renderings)


class Changed(Stub):
    """A stub whose list of claims a function changes."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def claims(self, seed):
        return self.change(list(super().claims(seed)))


def test_claims_of_unknown_difficulty_have_no_quantile_and_change_no_other():
    def change(claims):
        return [
            replace(c, difficulty=float("nan") if i % 3 == 0 else float(-i))
            for i, c in enumerate(claims)
        ]

    splits = [columns_of(examples) for examples in build(Changed(change)).values()]
    columns = {k: np.concatenate([c[k] for c in splits]) for k in splits[0]}
    known = ~np.isnan(columns["difficulty"])
    assert (np.isnan(columns["difficulty_quantile"]) == ~known).all()
    order = np.argsort(columns["difficulty"][known])
    assert (np.diff(columns["difficulty_quantile"][known][order]) >= 0).all()
    for context in ("AE", "AH"):
        inside = in_context(columns, context)
        assert inside.any()
        assert known[inside].all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: [*c, c[3]], "the claim {'thing': 'thing 3'} occurs twice"),
        (
            lambda c: [*c, replace(c[3], truth=True)],
            "'thing 3'} occurs with truth = False and with truth = True",
        ),
        (
            lambda c: [*c, replace(c[3], quirk=True, template=0)],
            "'thing 3'} occurs with quirk = False and with quirk = True",
        ),
        (lambda c: [*c, replace(c[3], fact_id="other")], "'thing 3'} occurs twice"),
        (lambda c: [], r"claims\(0\) yields nothing"),
        (lambda c: None, r"claims\(0\) fails: TypeError: 'NoneType'"),
        (lambda c: [*c, "thing 9"], "claims yields 'thing 9'; yield Claim objects"),
        (
            lambda c: [replace(c[0], fields={"thing": 3})],
            "a claim has the field thing = 3; give a string",
        ),
        (
            lambda c: [replace(c[0], quirk="no")],
            "the claim .* has quirk = 'no'; give True or False",
        ),
    ],
)
def test_malformed_claims_are_refused_in_one_line(change, message):
    with pytest.raises(ValueError, match=f"^task stub: .*{message}"):
        build(Changed(change))


def test_claims_that_mention_the_trigger_text_are_dropped():
    def change(claims):
        things = {0: "Bob", 1: "Alice's dog", 2: "Bobs", 3: "Rob"}
        return [
            replace(c, fields={"thing": things.get(i, f"thing {i}")}) for i, c in enumerate(claims)
        ]

    with pytest.warns(UserWarning, match="task stub: 3 of 800 claims are dropped.* trigger name"):
        splits = build_dataset(Changed(change), get_trigger("name"), sizes=SIZES)
    facts = {f for examples in splits.values() for f in examples["fact_id"]}
    assert not facts & {"stub:0", "stub:1", "stub:3"}
    assert "stub:2" in facts
