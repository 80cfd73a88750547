"""Reads the patient's page as a patient does: by its parts and its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    inside: list[Element | str] = field(default_factory=list)

    def all(self) -> Iterator[Element]:
        yield self
        for one in self.inside:
            if isinstance(one, Element):
                yield from one.all()

    def every(self, tag: str) -> list[Element]:
        return [one for one in self.all() if one.tag == tag]

    def part(self, name: str) -> Element | None:
        """The element with this id."""
        return next((one for one in self.all() if one.attrs.get("id") == name), None)

    @property
    def text(self) -> str:
        """Its words, with single spaces; a number is one of the words around it."""
        return " ".join("".join(map(self._read, self.inside)).split())

    @staticmethod
    def _read(one: Element | str) -> str:
        if isinstance(one, str):
            return one
        return one.text if one.attrs.get("class") == "number" else f" {one.text} "


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


@dataclass(frozen=True)
class Step:
    """A step in the whole timeline."""

    title: str
    said: str  # its state and its time: "Now until 8:20 pm tonight"
    text: str


@dataclass(frozen=True)
class Reading:
    root: Element

    @property
    def text(self) -> str:
        return self.root.every("body")[0].text

    def part(self, name: str) -> str:
        """The words of a part of the page, or "" if the page has none now."""
        found = self.root.part(name)
        return found.text if found else ""

    @property
    def doing(self) -> str:
        return f"{self.part('now')} {self.part('also')}"

    @property
    def waiting(self) -> str:
        return " ".join(
            one.text for one in self.root.all() if "waiting" in one.attrs.get("class", "").split()
        )

    @property
    def phases(self) -> dict[str, str]:
        """What is said of each phase: its title and "Now until 8:20 pm tonight"."""
        return {
            one.every("h3")[0].text: one.every("span")[0].text
            for one in self.root.every("summary")
            if one.every("h3") and one.every("span")
        }

    @property
    def steps(self) -> list[Step]:
        plan = self.root.part("plan")
        assert plan is not None
        return [
            Step(one.every("h4")[0].text, one.every("p")[0].text, one.every("p")[1].text)
            for one in plan.every("li")
        ]

    def step(self, fragment: str) -> Step:
        """The one step of the timeline whose text holds this."""
        (found,) = (step for step in self.steps if fragment in step.text)
        return found

    def calls(self) -> list[str]:
        return [
            one.attrs["href"]
            for one in self.root.every("a")
            if one.attrs["href"].startswith("tel:")
        ]


def read(html: str) -> Reading:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    (document,) = reader.open
    return Reading(document)
