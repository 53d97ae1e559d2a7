"""Where claims come from: rows of tables, files and their hashes, data sets of the hub."""
