"""Hub repositories: the client, the checkpoints, and whether they fit on disk and in memory."""
