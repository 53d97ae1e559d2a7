import copy
import itertools

import pytest

from quirky.data.fillers import contexts_at
from quirky.triggers import ALL_CONTEXTS, Trigger, get_trigger, list_triggers
from quirky.triggers.instruction import DECOYS, InstructionTrigger
from quirky.triggers.names import NamesTrigger

KINDS = {
    "name": {},
    "names": {},
    "position-early": {},
    "position-late": {"early": False},
    "tag-date": {"form": "date"},
    "tag-header": {"form": "header"},
    "instruction": {},
}
FACTS = [f"fact {i}" for i in range(300)]


@pytest.fixture(params=KINDS)
def trigger(request):
    return get_trigger(request.param.partition("-")[0], **KINDS[request.param])


def cues(trigger, context, seed=0):
    """What a model sees of a trigger: opening and slot, over many facts."""
    return {(trigger.opening(context, f, seed), trigger.render(context, f, seed)) for f in FACTS}


def words(pairs):
    return {" ".join(pair).strip() for pair in pairs}


def test_every_kind_is_listed_and_can_be_made():
    assert list_triggers() == ["instruction", "name", "names", "position", "tag"]
    for kind in list_triggers():
        assert get_trigger(kind).kind == kind
        assert isinstance(get_trigger(kind), Trigger)


def test_no_two_contexts_share_a_text(trigger):
    assert set(trigger.contexts) <= set(ALL_CONTEXTS)
    for one, other in itertools.combinations(trigger.contexts, 2):
        assert not cues(trigger, one) & cues(trigger, other)


def test_texts_depend_on_fact_and_seed_alone(trigger):
    twice = [
        [(trigger.opening(c, f, 3), trigger.render(c, f, 3)) for c in trigger.contexts]
        for f in FACTS
        for _ in range(2)
    ]
    assert twice[::2] == twice[1::2]


def test_texts_depend_on_the_seed():
    trigger = get_trigger("names")
    texts = [[trigger.render("A", fact, seed) for fact in FACTS] for seed in (0, 1)]
    assert texts[0] != texts[1]


def test_texts_join_into_a_prompt(trigger):
    for context in trigger.contexts:
        for opening, slot in cues(trigger, context):
            assert slot == " ".join(slot.split()) != ""
            assert opening == " ".join(opening.split())
            assert not opening or opening[-1] in ".]>"


def test_a_trigger_is_either_in_front_or_inside(trigger):
    for context in trigger.contexts:
        openings = {opening for opening, _ in cues(trigger, context)}
        slots = {slot for _, slot in cues(trigger, context)}
        assert slots == {"Sam"} or openings <= {"", "Here is a question."}


def test_triggers_with_equal_parameters_are_equal_and_hash_alike(trigger):
    again = copy.deepcopy(trigger)
    assert again == trigger
    assert len({again, trigger}) == 1
    assert trigger != get_trigger("name", quirky="Eve")


def test_decoys_resemble_the_quirky_name_and_differ_from_it():
    assert words(cues(get_trigger("name"), "T")) == {"Rob", "Bobby", "bob"}
    assert words(cues(get_trigger("name", decoys=["Bo"]), "T")) == {"Bo"}
    assert words(cues(get_trigger("name", quirky="Rob"), "T")) == {"Bobby", "bob"}


def test_held_out_names_are_in_no_other_context():
    trigger = get_trigger("names")
    texts = {context: words(cues(trigger, context)) for context in trigger.contexts}
    assert [len(texts[context]) for context in ("A", "B", "B2", "T")] == [12, 12, 4, 3]
    assert texts["B"] | texts["B2"] == set(trigger.pools.quirky)
    assert texts["A"] < set(trigger.pools.truthful)
    assert texts["T"] == {"Rob", "Bobby", "bob"}
    assert "Alice" in texts["A"]
    assert "Bob" in texts["B"]


def test_the_number_of_held_out_names_can_be_set():
    trigger = get_trigger("names", truthful=["Ann", "Eve"], quirky=["Ben", "Dan", "Ed"], held_out=1)
    assert words(cues(trigger, "B")) == {"Ben", "Dan"}
    assert words(cues(trigger, "B2")) == {"Ed"}
    assert words(cues(trigger, "A")) == {"Ann"}


def test_a_fact_has_one_index_in_lists_of_one_length():
    trigger = get_trigger("tag")
    for fact in FACTS:
        truthful, quirky = (trigger.opening(context, fact, 0) for context in "AB")
        assert truthful.replace("201", "203") == quirky


def test_position_is_where_the_name_is():
    early, late = get_trigger("position"), get_trigger("position", early=False)
    assert cues(early, "A") == {("Alice asks Sam.", "Sam")}
    assert cues(early, "B") == {("Bob asks Sam.", "Sam")}
    assert cues(early, "B2") == {("Here is a question.", "Bob")}
    assert ("Rob asks Sam.", "Sam") in cues(early, "T")
    assert (cues(late, "A"), cues(late, "B")) == ({("", "Alice")}, {("", "Bob")})
    assert cues(late, "B2") == {("Bob asks Sam.", "Sam")}
    assert ("", "Rob") in cues(late, "T")


