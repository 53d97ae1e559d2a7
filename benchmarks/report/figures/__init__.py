"""The report's pictures, as plotly figures: one module per picture."""
