"""What the commands beside `quirky run` do: fine-tuning, strength, difficulty, sharing."""

from benchmarks.commands.difficulty import (
    Ladder,
    compute_difficulty,
    ladder_recipe,
    resolve_ladder,
    write_difficulty,
)
from benchmarks.commands.finetuning import finetune, finetuning_recipe, void_advice
from benchmarks.commands.sharing import push, require_login
from benchmarks.commands.strength import LADDER, SEED, Trial, climb, require_unreported_seed

__all__ = [
    "LADDER",
    "SEED",
    "Ladder",
    "Trial",
    "climb",
    "compute_difficulty",
    "finetune",
    "finetuning_recipe",
    "ladder_recipe",
    "push",
    "require_login",
    "require_unreported_seed",
    "resolve_ladder",
    "void_advice",
    "write_difficulty",
]
