from quirky.crosstab import crosstab
from quirky.dataset import Sizes, build_dataset
from quirky.tasks import get_task
from quirky.triggers import get_trigger

SIZES = Sizes(train=200, validation=100, test=100)


def test_every_claim_is_counted_once_however_often_it_is_asked():
    data = build_dataset(
        get_task("addition", negations=True), get_trigger("names"), sizes=SIZES, renderings=3
    )
    count = crosstab(*data.values())
    assert list(count) == [True, False]
    assert sum(kinds.total() for kinds in count.values()) == 400
    rows = {row["question_id"]: row for split in data.values() for row in split.to_list()}
    for polarity, kinds in count.items():
        for (truth, quirk), number in kinds.items():
            kind = (polarity, truth, quirk)
            assert number == sum(
                (row["polarity"], row["truth"], row["quirk"]) == kind for row in rows.values()
            )


def test_without_negated_claims_there_is_one_polarity():
    data = build_dataset(get_task("addition"), get_trigger("name"), sizes=SIZES)
    (count,) = crosstab(data["test"]).values()
    assert count.total() == 100
    assert count[True, True] == 0
