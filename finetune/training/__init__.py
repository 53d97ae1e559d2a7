"""Fine-tuning that makes a model quirky, in one process or several."""
