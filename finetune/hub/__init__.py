"""Hub repositories: the client, what a checkpoint holds, and whether it fits on disk and in memory."""
