"""Where one begins after signing in: the desk logs treatments, the others look at the board."""

from __future__ import annotations

from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from patients.access import StaffRequest, staff_only
from patients.models.clinic import Role


@never_cache
@require_safe
@staff_only()
def home(request: StaffRequest) -> HttpResponseRedirect:
    return redirect("desk" if request.user.role == Role.DESK else "board")
