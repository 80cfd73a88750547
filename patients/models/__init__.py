"""Who was treated, who may see it, and what was agreed. One file a subject."""

from patients.models import among  # noqa: F401 - registers the lookup
from patients.models.answers import Act, CheckIn, Reading, Report
from patients.models.audit import AuditAct, AuditLink, AuditMember, AuditRow
from patients.models.clinic import Clinic, StaffUser
from patients.models.erasure import Erasure, LegalHold
from patients.models.import_file import ImportFile, ImportRow
from patients.models.patient import Consent, OptOut, Patient
from patients.models.protocol_version import ProtocolVersion
from patients.models.treatment import Correction, Treatment

__all__ = [
    "Act",
    "AuditAct",
    "AuditLink",
    "AuditMember",
    "AuditRow",
    "CheckIn",
    "Clinic",
    "Consent",
    "Correction",
    "Erasure",
    "ImportFile",
    "ImportRow",
    "LegalHold",
    "OptOut",
    "Patient",
    "ProtocolVersion",
    "Reading",
    "Report",
    "StaffUser",
    "Treatment",
]
