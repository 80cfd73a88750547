"""Nobody sees a staff page by a password alone; what proves who they are is sealed and guarded."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO
from urllib.parse import quote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from aftercare.account_urls import urlpatterns as account_urls
from patients.models import Clinic, StaffUser
from patients.models.clinic import Role
from patients.sessions import FACTOR
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.patients.test_access import ADDRESSES, CLOSED, TABLE
from tests.sign_in import SECRET, code_now, give_app, is_in, led_to, sign_in, type_password
from tests.test_settings import in_production

OTHER_PASSWORD = "three-words-and-a-river"


@pytest.fixture(autouse=True)
def forced(settings: Settings, db: None) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    cache.clear()


@pytest.fixture
def clinic(forced: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def nurse(clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks")


# --- Forced ------------------------------------------------------------------------------------


def test_production_forces_it_whatever_the_environment_says() -> None:
    said = in_production("SECOND_FACTOR_REQUIRED", SECOND_FACTOR_REQUIRED="0")
    assert said == {"SECOND_FACTOR_REQUIRED": True}


def test_a_password_alone_opens_no_staff_page(client: Client, nurse: StaffUser) -> None:
    assert type_password(client, nurse.email).status_code == 302
    for name in ("board", "desk", "concerns", "export", "board-changes", "figures", "home"):
        assert led_to(client, name) == reverse("mfa_index"), name
    page = client.get(reverse("mfa_index")).content.decode()
    assert "Add a second step" in page
    assert "Not now" not in page


@pytest.mark.thorough
def test_no_address_but_those_of_the_sign_in_answers_a_password_alone(
    client: Client, nurse: StaffUser
) -> None:
    """Whatever the role, the method and the number: where to set up a second step, and no more."""
    StaffUser.objects.update(role=Role.ADMIN)
    type_password(client, nurse.email)
    open_to_it = set()
    for name in set(CLOSED) - {one.name for one in account_urls}:
        keys = {key: {"rule": "handover"}.get(key, 1) for key in ADDRESSES[name].pattern.converters}
        for method in sorted(TABLE[name][1]):
            answer = client.generic(method.upper(), reverse(name, kwargs=keys))
            if (answer.status_code, answer.get("Location")) != (302, reverse("mfa_index")):
                open_to_it.add((name, method))
    assert open_to_it == set()


def test_a_passkey_is_asked_for_the_finger_face_or_pin_that_makes_it_two_factors(
    client: Client, nurse: StaffUser
) -> None:
    asked = client.get(
        reverse("mfa_login_webauthn"), headers={"X-Requested-With": "XMLHttpRequest"}
    ).json()
    assert asked["request_options"]["publicKey"]["userVerification"] == "required"
    type_password(client, nurse.email)
    page = client.get(reverse("mfa_add_webauthn")).content.decode()
    assert '"userVerification": "required"' in page.replace("&quot;", '"')


def test_an_app_is_set_up_by_its_code_and_recovery_codes_are_shown_once(
    transactional_db: None, client: Client, nurse: StaffUser
) -> None:
    type_password(client, nurse.email)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    assert "<svg" in page
    secret = re.search(r"data-secret>(\w+)<", page)[1]  # type: ignore[index]
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "That did not match. Try once more." in wrong.content.decode()
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    codes = re.findall(r"<li>(\d{8})</li>", client.get(answer["Location"]).content.decode())
    assert len(codes) == 10
    again = client.get(answer["Location"]).content.decode()
    assert not any(code in again for code in codes)
    assert is_in(client)
    client.post(reverse("account_logout"))
    assert type_password(client, nurse.email)["Location"] == reverse("mfa_authenticate")
    assert led_to(client) == reverse("account_login")
    client.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert is_in(client)
    client.post(reverse("account_logout"))
    type_password(client, nurse.email)
    assert (
        "did not match"
        in client.post(reverse("mfa_authenticate"), {"code": codes[0]}).content.decode()
    )


def test_a_code_opens_once(client: Client, nurse: StaffUser) -> None:
    give_app(nurse)
    code = code_now()
    type_password(client, nurse.email)
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(client)
    other = Client()
    type_password(other, nurse.email)
    other.post(reverse("mfa_authenticate"), {"code": code})
    assert not is_in(other)


def test_a_session_from_before_somebody_had_a_factor_is_not_let_in_by_it(
    client: Client, nurse: StaffUser
) -> None:
    type_password(client, nurse.email)
    give_app(nurse)  # behind the session's back
    assert led_to(client, "mfa_add_webauthn") == reverse("account_login")
    assert not is_in(client)


def test_a_factor_shown_by_somebody_who_is_not_let_in_counts_for_nobody_else(
    client: Client, nurse: StaffUser
) -> None:
    session = client.session
    session[FACTOR] = nurse.pk  # what a passkey of a closed account leaves behind
    session.save()
    other = make_staff(clinic=nurse.clinic)
    type_password(client, other.email)
    assert led_to(client) == reverse("mfa_index")


def test_without_its_last_factor_a_session_sets_up_another_at_once(
    client: Client, nurse: StaffUser
) -> None:
    give_app(nurse)
    sign_in(client, nurse)
    assert is_in(client)
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    assert led_to(client) == reverse("mfa_index")


def test_the_demo_does_not_force_it_and_says_loudly_on_every_page_that_it_is_one(
    client: Client, nurse: StaffUser, settings: Settings
) -> None:
    settings.SECOND_FACTOR_REQUIRED, settings.DEMO = False, True
    loud = "<b>This is a demo.</b>"
    assert loud in client.get(reverse("account_login")).content.decode()
    type_password(client, nurse.email)
    for name in ("board", "desk", "concerns", "mfa_index", "account_change_password", "figures"):
        assert loud in client.get(reverse(name)).content.decode(), name
    client.post(reverse("lock"))
    assert loud in client.get(reverse("locked")).content.decode()
    settings.DEMO = False
    assert loud not in client.get(reverse("locked")).content.decode()


def test_only_signing_in_and_setting_up_are_open_without_a_factor(nurse: StaffUser) -> None:
    """Each address of the sign-in, by what somebody with a password alone meets there."""
    stopped = set()
    for one in account_urls:
        client = Client()
        type_password(client, nurse.email)
        keys = dict.fromkeys(one.pattern.converters, 1)
        answer = client.get(reverse(str(one.name), kwargs=keys))
        if answer.get("Location") == reverse("mfa_index"):
            stopped.add(one.name)
    assert stopped == {
        "mfa_deactivate_totp",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
    }


# --- Sealed ------------------------------------------------------------------------------------


def test_what_the_database_holds_gives_no_code(nurse: StaffUser) -> None:
    give_app(nurse)
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in kept
    assert kept.count("gAAAA") == 2  # the app's secret and the recovery codes' seed, sealed


def test_after_the_key_was_changed_the_old_one_opens_and_the_new_one_seals(
    client: Client, nurse: StaffUser, settings: Settings
) -> None:
    app = give_app(nurse)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-of-fifty-letters" * 2
    with pytest.raises(InvalidToken):
        app.wrap().validate_code(code_now())
    with pytest.raises(CommandError, match="2 cannot be opened by any key"):
        call_command("reseal_factors", stdout=StringIO())
    settings.SECRET_KEY_FALLBACKS = [old]
    out = StringIO()
    call_command("reseal_factors", stdout=out)
    assert out.getvalue() == "Sealed 2 anew.\n"
    settings.SECRET_KEY_FALLBACKS = []
    sign_in(client, nurse)
    assert is_in(client)


# --- A new colleague, and one who lost it ------------------------------------------------------


@pytest.fixture
def admin(clinic: Clinic) -> Client:
    admin, browser = make_staff(clinic=clinic, role=Role.ADMIN, name="Omar Haddad"), Client()
    give_app(admin)
    sign_in(browser, admin)
    return browser


def test_a_new_colleague_chooses_a_password_and_then_a_factor_before_any_page(
    transactional_db: None, admin: Client, client: Client
) -> None:
    typed = {"new-name": "Ana Ruiz", "new-email": "ana@hill.example", "new-role": "nurse"}
    lent = admin.post(reverse("clinic-add"), typed).context["added"]["password"]
    type_password(client, "ana@hill.example", lent)
    for name in ("board", "mfa_index", "mfa_activate_totp", "mfa_add_webauthn"):
        assert led_to(client, name) == reverse("account_change_password"), name
    wanted = {"oldpassword": lent, "password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD}
    short = client.post(reverse("account_change_password"), wanted | {"password1": "short"})
    assert "too short" in short.content.decode()
    client.post(reverse("account_change_password"), wanted)
    assert led_to(client) == reverse("mfa_index")
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r"data-secret>(\w+)<", page)[1]  # type: ignore[index]
    client.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
    assert is_in(client)
    assert StaffUser.objects.get(email="ana@hill.example").lent_until is None


def test_a_lent_password_runs_out_after_three_days(client: Client, nurse: StaffUser) -> None:
    nurse.lend_password(PASSWORD, until=timezone.now() + timedelta(days=3))
    nurse.save()
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        answer = type_password(client, nurse.email)
        assert answer.status_code == 403
        assert "This password has run out" in answer.content.decode()  # type: ignore[attr-defined]
        assert led_to(client) == reverse("account_login")


def test_an_admin_starts_a_colleagues_sign_in_anew(
    admin: Client, client: Client, nurse: StaffUser
) -> None:
    give_app(nurse)
    sign_in(client, nurse)
    assert is_in(client)
    page = admin.post(reverse("clinic-reset", args=[nurse.pk]))
    lent = page.context["added"]["password"]
    assert lent in page.content.decode()
    assert not Authenticator.objects.filter(user=nurse).exists()
    assert led_to(client) == reverse("account_login")
    assert type_password(client, nurse.email).status_code == 200  # the old password is wrong now
    type_password(client, nurse.email, lent)
    assert led_to(client) == reverse("account_change_password")


def test_at_an_admins_open_screen_nobody_else_starts_a_colleagues_sign_in_anew(
    admin: Client, nurse: StaffUser
) -> None:
    """Minutes after the sign-in the password is asked for; then what was posted is done, once."""
    reset = reverse("clinic-reset", args=[nurse.pk])
    give_app(nurse)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=10)):
        asked = admin.post(reset)
        back = quote(reset, safe="")
        assert asked["Location"] == f"{reverse('account_reauthenticate')}?next={back}"
        page = admin.post(asked["Location"], {"password": "a-wrong-one", "next": reset})
        assert "That is not your password." in page.content.decode()
        nurse.refresh_from_db()
        assert nurse.lent_until is None
        assert Authenticator.objects.filter(user=nurse).exists()
        page = admin.post(asked["Location"], {"password": PASSWORD, "next": reset})
        lent = page.context["added"]["password"]
        nurse.refresh_from_db()
        assert nurse.check_password(lent)
        assert not Authenticator.objects.filter(user=nurse).exists()
        assert admin.get(reset)["Location"] == reverse("clinic")  # as a reload comes to it
        nurse.refresh_from_db()
        assert nurse.check_password(lent)


def test_at_an_admins_open_screen_nobody_makes_themselves_an_admin(
    admin: Client, nurse: StaffUser
) -> None:
    new = {"new-name": "Eve Doe", "new-email": "eve@hill.example", "new-role": "admin"}
    change = reverse("clinic-person", args=[nurse.pk])
    given = {"role": "admin", "is_active": "on"}
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=10)):
        for address, typed in ((reverse("clinic-add"), new), (change, given)):
            asked = admin.post(address, typed)["Location"]
            assert asked.startswith(reverse("account_reauthenticate"))
            assert StaffUser.objects.filter(role=Role.ADMIN).count() == 1
        assert admin.post(change, given | {"role": "lead"})["Location"] == reverse("clinic")
        asked = admin.post(change, given)["Location"]
        admin.post(asked, {"password": PASSWORD, "next": change})
        nurse.refresh_from_db()
        assert nurse.role == Role.ADMIN
        page = admin.post(reverse("clinic-add"), new)  # shown just now
        assert page.context["added"]["person"].role == Role.ADMIN


def test_an_admin_does_not_reset_themselves_nor_another_clinics_people(admin: Client) -> None:
    me = StaffUser.objects.get(role=Role.ADMIN)
    assert admin.post(reverse("clinic-reset", args=[me.pk])).status_code == 302
    assert is_in(admin)
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    stranger = make_staff(clinic=other)
    assert admin.post(reverse("clinic-reset", args=[stranger.pk])).status_code == 404
    stranger.refresh_from_db()
    assert stranger.check_password(PASSWORD)


def test_a_locked_out_admin_is_let_in_from_the_terminal(client: Client, clinic: Clinic) -> None:
    admin, out = make_staff(clinic=clinic, role=Role.ADMIN), StringIO()
    give_app(admin)
    call_command("reset_staff", admin.email.upper(), stdout=out)
    lent = re.search(r"signs in with (\w+)", out.getvalue())[1]  # type: ignore[index]
    type_password(client, admin.email, lent)
    assert led_to(client) == reverse("account_change_password")
    with pytest.raises(CommandError, match=r"Nobody signs in with x@y\.example"):
        call_command("reset_staff", "x@y.example")
    StaffUser.objects.update(is_active=False)
    with pytest.raises(CommandError, match="--open"):
        call_command("reset_staff", admin.email)


# --- Guessing ----------------------------------------------------------------------------------


def test_codes_are_guessed_five_times_and_then_even_the_right_one_waits(
    client: Client, nurse: StaffUser
) -> None:
    give_app(nurse)
    type_password(client, nurse.email)
    for _ in range(5):
        page = client.post(reverse("mfa_authenticate"), {"code": "000000"})
        assert "That did not match" in page.content.decode()
    page = client.post(reverse("mfa_authenticate"), {"code": code_now()})
    assert "Too many tries" in page.content.decode()
    assert not is_in(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        client.post(reverse("mfa_authenticate"), {"code": code_now()})
        assert is_in(client)


KEYS = '"id":"AA","rawId":"AA","type":"public-key"'
WHOLE = (
    '"clientDataJSON":"AA","attestationObject":"AA","authenticatorData":"AA","signature":"AA",'
    '"userHandle":"MQ"'
)
FORGED = [
    *("", "{}", "[]", "null", "7", '"x"', "{", '{"id":"x"}'),
    *('{"response":[]}', '{"response":{}}', f'{{{KEYS},"response":{{}}}}'),
    f'{{{KEYS},"response":{{{WHOLE}}}}}',
    '{"id":1,"rawId":2,"type":3,"response":{"clientDataJSON":4,"userHandle":5}}',
]


@pytest.mark.parametrize("sent", FORGED)
def test_a_forged_passkey_answer_opens_nothing_and_breaks_nothing(
    nurse: StaffUser, sent: str
) -> None:
    for name in ("mfa_login_webauthn", "mfa_authenticate", "mfa_add_webauthn", "locked",
                 "mfa_reauthenticate_webauthn"):  # fmt: skip
        client = Client()
        if name != "mfa_login_webauthn":
            type_password(client, nurse.email)
        if name in ("mfa_authenticate",):
            give_app(nurse)
            client = Client()
            type_password(client, nurse.email)
        client.get(reverse(name), headers={"X-Requested-With": "XMLHttpRequest"})
        answer = client.post(reverse(name), {"credential": sent, "name": "x"})
        assert answer.status_code in {200, 302}, name
        assert not is_in(client)
        Authenticator.objects.all().delete()
