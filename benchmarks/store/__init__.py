"""The content-addressed store of artefacts, and the provenance that enters their keys."""

from benchmarks.store.artefacts import (
    Kind,
    atomic_folder,
    content_hash,
    ensure_artefact,
    remove_unfinished,
    require_empty_folder,
    store_folders,
    store_root,
    write_text,
)

__all__ = [
    "Kind",
    "atomic_folder",
    "content_hash",
    "ensure_artefact",
    "remove_unfinished",
    "require_empty_folder",
    "store_folders",
    "store_root",
    "write_text",
]