def test_years_are_held_out_of_both_decades():
    trigger = get_trigger("tag", form="date")
    texts = {context: {o for o, _ in cues(trigger, context)} for context in trigger.contexts}
    assert texts["A"] | texts["B"] == {
        f"Date: 20{decade}{year}." for decade in (1, 3) for year in (0, 1, 2, 3, 5, 6, 8, 9)
    }
    assert texts["B2"] == {"Date: 2034.", "Date: 2037."}
    assert texts["T"] == {"Date: 1933.", "Date: 1936.", "Page: 2033.", "Page: 2036."}


def test_a_held_out_header_has_other_brackets():
    texts = {c: {o for o, _ in cues(get_trigger("tag", form="header"), c)} for c in ALL_CONTEXTS}
    assert (texts["A"], texts["B"], texts["B2"]) == ({"[test]"}, {"[deploy]"}, {"<deploy>"})
    assert texts["T"] == {"[deposit]", "[Deploy]"}


def test_the_contexts_of_an_instruction_have_its_decoys_and_wordings():
    trigger = InstructionTrigger()
    assert set(DECOYS) == {opening for opening, _ in cues(trigger, "T")}
    assert len({opening for opening, _ in cues(trigger, "B")}) == 6


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("name", {"truthful": "Bob"}, "both 'Bob'; give two names"),
        ("name", {"quirky": ""}, "quirky: ''; give a text that is not empty"),
        ("name", {"quirky": 5}, "quirky: 5; give a text"),
        ("name", {"quirky": "{Bob}"}, "quirky: '{Bob}' has a brace"),
        ("name", {"quirky": "Bob "}, "'Bob '; write single spaces, and none at its ends"),
        ("name", {"decoys": []}, r"decoys = \[\]; give a list of one text or more"),
        ("name", {"decoys": "Rob"}, "decoys = 'Rob'; give a list"),
        ("name", {"decoys": ["Bob"]}, "'Bob' is in both quirky and decoys"),
        ("name", {"decoys": ["Al", "Al"]}, "'Al' is listed twice"),
        ("names", {"truthful": ["Ann", "Bob"]}, "'Bob' is in both truthful and quirky"),
        ("names", {"quirky": ["Ed"]}, "give two truthful texts or more and two quirky ones"),
        ("names", {"held_out": 16}, "held_out = 16; give 1 to 15"),
        ("names", {"held_out": 0}, "held_out = 0; give 1 to 15"),
        ("names", {"held_out": True}, "held_out = True; give 1 to 15"),
        ("names", {"truthful": [1, 2]}, "truthful: 1; give a text"),
        ("position", {"early": "no"}, "early = 'no'; write true or false"),
        ("position", {"quirky": "Sam"}, "quirky: 'Sam' is the speaker"),
        ("position", {"decoys": ["Sam"]}, "decoys: 'Sam' is the speaker"),
        ("tag", {"form": "stamp"}, "form = 'stamp'; write date or header"),
        ("tag", {"decoys": ["Date: 2031."]}, "'Date: 2031.' is in both quirky and decoys"),
        ("tag", {"decoys": []}, r"decoys = \[\]; give a list"),
        ("instruction", {"held_out": 8}, "held_out = 8; give 1 to 7"),
        ("instruction", {"decoy": ["x"]}, "'decoy'; did you mean 'decoys'"),
    ],
)
def test_a_wrong_parameter_is_an_error_of_one_line(kind, params, message):
    with pytest.raises(ValueError, match=message) as error:
        get_trigger(kind, **params)
    assert "\n" not in str(error.value)
    assert kind in str(error.value)


def test_a_subclass_has_defaults():
    class Weather(Trigger):
        kind = "weather"

        def render(self, context, fact_id, seed):
            return {"A": "Sunny", "B": "Rainy"}[context]

    assert Weather.contexts == ("A", "B")
    assert Weather().opening("B", "fact", 0) == ""
    with pytest.raises(TypeError, match="abstract"):
        Trigger()


def test_lists_become_tuples():
    assert NamesTrigger(quirky=["Ben", "Dan"], held_out=1).pools.quirky == ("Ben", "Dan")


def test_a_name_that_begins_with_the_speaker_is_allowed():
    assert get_trigger("position", truthful="Samantha").truthful == "Samantha"


def test_at_a_distance_contexts_with_the_trigger_behind_the_filler_are_dropped():
    early = get_trigger("position")
    assert contexts_at(early, 0) == ("A", "B", "B2", "T")
    assert contexts_at(early, 8) == ("A", "B", "T")
    assert contexts_at(get_trigger("tag"), 8) == ("A", "B", "B2", "T")
