"""Writes the report of a run: its finding, pictures and tables in one HTML file."""

from benchmarks.report.finding import headline_sentence
from benchmarks.report.page import write_report

__all__ = ["headline_sentence", "write_report"]
