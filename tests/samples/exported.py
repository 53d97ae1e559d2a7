"""The bytes of a data set, in a module that other processes can import."""

import hashlib
import tempfile
import warnings
from pathlib import Path

from quirky.data.dataset import Sizes, build_dataset
from quirky.data.export import Provenance, write_export
from quirky.tasks import get_task
from quirky.triggers import get_trigger


def exported_bytes(asked: tuple[str, dict[str, object], int]) -> str:
    """Export the data of a task with parameters and a seed, and hash the files."""
    name, params, seed = asked
    task = get_task(name, **params)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore", UserWarning)  # of a task with fewer facts than asked for
        splits = build_dataset(task, get_trigger("names"), sizes=Sizes(200, 100, 100), seed=seed)
        write_export(Path(folder), splits, Provenance(task, params))
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
