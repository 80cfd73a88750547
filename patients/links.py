"""Everything about the personal link: `/r/<token>`.

The token is 128 bits of HMAC-SHA-256 over (treatment, generation) under `LINK_KEY`, written in 22
letters and digits (no `-` or `_`, which phones drop from a link's end). The database holds only
its SHA-256; the same address can be shown again because it can be derived again. Raising the
generation revokes every link given out before.
"""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F, Manager, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from patients import audit
from patients.models import AuditAct, Patient, StaffUser, Treatment
from patients.timeline import last_moment

TOKEN_LENGTH = 22  # 62 ** 22 > 2 ** 128
EXPIRES_AFTER_LAST_STEP = timedelta(days=30)
MASK = "•" * TOKEN_LENGTH
# The linked treatment's patient has perhaps had another since. Written in SQL, because Django takes
# longer to write it than the database to answer, and every opening of a page asks it.
NEWEST = """
    SELECT newest.id
    FROM patients_treatment linked
    JOIN patients_protocolversion opened ON opened.id = linked.version_id
    JOIN patients_treatment newest ON newest.patient_id = linked.patient_id
    JOIN patients_protocolversion plan ON plan.id = newest.version_id AND plan.key = opened.key
    WHERE linked.link_hash = %s AND linked.link_expires_at > %s AND newest.voided_at IS NULL
    ORDER BY newest.treated_at DESC, newest.id DESC LIMIT 1"""
# The plan's text is read once a process; of the clinic no page says whom staff's alerts go to.
NOT_ON_PAGE = (
    "version__source",
    "version__published_at",
    *(
        f"patient__clinic__{name}"
        for name in (
            *("quiet_starts", "quiet_ends", "sms_per_second", "summary_at", "summed_up_on"),
            *("text_price", "alert_phone", "alert_email", "nurse_phone", "nurse_email"),
            *("second_nurse_phone", "second_nurse_email"),
        )
    ),
)
_ALPHABET = string.digits + string.ascii_letters


def token_of(treatment: Treatment) -> str:
    return _token(treatment.ref, treatment.link_generation)


def _token(ref: UUID, generation: int) -> str:
    digest = hmac.digest(settings.LINK_KEY.encode(), ref.bytes + generation.to_bytes(4), "sha256")
    number = int.from_bytes(digest[:16])
    letters = []
    for _ in range(TOKEN_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def address_of(treatment: Treatment) -> str:
    """The full public address: at most 60 characters, since texts have room for no more."""
    return f"{settings.PUBLIC_BASE_URL}/r/{token_of(treatment)}"


def unsubscribe_address_of(treatment: Treatment) -> str:
    """It says its own language: the page behind it knows nobody, and no guess learns anything."""
    address = f"{settings.PUBLIC_BASE_URL}/u/{token_of(treatment)}"
    language = treatment.patient.language
    return address if language == "en" else f"{address}?{urlencode({'lang': language})}"


def addresses_of(treatment: Treatment) -> Iterator[str]:
    """Every address this treatment has had, the newest first."""
    for generation in range(treatment.link_generation, 0, -1):
        yield f"{settings.PUBLIC_BASE_URL}/r/{_token(treatment.ref, generation)}"


def masked_address() -> str:
    """What stands for the link in every stored text."""
    return f"{settings.PUBLIC_BASE_URL}/r/{MASK}"


def prepare(treatment: Treatment) -> None:
    """Set the link's hash and expiry on a treatment that is about to be saved."""
    treatment.link_hash = hash_of(token_of(treatment))
    treatment.link_expires_at = expiry_of(treatment)


def expiry_of(treatment: Treatment) -> datetime:
    last = last_moment(treatment.version.protocol, treatment.treated_at, treatment.patient.tz)
    return last + EXPIRES_AFTER_LAST_STEP


def find(token: str) -> Treatment | None:
    """The treatment a link opens: the patient's newest of the same plan; None if it opens none.

    Unknown, expired, revoked and voided are all None: who asks learns nothing.
    """
    if len(token) != TOKEN_LENGTH:
        return None
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    newest = RawSQL(NEWEST, [hash_of(token), now])  # noqa: S611 - its values are bound
    # No `first()`, which would order the one row there is.
    found = list(_with_page(Treatment.objects).filter(pk=newest))
    return found[0] if found else None


def find_patient(token: str) -> Patient | None:
    """Whose link this is or was: an expired one still ends the emails it came with."""
    linked = _with_page(Treatment.objects).filter(link_hash=hash_of(token)).first()
    return linked.patient if linked else None


def newest_of(patient: Patient, protocol_key: str) -> Treatment | None:
    """The patient's latest treatment under a protocol that was not voided."""
    return (
        _with_page(Treatment.objects)
        .filter(patient=patient, version__key=protocol_key, voided_at=None)
        .order_by("-treated_at", "-id")
        .first()
    )


def revoke(treatment: Treatment, *, by: StaffUser | None = None, role: str = "") -> None:
    """Make every link of this treatment given out so far open nothing; a new one replaces it.

    `role`: who does so, if it is not one of the staff. Needs the treatment's patient.
    """
    Treatment.objects.filter(pk=treatment.pk).update(link_generation=F("link_generation") + 1)
    treatment.refresh_from_db(fields=["link_generation"])
    treatment.link_hash = hash_of(token_of(treatment))
    treatment.save(update_fields=["link_hash"])
    audit.record(
        AuditAct.LINK_REVOKED,
        clinic=treatment.patient.clinic_id,
        by=by,
        role=role,
        patients=[treatment.patient_id],
        about=f"treatment {treatment.pk}",
    )


def _with_page(manager: Manager[Treatment]) -> QuerySet[Treatment]:
    return manager.select_related("patient__clinic", "version", "reading").defer(*NOT_ON_PAGE)
