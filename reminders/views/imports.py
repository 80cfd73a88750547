"""Taking in a list: upload, name the columns, look at every bad row, accept, watch it done."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients import audit, words
from patients.access import StaffRequest, staff_only
from patients.door import looks_on
from patients.models import AuditAct, Clinic, ImportFile
from reminders.export import Echo, defuse
from reminders.heartbeat import silent_since
from reminders.import_forms import AcceptForm, ColumnsForm, UploadForm
from reminders.import_progress import progress_of, stands_still
from reminders.import_reading import ImportRefused
from reminders.imports import accept, check, take_back, try_again, upload

SHOWN = 8  # files
BAD_SHOWN = 200  # rows a page
QUICKER = "A colleague was quicker: this is how the list stands now."
NOBODY_FOR = timedelta(seconds=20)  # without a tick: nothing runs that could take a list in
UPLOADED, CHECKED, ACCEPTED, DONE = ImportFile.State


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def lists(request: StaffRequest) -> HttpResponse:
    """Upload one; below it those that were."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            file = upload(
                clinic=request.user.clinic, file=sent.file, name=sent.name, by=request.user
            )
        except ImportRefused as refused:
            form.add_error("file", str(refused))
        else:
            if file.state != UPLOADED:
                messages.warning(request, "This file has been here before. It is shown again.")
            return redirect("import-file", file.pk)
    files = request.user.clinic.import_files.select_related("uploaded_by").order_by("-pk")[:SHOWN]
    context = {"form": form, "files": files, "here": "desk"}
    return render(request, "staff/import.html", context)


@never_cache
@require_safe
@staff_only()
def show(request: StaffRequest, pk: int) -> HttpResponse:
    """Wherever the file stands: its columns, its bad rows, how far it is, what became of it."""
    file = _find(request, pk)
    if file.state == UPLOADED:
        return redirect("import-columns", pk)
    return _preview(request, file, AcceptForm())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def columns(request: StaffRequest, pk: int) -> HttpResponse:
    file = _find(request, pk)
    if file.state not in (UPLOADED, CHECKED):
        return redirect("import-file", pk)
    form = ColumnsForm(request.POST or None, file=file)
    if form.is_valid():
        if not check(file, columns=form.columns, day_first=form.day_first, by=request.user):
            messages.warning(request, QUICKER)
        return redirect("import-file", pk)
    _shown(request, file)
    context = {"form": form, "file": file, "here": "desk"}
    return render(request, "staff/import_columns.html", context)


@never_cache
@require_POST
@staff_only()
def take_in(request: StaffRequest, pk: int) -> HttpResponse:
    file = _find(request, pk)
    form = AcceptForm(request.POST)
    if file.state == CHECKED and not form.is_valid():
        return _preview(request, file, form)
    if not form.is_valid() or not accept(
        file,
        handover=form.cleaned_data["handover"],
        only=form.cleaned_data["only"],
        by=request.user,
    ):
        messages.warning(request, QUICKER)
    return redirect("import-file", pk)


@looks_on
@never_cache
@require_safe
@staff_only()
def progress(request: StaffRequest, pk: int) -> HttpResponse:
    """Asked for while it is taken in; once it is done, the page is loaded anew."""
    file = _find(request, pk)
    response = render(request, "staff/import_progress.html", _progress(file))
    if file.state == DONE:
        response["HX-Refresh"] = "true"
    return response


@never_cache
@require_POST
@staff_only()
def again(request: StaffRequest, pk: int) -> HttpResponse:
    """The worker that took it in was killed: another one begins it anew."""
    with transaction.atomic():
        freed = try_again(_find(request, pk))
        if freed:
            audit.did(request, AuditAct.LIST_AGAIN, about=f"list {pk}")
    if not freed:
        messages.warning(request, "It is on its way again: this is how the list stands now.")
    return redirect("import-file", pk)


@never_cache
@require_POST
@staff_only()
def back(request: StaffRequest, pk: int) -> HttpResponse:
    """No worker has begun with it: it is not to be taken in for now."""
    with transaction.atomic():
        taken_back = take_back(_find(request, pk))
        if taken_back:
            audit.did(request, AuditAct.LIST_BACK, about=f"list {pk}")
    if not taken_back:
        messages.warning(request, "It had begun already: this is how the list stands now.")
    return redirect("import-file", pk)


@never_cache
@require_POST
@staff_only()
@transaction.atomic
def forget(request: StaffRequest, pk: int) -> HttpResponse:
    """Throw the uploaded rows away; what was taken in of them stays."""
    file = _find(request, pk)
    if file.state in (UPLOADED, CHECKED, DONE):
        audit.did(request, AuditAct.LIST_FORGOTTEN, about=f"list {pk}")
    if file.state in (UPLOADED, CHECKED):
        file.delete()
        messages.success(request, "The list is thrown away. Nothing of it was taken in.")
        return redirect("imports")
    if file.state == DONE:
        file.rows.all().delete()
        messages.success(request, "The rows that were left out are thrown away.")
    return redirect("import-file", pk)


@never_cache
@require_safe
@staff_only()
def bad_rows(request: StaffRequest, pk: int) -> StreamingHttpResponse:
    """The rows left out as a CSV file with their reasons, to be put right and sent again."""
    file = _find(request, pk)
    _shown(request, file)
    response = StreamingHttpResponse(_lines(file), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="left-out.csv"'
    return response


def _lines(file: ImportFile) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow([*defuse(file.header), "Row", "Why it is left out"])
    rows = file.rows.exclude(problem="").order_by("number")
    for row in rows.iterator(chunk_size=500):
        yield writer.writerow(defuse([*row.cells, str(row.number), row.problem]))


def _preview(request: StaffRequest, file: ImportFile, form: AcceptForm) -> HttpResponse:
    bad = Paginator(file.rows.exclude(problem="").order_by("number"), BAD_SHOWN)
    clinic = request.user.clinic
    context = {
        "form": form,
        "good": file.total - file.bad,
        "bad": bad.get_page(request.GET.get("page")),
        "quiet": clinic.quiet_hours.covers(timezone.now(), clinic.tz),
        "here": "desk",
        **_progress(file),
    }
    _shown(request, file)
    return render(request, "staff/import_file.html", context)


def _shown(request: StaffRequest, file: ImportFile) -> None:
    """The rows of a list are people whom we may not know."""
    audit.shown(request, AuditAct.LIST, (), about=f"list {file.pk}")


def _progress(file: ImportFile) -> dict[str, object]:
    now = timezone.now()
    return {
        "file": file,
        "done": file.total if file.state == DONE else progress_of(file.pk),
        "of": max(1, file.total - file.bad),
        "silent": stands_still(file, now=now),
        "nobody_since": _nobody_since(file.clinic, now),
    }


def _nobody_since(clinic: Clinic, now: datetime) -> str:
    at = silent_since(now=now, for_=NOBODY_FOR)
    return words.moment(at.astimezone(clinic.tz), now.astimezone(clinic.tz), "en") if at else ""


def _find(request: StaffRequest, pk: int) -> ImportFile:
    files = request.user.clinic.import_files.select_related("clinic", "uploaded_by")
    return get_object_or_404(files, pk=pk)
