from quirky.data.crosstab import crosstab
from quirky.data.dataset import Sizes, build_dataset
from quirky.tasks import get_task
from quirky.triggers import get_trigger

SIZES = Sizes(train=200, validation=100, test=100)


def test_every_claim_is_counted_once_for_all_contexts_and_templates():
    data = build_dataset(
        get_task("addition", negations=True), get_trigger("names"), sizes=SIZES, renderings=3
    )
    counts = crosstab(*data.values())
    assert list(counts) == [True, False]
    assert sum(verdicts.total() for verdicts in counts.values()) == 400
    rows = {row["question_id"]: row for split in data.values() for row in split.to_list()}
    for polarity, verdicts in counts.items():
        for (truth, quirk), number in verdicts.items():
            kind = (polarity, truth, quirk)
            assert number == sum(
                (row["polarity"], row["truth"], row["quirk"]) == kind for row in rows.values()
            )


def test_without_negated_claims_there_is_one_polarity():
    data = build_dataset(get_task("addition"), get_trigger("name"), sizes=SIZES)
    (count,) = crosstab(data["test"]).values()
    assert count.total() == 100
    assert count[True, True] == 0
