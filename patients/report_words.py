"""The words of "Something wrong?": ticking signs, what is done with them. Pure.

Grade 5, calm, no sentence over 20 words; the signs themselves stand in the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from patients.protocol import TierAction


@dataclass(frozen=True, slots=True)
class ReportWords:
    """One language. `{braces}` are filled by `patients.page_report`."""

    title: str
    lead: str
    weak: str
    more: str
    others: Mapping[TierAction, str]
    unsure: str
    nothing: str
    none_ticked: str
    send: str
    back: str
    sent_title: str
    you_told_us: str
    still_call: str
    seen_now: str
    seen_now_urgent: str
    seen_later: str
    seen_later_urgent: str
    seen_some_time: str
    seen_some_time_urgent: str
    alerted: str
    read_when_open: str
    refused_title: str
    refused_text: str


_ENGLISH = ReportWords(
    title="What is wrong?",
    lead="Tick all that fit. You see at once what to do.",
    weak="I have diabetes, or my body fights germs poorly",
    more="More signs",
    others={
        TierAction.EMERGENCY: "Something else, and it feels like an emergency",
        TierAction.PAGE_NURSE: "Something else that cannot wait",
        TierAction.CALL_CLINIC: "Something else that worries me",
        TierAction.BEFORE_NEXT: "Something else to look at",
    },
    unsure="I am not sure if it is one of these",
    nothing="It is always okay to call.",
    none_ticked="Please tick what fits, then send it. Or just call us.",
    send="Tell the clinic",
    back="Back to my page",
    sent_title="Thank you. We have it.",
    you_told_us="You told us at {moment}",
    still_call="This does not take the place of a call.",
    seen_now="A nurse at {clinic} reads this today. We are open until {clock}.",
    seen_now_urgent="A nurse at {clinic} gets an alert now. We are open until {clock}.",
    seen_later="We are closed. A nurse at {clinic} reads this when we open: {moment}.",
    seen_later_urgent="We are closed. The nurse gets an alert now, but may not see it at once. "
    "We open {moment}.",
    seen_some_time="A nurse at {clinic} reads this on the next business day at the latest.",
    seen_some_time_urgent="A nurse at {clinic} gets an alert now.",
    alerted="At {moment} we alerted a nurse at {clinic}.",
    read_when_open="A nurse at {clinic} reads it when we are open.",
    refused_title="Please send that once more",
    refused_text="It did not come from your page, so we did not keep it. Open your page again.",
)

_SPANISH = ReportWords(
    title="¿Qué va mal?",
    lead="Marque todo lo que note. Verá enseguida qué hacer.",
    weak="Tengo diabetes, o mi cuerpo combate mal los gérmenes",
    more="Más señales",
    others={
        TierAction.EMERGENCY: "Otra cosa, y parece una emergencia",
        TierAction.PAGE_NURSE: "Otra cosa que no puede esperar",
        TierAction.CALL_CLINIC: "Otra cosa que me preocupa",
        TierAction.BEFORE_NEXT: "Otra cosa que conviene mirar",
    },
    unsure="No sé si es una de estas",
    nothing="Siempre está bien llamar.",
    none_ticked="Marque lo que note y envíelo. O simplemente llámenos.",
    send="Avisar a la clínica",
    back="Volver a mi página",
    sent_title="Gracias. Lo hemos recibido.",
    you_told_us="Nos avisó {moment}",
    still_call="Esto no reemplaza una llamada.",
    seen_now="Una enfermera de {clinic} lo lee hoy. Hoy abrimos hasta {clock}.",
    seen_now_urgent="Una enfermera de {clinic} recibe un aviso ahora. Hoy abrimos hasta {clock}.",
    seen_later="Está cerrado. Una enfermera de {clinic} lo lee cuando abrimos, {moment}.",
    seen_later_urgent="Está cerrado. La enfermera recibe un aviso ahora, pero quizá no lo vea "
    "enseguida. Abrimos {moment}.",
    seen_some_time="Una enfermera de {clinic} lo lee a más tardar el próximo día hábil.",
    seen_some_time_urgent="Una enfermera de {clinic} recibe un aviso ahora.",
    alerted="Avisamos a una enfermera de {clinic} {moment}.",
    read_when_open="Una enfermera de {clinic} lo lee cuando está abierto.",
    refused_title="Envíelo otra vez, por favor",
    refused_text="No llegó desde su página y no lo guardamos. Abra su página otra vez.",
)

REPORT_WORDS = {"en": _ENGLISH, "es": _SPANISH}
