import pytest
import torch

from probes.checks.planted import plant_truth
from probes.numerics.erasure import answer_template_codes, erase_groups, erased_groups

ERASURES = ["leace", "leace-template-raw", "leace-template"]

DATA = plant_truth("pair", n=120, d=12, seed=0)
TEMPLATE = DATA.columns["template"]


def test_states_are_in_the_order_of_the_pairs():
    groups = answer_template_codes(torch.tensor([7, 2]), torch.zeros(2, 2, 4), "ccs")
    assert groups.argmax(-1).tolist() == [2, 3, 0, 1]


def test_without_templates_only_the_answer_is_a_group():
    groups = answer_template_codes(None, DATA.x, "ccs")
    assert groups.sum(0).tolist() == [120, 120]


@pytest.mark.parametrize("erasure", ERASURES)
def test_all_groups_have_the_same_mean(erasure):
    offsets = 10 * torch.randn(3, 2, 12, generator=torch.Generator().manual_seed(1))
    groups = erased_groups(erasure, TEMPLATE, DATA.x, "ccs")
    states = erase_groups(DATA.x + offsets[TEMPLATE], groups, erasure).states
    rows = states.transpose(0, 1).flatten(0, 1)
    means = groups.mT @ rows / groups.sum(0)[:, None]
    assert (means - rows.mean(0)).abs().max() < 0.05 * rows.std()


def test_only_the_published_form_ignores_the_template():
    assert erased_groups("leace", TEMPLATE, DATA.x, "ccs").shape == (240, 2)
    for erasure in ERASURES[1:]:
        assert erased_groups(erasure, TEMPLATE, DATA.x, "ccs").shape == (240, 6)


@pytest.mark.parametrize("erasure", ERASURES)
def test_the_map_is_the_linear_part(erasure):
    groups = answer_template_codes(TEMPLATE, DATA.x, "ccs")
    states, linear, _, _ = erase_groups(DATA.x, groups, erasure)
    mapped = DATA.x.double().transpose(0, 1) @ linear.mT
    torch.testing.assert_close(mapped - mapped[:, :1], states - states[:, :1])


def test_states_are_scaled_by_feature_only_if_asked():
    x = DATA.x * torch.logspace(-2, 2, 12)
    groups = answer_template_codes(None, x, "ccs")
    for erasure in ERASURES[:2]:
        scale = erase_groups(x, groups, erasure).scale
        assert torch.equal(scale, scale[:1].expand(12))
    spread = (x - x.mean(0)).double().square().mean((0, 1)).sqrt()
    torch.testing.assert_close(erase_groups(x, groups, "leace-template").scale, spread)


def test_more_groups_than_features_are_an_error():
    with pytest.raises(ValueError, match=r"'crc' erases 240 groups .* leaves nothing of 12 feat"):
        answer_template_codes(torch.arange(120), DATA.x, "crc")
