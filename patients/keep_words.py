"""The words of what a patient keeps: the copy on the phone, the calendar file, the paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeepWords:
    """One language. `{braces}` are filled by whoever builds the thing kept."""

    title: str
    calendar: str
    paper: str
    offline: str
    remove: str
    removed: str
    again: str
    saved: str
    first_hour: str
    old: str
    stale: str
    daily: str
    morning: str
    night: str
    once: str
    ticks: str
    timer: str
    timer_on: str
    timer_may: str
    timer_must: str
    timer_stop: str
    scan: str
    on_and_on: str
    printed: str
    event: str
    event_text: str
    no_network: str
    unsent_title: str
    unsent: str
    unsent_closed: str


_ENGLISH = KeepWords(
    title="Keep it with you",
    calendar="Add to calendar",
    paper="Print it",
    offline="This page also opens without a network.",
    remove="Remove from this phone",
    removed="Removed from this phone. Your link still opens the page.",
    again="Keep it on this phone",
    saved="Saved copy from {moment}.",
    first_hour="In the first hour after treatment",
    old="This copy is old. The clinic may have changed this.",
    stale="You are offline, and this page may be old.",
    daily="Your day",
    morning="Morning",
    night="Night",
    once="Once today, if your skin peels",
    ticks="Your ticks stay on this phone.",
    timer="Start the {to}-minute timer",
    timer_on="Leave it on.",
    timer_may="You may take it off now.",
    timer_must="Take it off now.",
    timer_stop="Stop the timer",
    scan="Scan this to open your page.",
    on_and_on="and after that too",
    printed="As of {moment}. Your page on the phone may be newer.",
    event="A new step on your recovery page",
    event_text="Your recovery page says what to do. Any question? Call {office_phone}.",
    no_network="You have no network. You can tick and see what to do. To tell us, please call.",
    unsent_title="Not sent. Call the clinic.",
    unsent="It did not reach us. Call {office_phone}.",
    unsent_closed="If we are closed, call {after_hours_phone}.",
)
_SPANISH = KeepWords(
    title="Llévela consigo",
    calendar="Poner en el calendario",
    paper="Imprimir",
    offline="Esta página también se abre sin red.",
    remove="Quitar de este teléfono",
    removed="Ya no está en este teléfono. Su enlace sigue abriendo la página.",
    again="Guardar en este teléfono",
    saved="Copia guardada: {moment}",
    first_hour="En la primera hora después del tratamiento",
    old="Esta copia es vieja. La clínica puede haber cambiado algo.",
    stale="No tiene red, y esta página puede ser vieja.",
    daily="Su día",
    morning="Por la mañana",
    night="Por la noche",
    once="Una vez hoy, si la piel se pela",
    ticks="Sus marcas se quedan en este teléfono.",
    timer="Contar {to} minutos",
    timer_on="Déjela puesta.",
    timer_may="Ya puede quitarla.",
    timer_must="Quítela ahora.",
    timer_stop="Parar",
    scan="Escanee esto para abrir su página.",
    on_and_on="y también después",
    printed="Su página en el teléfono puede ser más nueva. Hecho {moment}",
    event="Un paso nuevo en su página de recuperación",
    event_text="Su página de recuperación le dice qué hacer. ¿Preguntas? Llame al {office_phone}.",
    no_network="No tiene red. Puede marcar y ver qué hacer. Para avisarnos, llame.",
    unsent_title="No se envió. Llame a la clínica.",
    unsent="No nos llegó. Llame al {office_phone}.",
    unsent_closed="Si está cerrado, llame al {after_hours_phone}.",
)
KEEP_WORDS = {"en": _ENGLISH, "es": _SPANISH}


def keep_words(language: str) -> KeepWords:
    return KEEP_WORDS.get(language, _ENGLISH)
