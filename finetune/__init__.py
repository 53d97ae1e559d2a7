"""Language models: loading them, reading their activations, and fine-tuning them to be quirky.

Rooms, each importing only those before it: `hub`, `architectures`, `prompting`, `adapters`,
`reading`, `models`, `training`, `verification`, `pretrain`. `bases` holds the embedded models.
"""
