"""How truth is told from hidden states: the probe contract, the registry, the methods."""

from probes.base import LinearProbe, Probe, sklearn_probe
from probes.checks import check_probe
from probes.registry import get_probe, list_probes, register_probe

__all__ = [
    "LinearProbe",
    "Probe",
    "check_probe",
    "get_probe",
    "list_probes",
    "register_probe",
    "sklearn_probe",
]
