"""Provenance: which code and data produced a result. It is part of every key of the store."""

import functools
import hashlib
import inspect
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from probes import Probe
from quirky.plugins import distribution_of
from quirky.tasks import Task


def probe_origin(probe: Probe) -> dict[str, str]:
    """Return what identifies the code of a probe; empty if the probe is built in.

    A wrapped scikit-learn estimator is identified by its name, its settings and the version of
    scikit-learn; an estimator of another package by its `source_origin` too. Any other probe is
    identified by its `source_origin`.

    Raises:
        ValueError: if a hyper-parameter is a function, or as `source_origin`.
    """
    cls = type(probe)
    if cls.__module__.startswith("probes.methods."):
        return {}
    subject = f"probe {probe.name!r}"
    estimator = vars(cls).get("wraps")
    if estimator is None:
        return source_origin(cls, subject)  # type: ignore[arg-type]  # a class is hashable
    for name, value in {**cls.hyperparameter_defaults(), **probe.hyperparameters}.items():
        if callable(value):
            raise ValueError(
                f"{subject}: {name} is a function, whose code cannot be identified; write a probe "
                "class in a file instead"
            )
    wrapped = {
        "wraps": f"{estimator.__module__}.{estimator.__qualname__}",
        "settings": repr(cls.hyperparameter_defaults()),
        "scikit-learn": version("scikit-learn"),
    }
    if estimator.__module__.startswith("sklearn."):
        return wrapped
    return {**wrapped, **source_origin(estimator, subject)}


def claims_origin(source: object, subject: str) -> dict[str, str]:
    """Return what identifies the data of a task, and the code of a task or trigger.

    The code of a built-in is not part of it: its format version stands for it.

    Args:
        source: a task or a trigger.
        subject: what an error calls it.

    Raises:
        ValueError: as `source_origin` and `Task.data_identity`.
    """
    cls = type(source)
    data = source.data_identity() if isinstance(source, Task) else {}
    if cls.__module__.startswith("quirky."):
        return data
    return {**data, **source_origin(cls, subject)}  # type: ignore[arg-type]


def rule_origin(name: str, rule: Callable[..., object]) -> dict[str, str]:
    """Return what identifies the code of a layer rule; empty if the rule is built in.

    Raises:
        ValueError: as `source_origin`.
    """
    if rule.__module__.startswith("benchmarks."):
        return {}
    return source_origin(rule, f"layer rule {name!r}")


@functools.cache
def source_origin(cls: type[Any], subject: str) -> dict[str, str]:
    """Return a hash of the source of a class or function, and the distribution it belongs to.

    The source is its file, or all Python files of the outermost package that contains the file;
    imports from elsewhere are not followed. The hash is recorded beside the version, because a
    version does not change while a plug-in is developed. It is computed once per process: a file
    that is edited later is not the code that runs.

    Args:
        cls: the class or function.
        subject: what an error calls it.

    Raises:
        ValueError: if the source cannot be found.
    """
    try:
        file = Path(inspect.getfile(cls)).resolve(strict=True)
    except (OSError, TypeError):
        raise ValueError(
            f"{subject}: the source of {cls.__name__} cannot be found, so its results cannot be "
            "distinguished from those of another version; define it in a file"
        ) from None
    source = {"source": _source_hash(file)}
    distribution = distribution_of(cls.__module__)
    if distribution is None:
        return source
    return {"distribution": distribution[0], "version": distribution[1], **source}


def _source_hash(file: Path) -> str:
    """Return a hash of the names and contents of the source files; their folder is irrelevant."""
    package = file
    while (package.parent / "__init__.py").exists():
        package = package.parent
    files = [file] if package == file else sorted(package.rglob("*.py"))
    digest = hashlib.sha256()
    for part in files:
        text = part.read_bytes()
        name = part.relative_to(package.parent).as_posix()
        digest.update(f"{name} {len(text)}\n".encode() + text)
    return digest.hexdigest()[:32]


def source_state() -> dict[str, Any]:
    """Return the commit of the source tree, and whether tracked files differ from it.

    Both are None if git does not track this file, as in an environment inside another checkout.
    """
    this_file = Path(__file__)

    def git(*words: str) -> str:
        command = ["git", "-C", str(this_file.parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", this_file.name)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return {"git_commit": git("rev-parse", "HEAD"), "git_dirty": bool(changed)}
    except (OSError, subprocess.CalledProcessError):
        return {"git_commit": None, "git_dirty": None}
