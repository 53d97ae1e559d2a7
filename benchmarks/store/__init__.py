"""The content-addressed store of artefacts and data sets, and the provenance in their keys."""

from benchmarks.store.artefacts import (
    Kind,
    atomic_file,
    atomic_folder,
    content_hash,
    ensure_artefact,
    remove_unfinished,
    require_empty_folder,
    store_folders,
    store_root,
    write_text,
)
from benchmarks.store.datasets import (
    FIT_SPLIT,
    PROBE_SPLITS,
    SCORED_SPLITS,
    Columns,
    ResolvedDataset,
    ensure_dataset,
    write_parquet,
)
from benchmarks.store.provenance import claims_origin, probe_origin, rule_origin, source_state

__all__ = [
    "FIT_SPLIT",
    "PROBE_SPLITS",
    "SCORED_SPLITS",
    "Columns",
    "Kind",
    "ResolvedDataset",
    "atomic_file",
    "atomic_folder",
    "claims_origin",
    "content_hash",
    "ensure_artefact",
    "ensure_dataset",
    "probe_origin",
    "remove_unfinished",
    "require_empty_folder",
    "rule_origin",
    "source_state",
    "store_folders",
    "store_root",
    "write_parquet",
    "write_text",
]
