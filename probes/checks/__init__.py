"""The contract of a probe as executable checks; each failure is one sentence for its author."""

from probes.checks.fixtures import ProbeCheckError
from probes.checks.suite import CHECKS, Outcome, check_probe, probe_checks, run_checks

__all__ = ["CHECKS", "Outcome", "ProbeCheckError", "check_probe", "probe_checks", "run_checks"]
