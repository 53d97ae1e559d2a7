"""AUROC, intervals, estimates, and the rules that choose a layer."""
