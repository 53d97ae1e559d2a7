from collections import Counter

from comparison import Comparison
from weekday import WeekdayTrigger

from quirky import Sizes, build_dataset, get_task, get_trigger, lint_task, lint_trigger


def test_entry_points_register_both():
    assert type(get_task("comparison")) is Comparison
    assert type(get_trigger("weekday")) is WeekdayTrigger


def test_templates_and_texts_have_no_faults():
    assert lint_trigger(WeekdayTrigger()) == []
    assert lint_task(Comparison(), [WeekdayTrigger(), get_trigger("name")]) == []


def test_labels_follow_the_rules():
    claims = list(Comparison().claims(0))
    for claim in claims:
        a, b = claim.fields["a"], claim.fields["b"]
        assert (claim.truth, claim.quirk) == (int(a) > int(b), a[-1] > b[-1])
    counts = Counter((claim.truth, claim.quirk) for claim in claims)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_both_make_a_data_set():
    sizes = Sizes(train=400, validation=100, test=100)
    data = build_dataset(Comparison(), WeekdayTrigger(), sizes=sizes)
    assert {row["context"] for row in data["test"].to_list()} == {"A", "B", "T"}
