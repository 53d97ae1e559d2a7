"""Speed benchmarks: each times our code and a named baseline in the same run."""
