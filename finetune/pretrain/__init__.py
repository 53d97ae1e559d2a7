"""Pre-training of the embedded bases: `python -m finetune.pretrain tiny-neox dial-neox`."""
