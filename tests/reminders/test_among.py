"""`among` finds what `in` finds, on both databases."""

import pytest
from django.utils import timezone

from patients.models import Clinic, OptOut, Patient
from tests.builders import make_patient

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_numbers_and_words_are_found_as_with_in(clinic: Clinic) -> None:
    people = [make_patient(clinic=clinic, phone=f"+1202555012{number}") for number in range(3)]
    some = {people[0].pk, people[2].pk}
    assert set(Patient.objects.filter(pk__among=some)) == {people[0], people[2]}
    assert set(Patient.objects.exclude(pk__among=some)) == {people[1]}
    for word in ("a'b", 'say "c"', "+12025550100"):
        OptOut.objects.create(
            clinic=clinic,
            channel="sms",
            address=word,
            stopped=True,
            how="x",
            recorded_at=timezone.now(),
        )
    words = ["a'b", 'say "c"', "nobody's"]
    assert OptOut.objects.filter(address__among=words).count() == 2
    assert OptOut.objects.filter(clinic__among=[clinic.pk]).count() == 3


def test_among_nothing_nothing_is_found_and_nothing_asked(
    clinic: Clinic, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    make_patient(clinic=clinic)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert list(Patient.objects.filter(pk__among=[])) == []
