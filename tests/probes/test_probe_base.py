import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from probes import LinearProbe, Probe, get_probe, sklearn_probe
from probes.checks.planted import plant_truth


class Echo(Probe):
    """Remembers what it was given."""

    name = "echo"
    reads = "prompt"
    supervision = "labels"
    needs = ("template", "polarity")

    def fit(self, x, y, **needs):
        self.given = x, y, needs
        return self

    def score(self, x, **needs):
        self.scored = x, needs
        return x.sum(-1)


def test_a_probe_is_given_clean_input():
    probe = Echo().fit(torch.ones(4, 2, dtype=torch.bfloat16), [0, 1, 1, 0], template=[0, 0, 1, 1])
    x, y, needs = probe.given
    assert x.dtype == torch.float32
    assert y.dtype == torch.bool
    assert needs["template"].tolist() == [0, 0, 1, 1]


def test_polarity_is_for_fit_alone():
    probe = Echo().fit(torch.ones(4, 2), [0, 1, 1, 0], polarity=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="'polarity' here; it takes template"):
        probe.score(torch.ones(4, 2), polarity=[0, 0, 1, 1])


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((3, 4, 5), "on 2 features; these states have 5"), ((1, 4, 2), r"\(3,\).*have \(1,\)")],
)
def test_states_unlike_the_fitted_ones_are_refused(shape, sentence):
    probe = Echo().fit(torch.ones(3, 4, 2), [0, 1, 1, 0])
    with pytest.raises(ValueError, match=sentence):
        probe.score(torch.ones(shape))


def test_score_needs_a_fit():
    with pytest.raises(ValueError, match="'echo' is not fitted"):
        Echo().score(torch.ones(4, 2))


def test_too_few_examples_are_counted():
    with pytest.raises(ValueError, match="too few examples: 3"):
        Echo().fit(torch.ones(3, 2), [0, 1, 1])


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
    by_hand = torch.einsum("lnad,lad->ln", data.x.double(), probe.weight) + probe.bias[:, None]
    torch.testing.assert_close(probe.score(data.x), by_hand.float())


def test_the_saved_name_finds_the_class(tmp_path):
    data = plant_truth("prompt", n=20, d=5, seed=0)
    probe = get_probe("lr", l2=0.5, seed=3).fit(data.x, data.y)
    probe.save(tmp_path)
    loaded = LinearProbe.load(tmp_path)
    assert type(loaded) is type(probe)
    assert (loaded.seed, loaded.hyperparameters) == (3, {"l2": 0.5})
    assert torch.equal(loaded.score(data.x), probe.score(data.x))
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}


def test_a_folder_with_another_probe_is_refused(tmp_path):
    data = plant_truth("prompt", n=20, d=5, seed=0)
    get_probe("lr").fit(data.x, data.y).save(tmp_path)
    with pytest.raises(ValueError, match="holds probe 'lr', which MeanDifference cannot load"):
        type(get_probe("mean-diff")).load(tmp_path)


def test_an_unfitted_probe_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="nothing to save"):
        get_probe("lr").save(tmp_path)


def test_a_decision_function_is_the_score():
    data = plant_truth("prompt", n=40, d=5, layers=(2,), seed=0)
    probe = sklearn_probe("sk-lr", LogisticRegression, C=0.1)(seed=0).fit(data.x, data.y)
    alone = LogisticRegression(C=0.1, random_state=0).fit(data.x[1].numpy(), data.y.numpy())
    expected = torch.as_tensor(alone.decision_function(data.x[1].numpy())).float()
    torch.testing.assert_close(probe.score(data.x)[1], expected)


def test_without_a_decision_function_the_score_is_log_odds():
    data = plant_truth("prompt", n=40, d=5, seed=0, gap=0.3)
    probe = sklearn_probe("bayes", GaussianNB)(seed=0).fit(data.x, data.y)
    alone = GaussianNB().fit(data.x.numpy(), data.y.numpy())
    expected = torch.as_tensor(alone.predict_proba(data.x.numpy())[:, 1])
    torch.testing.assert_close(probe.score(data.x).sigmoid(), expected.float(), check_dtype=False)


def test_hyperparameters_override_the_parameters_of_the_class():
    cls = sklearn_probe("svm", LinearSVC, C=0.1)
    assert cls.hyperparameter_defaults()["C"] == 0.1
    data = plant_truth("prompt", n=40, d=5, seed=0, gap=0.3)
    weak, strong = (cls(C=c).fit(data.x, data.y).score(data.x) for c in (1e-4, 1.0))
    assert weak.std() < strong.std()


def test_what_is_no_classifier_is_refused():
    with pytest.raises(ValueError, match="neither decision_function nor predict_proba"):
        sklearn_probe("list", list)
