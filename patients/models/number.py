"""A phone number that is taken apart only when somebody asks for its parts.

The database has it in E.164, which is how most of what we do needs it. Parsing it takes longer
than reading all the rest of a patient, and a clinic has six.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from phonenumber_field.modelfields import PhoneNumberDescriptor, PhoneNumberField
from phonenumber_field.phonenumber import to_python


class Stored(str):
    """As the database has it."""

    __slots__ = ()


class _ParsedOnDemand(PhoneNumberDescriptor):  # type: ignore[misc]
    def __get__(self, instance: Any, owner: Any) -> Any:
        value = super().__get__(instance, owner)
        if isinstance(value, Stored):
            value = instance.__dict__[self.field.name] = to_python(str(value))
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, Stored):
            instance.__dict__[self.field.name] = value
        else:
            super().__set__(instance, value)


class _NumberField(PhoneNumberField):  # type: ignore[misc]
    descriptor_class = _ParsedOnDemand

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        return Stored(value) if value else value

    def deconstruct(self) -> Any:
        """The column is the library's: no migration for this."""
        name, _, arguments, options = super().deconstruct()
        return name, "phonenumber_field.modelfields.PhoneNumberField", arguments, options


# As untyped as the library's own: a field is one thing on the class and another on a row.
NumberField: Any = _NumberField


def e164(row: Model, name: str) -> str:
    """The number in `row`'s field of this name, or empty."""
    value = row.__dict__.get(name)
    if type(value) is Stored:
        return str(value)
    # A phone is true only after a full validation: too dear to ask for every message.
    return getattr(getattr(row, name), "as_e164", "")
