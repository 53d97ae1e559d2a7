"""Tasks with a dial: labels follow from the prompt alone, and a setting makes the claims harder."""
