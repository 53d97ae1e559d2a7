"""The report: tables and plots, one HTML file."""

from benchmarks.report.page import headline_sentence, write_report

__all__ = ["headline_sentence", "write_report"]
