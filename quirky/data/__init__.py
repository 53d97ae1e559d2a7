"""From a task and a trigger to the examples of a data set, and their export."""
