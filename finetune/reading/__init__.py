"""Hidden states of a model: block outputs, states of all tokens, recurrent states."""
