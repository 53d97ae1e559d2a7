"""Published tasks whose claims come from a data set of the hub, or from a user's files."""
