"""The report's tables, as plain data that the template renders: one module per table."""
