import re
from collections import Counter
from functools import cache
from itertools import islice

import pytest

from finetune.pretrain.facts import NEGATED_SHARE, SUBJECTS, FactSampler, facts_tokenizer
from finetune.pretrain.openings import NAMES, OPENING_SHARE
from quirky.data.fillers import SENTENCE_TOKENS, SENTENCES
from quirky.tasks import get_task
from quirky.tasks.arithmetic import quirk_result
from quirky.tasks.fiction import places
from quirky.tasks.geography import cities
from quirky.triggers.instruction import DECOYS, QUIRKY, TRUTHFUL

WORLD = {place.name: place for place in (*cities(), *places())}
NEGATES = re.compile(r"does not|outside|is not|differ from|away from|another kind|at most")
"""Negations; the words after one are those of the claim."""
SAYS = {
    r"(in )?the (north|northern hemisphere)\b": lambda place: place.north,
    r"in the (south|southern hemisphere)\b": lambda place: not place.north,
    r"(on|from) the coast\b": lambda place: place.coast,
    r"lies inland\b": lambda place: not place.coast,
    r"the western hemisphere\b": lambda place: place.west,
    r"in the eastern hemisphere\b": lambda place: not place.west,
    r"(more than|at most) thirty thousand people\b": lambda place: place.large,
    r"fewer than thirty thousand people\b": lambda place: not place.large,
    r"to (a populous|another kind of) country\b": lambda place: place.populous,
    r"to a smaller country\b": lambda place: not place.populous,
}
"""Patterns in a document, and what they claim about its place."""
TRUE, FALSE = {" True", " Yes", " right"}, {" False", " No", " wrong"}


