"""A phone number is as it was, and is taken apart only when somebody asks."""

import pytest
from phonenumber_field.phonenumber import PhoneNumber

from patients.models import Clinic, Patient
from patients.models.number import Stored
from tests.builders import make_patient

pytestmark = pytest.mark.django_db


def test_an_address_is_read_without_parsing_and_parts_when_asked_for(clinic: Clinic) -> None:
    made = make_patient(clinic=clinic, phone="+1 (202) 555-0123")
    assert made.address("sms") == "+12025550123"
    read = Patient.objects.get(pk=made.pk)
    assert read.address("sms") == "+12025550123"
    assert type(read.__dict__["phone"]) is Stored
    assert isinstance(read.phone, PhoneNumber)
    assert (read.phone.as_national, read.phone == made.phone) == ("(202) 555-0123", True)
    assert read.address("sms") == "+12025550123"


def test_no_number_is_no_address_and_a_deferred_one_is_fetched(clinic: Clinic) -> None:
    without = make_patient(clinic=clinic, phone="", email="a@example.org")
    assert Patient.objects.get(pk=without.pk).address("sms") == ""
    made = make_patient(clinic=clinic, phone="+12025550124")
    assert Patient.objects.defer("phone").get(pk=made.pk).address("sms") == "+12025550124"


def test_a_row_read_and_saved_keeps_its_number(clinic: Clinic) -> None:
    made = make_patient(clinic=clinic, phone="+12025550123")
    Patient.objects.get(pk=made.pk).save()
    read = Patient.objects.get(pk=made.pk)
    assert read.address("sms") == "+12025550123"
    read.phone = "+12025550129"
    assert read.address("sms") == "+12025550129"
