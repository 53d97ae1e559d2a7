"""How the embedded bases were made: `python -m finetune.pretrain tiny-neox dial-neox`."""
