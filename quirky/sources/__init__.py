"""Where claims come from: rows of tables, files and their hashes, data sets of the hub."""

from quirky.sources.difficulty import read_difficulty
from quirky.sources.hashing import hash_file
from quirky.sources.hub import (
    HubError,
    RefusedError,
    UnreachableError,
    hub_answers,
    is_commit,
    is_repository_id,
    repository_info,
)
from quirky.sources.rows import Row, read_rows

__all__ = [
    "HubError",
    "RefusedError",
    "Row",
    "UnreachableError",
    "hash_file",
    "hub_answers",
    "is_commit",
    "is_repository_id",
    "read_difficulty",
    "read_rows",
    "repository_info",
]
