"""For `torchrun` and `accelerate launch`, which start modules."""

from benchmarks.cli import main

main()
