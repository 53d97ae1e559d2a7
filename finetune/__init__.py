"""Who is asked: models, how they are read, how they are made quirky."""
