"""What is typed to take a list in: the file, which column is what, which rows, whether to send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from patients.models import ImportFile
from reminders.import_columns import COLUMNS
from reminders.import_reading import ImportRefused, ranges_of

NOWHERE = "–"
DAYS = [("month", "11/23/2026"), ("day", "23/11/2026")]
EXAMPLES, LONGEST_EXAMPLE = 3, 24


class UploadForm(forms.Form):
    file = forms.FileField(
        label="The list, as a CSV file",
        widget=forms.ClearableFileInput({"accept": ".csv,text/csv,text/plain"}),
        error_messages={
            "required": "Choose a file first.",
            "empty": "The file is empty.",
        },
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, use_required_attribute=False, label_suffix="")


class ColumnsForm(forms.Form):
    """One choice among the file's columns for each of our fields."""

    days = forms.ChoiceField(label="Days are written", choices=DAYS, widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, file: ImportFile) -> None:
        initial: dict[str, Any] = {key: str(at) for key, at in file.columns.items()}
        initial["days"] = "day" if file.day_first else "month"
        super().__init__(data, initial=initial, use_required_attribute=False, label_suffix="")
        some = file.rows.order_by("number").values_list("cells", flat=True)[:EXAMPLES]
        choices = [("", NOWHERE), *_choices(file.header, list(some))]
        for key, column in COLUMNS.items():
            self.fields[key] = forms.ChoiceField(
                label=column.label,
                choices=choices,
                required=column.required,
                error_messages={"required": "Say in which column this is."},
            )
        self.order_fields([*COLUMNS, "days"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("phone") and not cleaned.get("email"):
            self.add_error("phone", "Without a mobile or an email nobody can be reached.")
        taken: dict[str, str] = {}
        for key in COLUMNS:
            at = cleaned.get(key)
            if at and (other := taken.setdefault(at, key)) != key:
                self.add_error(key, f"That column is “{COLUMNS[other].label}” already.")
        return cleaned

    @property
    def columns(self) -> dict[str, int]:
        return {key: int(at) for key in COLUMNS if (at := self.cleaned_data[key])}

    @property
    def day_first(self) -> bool:
        return bool(self.cleaned_data["days"] == "day")


class AcceptForm(forms.Form):
    only = forms.CharField(label="Only these rows", required=False, max_length=200)
    handover = forms.BooleanField(label="Send each of them the recovery page now", required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, use_required_attribute=False, label_suffix="")

    def clean_only(self) -> str:
        only: str = self.cleaned_data["only"]
        try:
            ranges_of(only)
        except ImportRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        return only


def _choices(header: Sequence[str], some: list[list[str]]) -> list[tuple[str, str]]:
    """Every column with what stands in its first rows, so that one sees what it is."""
    choices = []
    for at, name in enumerate(header):
        seen = [cells[at][:LONGEST_EXAMPLE] for cells in some if at < len(cells) and cells[at]]
        examples = f": {', '.join(seen)}" if seen else ""
        choices.append((str(at), f"{name or f'Column {at + 1}'}{examples}"))
    return choices
