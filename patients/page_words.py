"""The words around the plan on the patient's page, one table a language. Pure.

Grade 5, calm, no sentence over 20 words; "skin", since no treated area is recorded. What the plan
itself says stands in the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageWords:
    """One language; `name` is what it calls itself. `{braces}` are filled by `patients.page`."""

    name: str
    app: str
    title: str
    day: str
    treated: str
    where: str
    here: str
    now: str
    also: str
    next: str
    not_listed: str
    ask: str
    ask_nurse: str
    normal: str
    plan: str
    state_done: str
    state_now: str
    state_next: str
    state_later: str
    when_normal: str
    ended: str
    since: str
    at_least_until: str
    not_before: str
    until_normal: str
    signs: str
    signs_lead: str
    contacts: str
    call_number: str
    call_nurse: str
    call_clinic: str
    open_until: str
    closed_until: str
    closed_note: str
    wrong: str
    back: str
    local_to: str
    language: str
    dead_title: str
    dead_text: str
    busy_title: str
    busy_text: str
    dead_heading: str
    dead_heading_number: str
    dead_signs: tuple[str, ...]
    dead_say: str
    dead_any: str
    dead_question: str
    dead_urgent: str


_ENGLISH = PageWords(
    name="English",
    app="Recovery",
    title="Your recovery page",
    day="Day {day}",
    treated="Your treatment ended at {treated}.",
    where="Where you are",
    here="You are here",
    now="Now",
    also="Also now",
    next="Next",
    not_listed="Not listed?",
    ask="Ask the clinic",
    ask_nurse="Ask the on-call nurse",
    normal="Normal right now",
    plan="Your whole recovery",
    state_done="Done",
    state_now="Now",
    state_next="Next",
    state_later="Later",
    when_normal="When your skin feels normal",
    ended="ended {moment}",
    since="since {moment}",
    at_least_until="at least until {moment}",
    not_before="not before {moment}",
    until_normal="until your skin feels normal",
    signs="When it is not normal",
    signs_lead="If you see one of these signs, call. It is always okay to call.",
    contacts="Whom to call",
    call_number="Call {number}",
    call_nurse="Call the on-call nurse",
    call_clinic="Call the clinic",
    open_until="Open now until {clock}",
    closed_until="Closed now. Opens {moment}",
    closed_note="We open {moment}. Cannot wait? Call the nurse now.",
    wrong="Something wrong?",
    back="My recovery page",
    local_to="Times are local to {place}.",
    language="Language",
    dead_title="This link does not open a page",
    dead_text="It may be old, or a newer one took its place. Your clinic can send you a new one.",
    busy_title="Please wait a minute",
    busy_text="Too many pages were opened from your network just now. Then open your link again.",
    dead_heading="Call your emergency number now if",
    dead_heading_number="Call {number} now if",
    dead_signs=(
        "It is hard to breathe or swallow",
        "Your lips, tongue or throat swell",
        "You faint",
        "You have hives and feel dizzy or vomit",
        "Hot or spreading skin with a fever, confusion, or a fast heartbeat or breathing",
        "An eye is painful or swollen shut, you see differently, or there are blisters near it",
    ),
    dead_say="Do not wait for the clinic to answer.",
    dead_any="For anything else, call the clinic that treated you.",
    dead_question="For any question or worry, call {clinic}.",
    dead_urgent="If it cannot wait, call at any hour. Follow the prompts to page the "
    "on-call nurse.",
)

_SPANISH = PageWords(
    name="Español",
    app="Recuperación",
    title="Su página de recuperación",
    day="Día {day}",
    treated="Su tratamiento terminó {treated}",
    where="Dónde está usted",
    here="Usted está aquí",
    now="Ahora",
    also="También ahora",
    next="Después",
    not_listed="¿No aparece aquí?",
    ask="Preguntar a la clínica",
    ask_nurse="Preguntar a la enfermera de guardia",
    normal="Lo normal ahora",
    plan="Toda su recuperación",
    state_done="Hecho",
    state_now="Ahora",
    state_next="Después",
    state_later="Más tarde",
    when_normal="Cuando sienta la piel normal",
    ended="terminó {moment}",
    since="desde {moment}",
    at_least_until="al menos hasta {moment}",
    not_before="desde {moment}, no antes",
    until_normal="hasta que sienta la piel normal",
    signs="Cuando no es normal",
    signs_lead="Si ve una de estas señales, llame. Siempre hace bien en llamar.",
    contacts="A quién llamar",
    call_number="Llamar al {number}",
    call_nurse="Llamar a la enfermera de guardia",
    call_clinic="Llamar a la clínica",
    open_until="Abierta ahora, hasta {clock}",
    closed_until="Cerrada ahora. Abre {moment}",
    closed_note="Abrimos {moment}. ¿No puede esperar? Llame ahora a la enfermera.",
    wrong="¿Algo va mal?",
    back="Mi página",
    local_to="Las horas son de {place}.",
    language="Idioma",
    dead_title="Este enlace no abre ninguna página",
    dead_text="Puede ser viejo, o ya hay uno nuevo. Su clínica puede enviarle otro.",
    busy_title="Espere un minuto, por favor",
    busy_text="Se abrieron demasiadas páginas desde su red. Después abra su enlace otra vez.",
    dead_heading="Llame ahora a su número de emergencias si",
    dead_heading_number="Llame ahora al {number} si",
    dead_signs=(
        "Le cuesta respirar o tragar",
        "Se le hinchan los labios, la lengua o la garganta",
        "Se desmaya",
        "Tiene ronchas y siente mareo o vomita",
        "Piel caliente o que se extiende, con fiebre, confusión, o corazón o respiración rápidos",
        "Un ojo le duele o no se abre por la hinchazón, ve distinto, o hay ampollas cerca",
    ),
    dead_say="No espere a que la clínica conteste.",
    dead_any="Para todo lo demás, llame a la clínica donde le trataron.",
    dead_question="Si algo le preocupa o tiene una duda, llame a {clinic}.",
    dead_urgent="Si no puede esperar, llame a toda hora. Siga las opciones para hablar con la "
    "enfermera de guardia.",
)

PAGE_WORDS = {"en": _ENGLISH, "es": _SPANISH}


def page_words(language: str) -> PageWords:
    return PAGE_WORDS.get(language, _ENGLISH)
