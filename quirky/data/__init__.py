"""From a task and a trigger to the examples of a data set, and their export."""

from quirky.data.claims import check_duplicates, claims_that_mention
from quirky.data.dataset import SPLITS, Sizes, build_dataset, columns_of
from quirky.data.export import Provenance, write_export
from quirky.data.fillers import check_distance, contexts_at
from quirky.data.rendering import render_prompt

__all__ = [
    "SPLITS",
    "Provenance",
    "Sizes",
    "build_dataset",
    "check_distance",
    "check_duplicates",
    "claims_that_mention",
    "columns_of",
    "contexts_at",
    "render_prompt",
    "write_export",
]
