"""The content-addressed store of artefacts, and the provenance that enters their keys."""