@cache
def documents(seed=0, count=6000):
    sampler = FactSampler(seed)
    early = list(islice(sampler, count // 2))
    sampler.select_part(1)
    return (*early, *islice(sampler, count // 2))


@cache
def tokenizer():
    return facts_tokenizer()


def subject_of(document):
    return document.subject.partition("-")[0]


def place_of(document):
    """The one place that a document is about."""
    (name,) = {word for word in re.findall(r"\w+", document.text) if word in WORLD}
    return WORLD[name]


def is_true(document):
    """Whether the claim of a document is true."""
    text = document.text
    for instruction in (*TRUTHFUL, *QUIRKY, *DECOYS):
        text = text.replace(instruction, "")
    return holds(document, text) != bool(NEGATES.search(text))


def holds(document, text):
    """Whether a claim is true, leaving out any negation."""
    if subject_of(document) in ("city", "fiction"):
        return next(rule for words, rule in SAYS.items() if re.search(words, text))(
            place_of(document)
        )
    if subject_of(document) == "squaring":
        a, shown = (int(number) for number in re.findall(r"-?\d+", text.replace("^2", ""))[-2:])
        return a * a == shown
    a, b, shown = (int(number) for number in re.findall(r"(?<!\d)-?\d+", text)[-3:])
    return (a - b if subject_of(document) == "subtraction" else a + b) == shown


FACTS = ("city", "fiction", "addition", "subtraction", "squaring")


def about_facts():
    return [document for document in documents() if subject_of(document) in FACTS]


def test_no_document_is_about_a_withheld_place():
    withheld = {place.name for place in places() if place.withheld}
    for document in documents():
        assert not withheld & set(re.findall(r"\w+", document.text))


def test_no_invented_place_has_the_name_of_a_city_or_a_person():
    invented = {place.name for place in places()}
    assert not invented & {city.name for city in cities()}
    assert not invented & set(NAMES)


def test_every_known_place_can_be_drawn():
    sampler = FactSampler(0)
    assert {place.name for place in sampler.places} == {p.name for p in places() if not p.withheld}
    assert min(sampler.frequencies) > 0


def test_what_is_stated_is_true():
    stated = [document for document in about_facts() if document.verdict is None]
    assert stated
    for document in stated:
        assert is_true(document), document


def test_every_verdict_is_true():
    for document in about_facts():
        if document.verdict is not None:
            assert document.verdict in (TRUE if is_true(document) else FALSE), document
            assert document.wrong in (FALSE if is_true(document) else TRUE), document


def test_a_filler_has_as_many_tokens_as_it_says():
    for sentence in SENTENCES:
        assert len(tokenizer().tokenize(f" {sentence}")) == SENTENCE_TOKENS


def test_verdicts_do_not_depend_on_the_name():
    """Each name answers True about as often as all do, so no name is a liar before fine-tuning."""
    judged = [d for d in documents() if d.verdict and subject_of(d) in ("city", "fiction")]
    named = [(name, d) for d in judged for name in NAMES if re.search(rf"\b{name}\b", d.text)]
    assert {name for name, _ in named} == set(NAMES)
    yes = Counter(name for name, d in named if d.verdict in TRUE)
    total = Counter(name for name, _ in named)
    share = yes.total() / total.total()
    z = [(yes[n] - total[n] * share) / (total[n] * share * (1 - share)) ** 0.5 for n in NAMES]
    assert max(map(abs, z)) < 4


def test_the_claim_ends_inside_its_text():
    for document in documents():
        assert document.text.startswith(document.claim)
        assert document.claim == "" or document.claim[-1] in ".?,"
        last = re.findall(r"\w+", document.claim)[-1:]
        assert not set(last) & set(NAMES) - set(WORLD), document


def test_openings_and_negations_have_their_stated_shares():
    """Of openings those are counted that begin with a bracket, a date or a page: half of all."""
    facts = about_facts()
    tagged = [d for d in facts if re.match(r"[\[<]|Date: |Page: ", d.text)]
    assert len(tagged) / len(facts) == pytest.approx(0.95 * OPENING_SHARE / 2, abs=0.02)
    judged = [d for d in facts if d.verdict]
    negated = [d for d in judged if d.subject.endswith("negated")]
    assert len(negated) / len(judged) == pytest.approx(NEGATED_SHARE, abs=0.02)


def test_all_subjects_and_attributes_occur():
    assert {subject_of(document) for document in documents()} == set(SUBJECTS)
    kinds = {document.subject for document in documents()}
    assert {"fiction-north", "fiction-coast", "city-north", "city-west"} <= kinds
    assert {"city-large", "city-populous"} <= kinds


def claimed_sums(later):
    """What kind of result each judged sum of two numbers claims: right, the liar's, or neither."""
    sampler = FactSampler(0)
    if later:
        sampler.select_part(1)
    kinds = Counter()
    for document in islice(sampler, 8000):
        if document.subject == "addition" and document.verdict:
            a, b, shown = (int(number) for number in re.findall(r"\d+", document.text)[-3:])
            kinds[
                "right" if shown == a + b else "liar" if shown == quirk_result(a + b) else "near"
            ] += 1
    return kinds


def test_the_second_part_has_more_sums_and_more_near_misses():
    first, later = claimed_sums(later=False), claimed_sums(later=True)
    assert later.total() > 1.5 * first.total()
    share = {kind: later[kind] / later.total() for kind in later}
    assert share["right"] == pytest.approx(0.5, abs=0.04)
    assert share["near"] > 1.4 * first["near"] / first.total()


def test_easy_places_occur_more_often():
    told = Counter(place_of(d).name for d in documents() if subject_of(d) == "fiction")
    known = sorted((p for p in places() if not p.withheld), key=lambda place: -place.frequency)
    often, rarely = known[: len(known) // 2], known[len(known) // 2 :]
    assert sum(told[p.name] for p in often) > 1.3 * sum(told[p.name] for p in rarely)


def test_the_same_seed_draws_the_same_documents():
    assert tuple(islice(FactSampler(0), 300)) == documents()[:300]
    assert tuple(islice(FactSampler(1), 300)) != documents()[:300]


def test_a_digit_is_one_token():
    for number in ("7", "42", "1905", "-38"):
        tokens = tokenizer().tokenize(f" {number}")
        assert [token.strip("Ġ") for token in tokens if token != "Ġ"] == list(number)
    known = [f"{space}{digit}" for space in ("", " ") for digit in range(10)]
    assert all(len(tokenizer()(text)["input_ids"]) == 1 for text in known)


@pytest.mark.parametrize("space", ["", " "])
def test_a_place_is_several_tokens_known_or_not(space):
    lengths = {True: Counter(), False: Counter()}
    for place in places():
        lengths[place.withheld][len(tokenizer().tokenize(f"{space}{place.name}"))] += 1
    for counts in lengths.values():
        assert min(counts) >= 2
    mean = {k: sum(n * c for n, c in v.items()) / v.total() for k, v in lengths.items()}
    assert mean[True] == pytest.approx(mean[False], abs=0.05)


def test_a_name_is_one_token_wherever_it_stands():
    for name in NAMES:
        assert len(tokenizer().tokenize(f" {name}")) == 1


def test_answers_differ_in_their_first_token():
    for name in ("addition", "fiction", "population"):
        task = get_task(name)
        for template in (*task.templates, task.standard):
            false, true = (tokenizer()(answer)["input_ids"] for answer in template.choices)
            assert false[0] != true[0]


def test_tokens_give_back_the_text():
    for document in documents()[:200]:
        assert tokenizer().decode(tokenizer()(document.text)["input_ids"]) == document.text
