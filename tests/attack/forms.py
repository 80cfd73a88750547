"""Every form that a page shows, read out of the page itself: where it goes, what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """`fields`: what a browser would send, by name; a button's too, since one may be pressed."""

    action: str
    is_post: bool
    takes_file: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.found = path, list[Form]()
        self.form: Form | None = None
        self.choosing, self.writing = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag == "form":
            posts = said.get("method", "").lower() == "post"
            self.form = Form(said.get("action") or self.path, posts)
            self.found.append(self.form)
        elif self.form is None:
            return
        elif tag in ("input", "button") and "name" in said:
            self._take(said)
        elif tag == "select":
            self.choosing = said.get("name", "")
        elif tag == "option" and self.choosing and said.get("value"):
            self.form.fields.setdefault(self.choosing, [said["value"]])
        elif tag == "textarea":
            self.form.fields[said.get("name", "")] = ["some words"]

    def _take(self, said: dict[str, str]) -> None:
        assert self.form is not None
        kind, name = said.get("type", "text"), said["name"]
        if kind == "file":
            self.form.takes_file = True
        elif kind in ("radio", "checkbox") and "checked" not in said:
            self.form.fields.setdefault(name, [said.get("value") or "on"])
        else:
            self.form.fields[name] = [said.get("value", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.choosing = ""


def forms_of(path: str, html: str) -> list[Form]:
    reader = _Reader(path)
    reader.feed(html)
    return reader.found
