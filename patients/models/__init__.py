"""Who was treated, who may see it, and what was agreed. One file a subject."""

from patients.models.clinic import Clinic, StaffUser
from patients.models.patient import Consent, OptOut, Patient
from patients.models.protocol_version import ProtocolVersion
from patients.models.treatment import Correction, Treatment

__all__ = [
    "Clinic",
    "Consent",
    "Correction",
    "OptOut",
    "Patient",
    "ProtocolVersion",
    "StaffUser",
    "Treatment",
]
