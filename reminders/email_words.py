"""The words around an email's own text, and of the page that ends emails. One table a language."""

from __future__ import annotations

from collections.abc import Mapping

EMAIL_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "hello": "Hello {first_name},",
        "open": "Open your page",
        "question": "Any question? Call {office_phone}.",
        "emergency": "In an emergency, call {emergency_number}.",
        "stop_title": "Emails",
        "stop_question": "Stop these emails?",
        "stop_page": "Your recovery page stays open either way.",
        "stop_button": "Stop the emails",
        "stopped": "No more emails",
        "stopped_text": "We will not email you again. Your recovery page stays open.",
    },
    "es": {
        "hello": "Hola, {first_name}:",
        "open": "Abrir su página",
        "question": "¿Alguna pregunta? Llame al {office_phone}.",
        "emergency": "En una emergencia, llame al {emergency_number}.",
        "stop_title": "Correos",
        "stop_question": "¿Dejar de recibir estos correos?",
        "stop_page": "Su página de recuperación sigue abierta de todos modos.",
        "stop_button": "No recibir más correos",
        "stopped": "No hay más correos",
        "stopped_text": "No le enviaremos más correos. Su página de recuperación sigue abierta.",
    },
}


def email_words(language: str) -> Mapping[str, str]:
    return EMAIL_WORDS.get(language, EMAIL_WORDS["en"])
