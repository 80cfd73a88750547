"""Every address, as no page of ours would ask for it. Who may open which, by role and method, is
`tests.patients.test_access`; here is what even those who may do not get.
"""

from __future__ import annotations

from itertools import product

import pytest

from patients.models.clinic import Role
from tests.attack.scene import ADDRESSES, METHODS, USED, Scene, address, keys_of, signed_in, writes
from tests.patients.test_access import OPEN, TABLE, WHO_MAY

pytestmark = pytest.mark.thorough

PUBLIC = sorted(name for name, who in WHO_MAY.items() if who == OPEN)
# A passkey's pages first ask who sits there, whatever the number.
WITH_NUMBER = [one for one in ADDRESSES if "pk" in keys_of(one) and not one.startswith("mfa_")]
# The sign-in may write into the visitor's own session, and only there.
NO_SIGN_IN = [name for name in PUBLIC if not name.startswith(("account_", "mfa_"))]
NUMBERS = ["0", "9" * 18, "9" * 19, "9" * 700, "1%00"]
Wrong = dict[tuple[object, ...], int]


def test_no_address_knows_a_method_that_no_page_uses(ours: Scene) -> None:
    odd = [method for method in (*METHODS, "PROPFIND", "X" * 5000) if method not in USED]
    wrong = Wrong()
    for name, method in product(ADDRESSES, odd):
        status = signed_in(None).generic(method, address(name, ours)).status_code
        if status != 405:
            wrong[name, method] = status
    assert wrong == {}


def test_looking_at_a_public_address_writes_nothing_and_sets_no_cookie(ours: Scene) -> None:
    visitor, asked = signed_in(None), "stop=1&start=1&saved=1&thanks=1&lang=es&sign=pus"
    with writes() as written:
        for name, method in product(NO_SIGN_IN, ("GET", "HEAD")):
            visitor.generic(method, address(name, ours), QUERY_STRING=asked)
    assert written == []
    assert not visitor.cookies


def test_a_number_that_no_row_has_is_not_found(ours: Scene) -> None:
    admin, wrong = signed_in(ours.staff[Role.ADMIN]), Wrong()
    for name, number in product(WITH_NUMBER, NUMBERS):
        path = address(name, ours).replace(f"/{ours.number_for(name)}/", f"/{number}/")
        method = "GET" if "get" in TABLE[name][1] else "POST"
        status = admin.generic(method, path).status_code
        if status not in (400, 404):
            wrong[name, number] = status
    assert wrong == {}


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_method_is_not_overridden(ours: Scene, header: str) -> None:
    client, path = signed_in(ours.staff[Role.ADMIN]), address("import-forget", ours)
    with writes() as written:
        status = client.get(f"{path}?_method=POST", headers={header: "POST"}).status_code
    assert status == 405
    assert [sql for sql in written if "importfile" in sql] == []
