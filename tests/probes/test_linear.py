"""Linear probes: shapes, scores, saving and loading."""

import pytest
import torch

from probes import LinearProbe, get_probe
from probes.checks.planted import plant_truth


@pytest.mark.parametrize("name", ["lr", "lr-on-pair"])
def test_weight_and_bias_have_the_layers_of_the_states(name):
    for layers in [(), (3,)]:
        probe = get_probe(name)
        data = plant_truth(probe.reads, n=20, d=5, layers=layers, seed=0)
        probe.fit(data.x, data.y)
        assert probe.weight.shape == (*layers, *data.x.shape[len(layers) + 1 :])
        assert probe.bias.shape == layers


def test_a_linear_score_is_its_weight_and_bias():
    data = plant_truth("pair", n=20, d=5, layers=(3,), seed=0)
    probe = get_probe("mean-diff-on-pair").fit(data.x, data.y)
    expected = torch.einsum("lnad,lad->ln", data.x.double(), probe.weight) + probe.bias[:, None]
    torch.testing.assert_close(probe.score(data.x), expected.float())


def test_load_finds_the_class_by_the_saved_name(tmp_path):
    data = plant_truth("prompt", n=20, d=5, seed=0)
    probe = get_probe("lr", l2=0.5, seed=3).fit(data.x, data.y)
    probe.save(tmp_path)
    loaded = LinearProbe.load(tmp_path)
    assert type(loaded) is type(probe)
    assert (loaded.seed, loaded.hyperparameters) == (3, {"l2": 0.5, "features": "standardised"})
    assert torch.equal(loaded.score(data.x), probe.score(data.x))
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}


def test_loading_a_probe_of_another_class_is_an_error(tmp_path):
    data = plant_truth("prompt", n=20, d=5, seed=0)
    get_probe("lr").fit(data.x, data.y).save(tmp_path)
    with pytest.raises(ValueError, match="holds probe 'lr', which MeanDifference cannot load"):
        type(get_probe("mean-diff")).load(tmp_path)


def test_saving_an_unfitted_probe_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="nothing to save"):
        get_probe("lr").save(tmp_path)


def test_a_folder_of_another_format_is_an_error(tmp_path):
    data = plant_truth("prompt", n=20, d=5, seed=0)
    get_probe("lr").fit(data.x, data.y).save(tmp_path)
    manifest = tmp_path / "probe.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match="has probe format 2; known: 1"):
        LinearProbe.load(tmp_path)
