"""The published tasks whose claims come from data: of the hub, or a user's file or folder."""

from quirky.tasks.published import authors, capitals, nli, released, sciq, sentiment
from quirky.tasks.published.base import Published

__all__ = ["Published", "authors", "capitals", "nli", "released", "sciq", "sentiment"]
