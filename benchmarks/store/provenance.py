"""Which code and which data made a result: part of the key of all that is kept."""

import functools
import hashlib
import inspect
import subprocess
from collections.abc import Callable
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from probes import Probe
from quirky.tasks import Task


def probe_origin(probe: Probe) -> dict[str, str]:
    """Return what says which code a probe is; nothing for a built-in.

    A wrapped scikit-learn estimator is known by its name, its settings and scikit-learn's version,
    and somebody else's estimator by its `origin` too; any other probe is known by its `origin`.

    Raises:
        ValueError: as `origin`.
    """
    cls = type(probe)
    if cls.__module__.startswith("probes.methods."):
        return {}
    what = f"probe {probe.name!r}"
    estimator = vars(cls).get("wraps")
    if estimator is None:
        return origin(cls, what)  # type: ignore[arg-type]  # a class is hashable
    for name, value in {**cls.hyperparameter_defaults(), **probe.hyperparameters}.items():
        if callable(value):
            raise ValueError(
                f"{what}: {name} is a function, whose code cannot be told from another's; write a "
                "probe class in a file instead"
            )
    wrapped = {
        "wraps": f"{estimator.__module__}.{estimator.__qualname__}",
        "settings": repr(cls.hyperparameter_defaults()),
        "scikit-learn": version("scikit-learn"),
    }
    if estimator.__module__.startswith("sklearn."):
        return wrapped
    return {**wrapped, **origin(estimator, what)}


def claims_origin(thing: object, what: str) -> dict[str, str]:
    """Return what says which code a task or trigger is; for a built-in, the data that it reads.

    The data of a task are identified by its `data_identity`.

    Raises:
        ValueError: as `origin`, or if data of the hub cannot be told.
    """
    cls = type(thing)
    data = thing.data_identity() if isinstance(thing, Task) else {}
    return data if cls.__module__.startswith("quirky.") else {**data, **origin(cls, what)}  # type: ignore[arg-type]


def rule_origin(name: str, rule: Callable[..., object]) -> dict[str, str]:
    """Return what identifies the code of a layer rule; empty if the rule is built in.

    Raises:
        ValueError: as `origin`.
    """
    if rule.__module__.startswith("benchmarks."):
        return {}
    return origin(rule, f"layer rule {name!r}")


@functools.cache
def origin(cls: type[Any], what: str) -> dict[str, str]:
    """Return a hash of the source that a class comes from, and the distribution that holds it.

    What is found when it is first asked for holds as long as the process: a file that is edited
    after that is not what runs.

    The source is the class's file, or all Python files of the outermost package that the file is
    in; what it imports from elsewhere is not followed. The hash stands beside the version, which
    stays the same while somebody works on a plug-in.

    Raises:
        ValueError: naming `what`, if the source cannot be found.
    """
    try:
        file = Path(inspect.getfile(cls)).resolve(strict=True)
    except (OSError, TypeError):
        raise ValueError(
            f"{what}: the source of {cls.__name__} cannot be found, so its results cannot be told "
            "from another version's; define it in a file"
        ) from None
    source = {"source": _source_hash(file)}
    found = _distributions().get(cls.__module__.partition(".")[0])
    return {"distribution": found[0], "version": version(found[0]), **source} if found else source


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _source_hash(file: Path) -> str:
    """A hash of the names and the text of the files; where they lie is nothing."""
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
    """Return the commit of the source tree, and whether files differ from it.

    Both are None where this file is not tracked by git, as in an environment that lies inside
    somebody's checkout.
    """
    here = Path(__file__)

    def git(*words: str) -> str:
        asked = ["git", "-C", str(here.parent), *words]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return {"git_commit": git("rev-parse", "HEAD"), "git_dirty": bool(changed)}
    except (OSError, subprocess.CalledProcessError):
        return {"git_commit": None, "git_dirty": None}
