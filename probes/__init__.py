"""Probes: classifiers that read from hidden states whether a claim is true."""

from probes.base import Probe
from probes.checks import check_probe
from probes.linear import LinearProbe
from probes.registry import get_probe, list_probes, register_probe
from probes.sklearn import sklearn_probe

__all__ = [
    "LinearProbe",
    "Probe",
    "check_probe",
    "get_probe",
    "list_probes",
    "register_probe",
    "sklearn_probe",
]
