"""What every probe must satisfy, each as a sentence that tells its author what is wrong."""

from probes.checks.suite import CHECKS, Outcome, check_probe, outcomes, probe_checks
from probes.checks.trial import ProbeCheckError

__all__ = ["CHECKS", "Outcome", "ProbeCheckError", "check_probe", "outcomes", "probe_checks"]
