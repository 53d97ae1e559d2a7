"""Which code and which data made a result: part of the key of all that is kept."""

import inspect
import subprocess
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from probes import Probe


def probe_origin(probe: Probe) -> dict[str, str]:
    """Return what says which code a probe is; nothing for a built-in.

    A wrapped scikit-learn estimator is known by its name, its settings and scikit-learn's version;
    any other probe as by `origin`.

    Raises:
        ValueError: as `origin`.
    """
    cls = type(probe)
    if cls.__module__.startswith("probes.methods."):
        return {}
    if cls.__module__ == "probes.base":
        wrapped = {"wraps": cls.__doc__ or "", "settings": repr(cls.known_hyperparameters())}
        return {**wrapped, "scikit-learn": version("scikit-learn")}
    return origin(cls, f"probe {probe.name!r}")


def claims_origin(thing: object, what: str) -> dict[str, str]:
    """Return what says which code a task or trigger is; for a built-in, the data that it reads.

    A built-in names the distributions whose data its claims come from in `data_from`.

    Raises:
        ValueError: as `origin`.
    """
    cls = type(thing)
    read = {name: version(name) for name in getattr(cls, "data_from", ())}
    return read if cls.__module__.startswith("quirky.") else {**read, **origin(cls, what)}


def origin(cls: type[Any], what: str) -> dict[str, str]:
    """Return the distribution and version that a class comes from, or else its source text.

    Raises:
        ValueError: naming `what`, if the source cannot be found.
    """
    found = packages_distributions().get(cls.__module__.partition(".")[0])
    if found:
        return {"distribution": found[0], "version": version(found[0])}
    try:
        return {"source": inspect.getsource(cls)}
    except (OSError, TypeError):
        raise ValueError(
            f"{what}: the source of {cls.__name__} cannot be found, so its results cannot be told "
            "from another version's; define it in a file"
        ) from None


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
