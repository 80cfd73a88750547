"""The words of what a patient answers and chooses on the page: check-ins, "I have read this",
"Not you?", how to be reached. Pure. Grade 5, calm, no sentence over 20 words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """One language. `{braces}` are filled by `patients.page_answers`."""

    # Check-ins
    ask: str
    ask_text: str
    ask_button: str
    check_in: str
    feels_normal: str
    normal_yes: str
    normal_no: str
    trend: str
    better: str
    same: str
    worse: str
    wants_call: str
    call_yes: str
    call_no: str
    answer_all: str
    answer_send: str
    nothing_asked: str
    thanks: str
    thanks_normal: str
    thanks_not_yet: str
    thanks_again: str
    thanks_nurse: str
    thanks_call: str
    thanks_worse: str
    skin_normal: str
    # Reading
    read: str
    was_read: str
    # Not you
    not_you: str
    not_you_title: str
    not_you_text: str
    not_you_do: str
    not_you_back: str
    gone_title: str
    gone_text: str
    # Choices
    choices: str
    channel: str
    by_text: str
    by_email: str
    language: str
    wording: str
    neutral: str
    detailed: str
    save: str
    saved: str
    stop_title: str
    stop_text: str
    stop_do: str
    stopped: str
    start_again: str
    start_by_text: str
    start_do: str
    choose_all: str


_ENGLISH = AnswerWords(
    ask="How is your skin?",
    ask_text="Three short questions. Your clinic sees the answers.",
    ask_button="Answer now",
    check_in="How is your skin?",
    feels_normal="Does your skin feel normal again?",
    normal_yes="Yes, normal",
    normal_no="Not yet",
    trend="How is it going?",
    better="Better each day",
    same="About the same",
    worse="It is getting worse",
    wants_call="Would you like us to call you?",
    call_yes="Yes, call me",
    call_no="No, thank you",
    answer_all="Please answer this one, too.",
    answer_send="Send",
    nothing_asked="There is nothing to answer now. Your page shows what to do.",
    thanks="Thank you",
    thanks_normal="That is good to hear. Your page shows what you may start again, and when.",
    thanks_not_yet="That is fine, skin takes its time. Keep your active products closed.",
    thanks_again="We ask you again in three days.",
    thanks_nurse="A nurse at {clinic} will look at this. We do not ask again.",
    thanks_call="A nurse at {clinic} sees that you would like a call.",
    thanks_worse="Getting worse? Do not wait for us: look at the warning signs, and call.",
    skin_normal="My skin feels normal",
    read="I have read this",
    was_read="You told us that you have read this.",
    not_you="Not you?",
    not_you_title="Is this page not for you?",
    not_you_text="Then we stop all messages to you and close this page. Nobody can open it again "
    "with this link.",
    not_you_do="It is not for me. Stop and close",
    not_you_back="It is for me. Go back",
    gone_title="Thank you. It is closed.",
    gone_text="No more messages come to you, and this link opens nothing any more.",
    choices="Your messages",
    channel="How should we reach you?",
    by_text="By text message",
    by_email="By email",
    language="Which language?",
    wording="What may our messages say?",
    neutral="Only that there is a next step, for privacy",
    detailed="What to do, in full",
    save="Save",
    saved="Saved.",
    stop_title="Stop all messages",
    stop_text="Your page stays open. You can still call us at any time.",
    stop_do="Stop all messages",
    stopped="Messages are off. Your page stays open.",
    start_again="To get them again, call {clinic}.",
    start_by_text="To get them again, answer one of our texts with START.",
    start_do="Get messages again",
    choose_all="Please choose one.",
)

_SPANISH = AnswerWords(
    ask="¿Cómo está su piel?",
    ask_text="Tres preguntas cortas. Su clínica ve las respuestas.",
    ask_button="Responder ahora",
    check_in="¿Cómo está su piel?",
    feels_normal="¿Siente la piel normal otra vez?",
    normal_yes="Sí, normal",
    normal_no="Todavía no",
    trend="¿Cómo va?",
    better="Mejor cada día",
    same="Más o menos igual",
    worse="Va peor",
    wants_call="¿Quiere que le llamemos?",
    call_yes="Sí, llámenme",
    call_no="No, gracias",
    answer_all="Responda también esta, por favor.",
    answer_send="Enviar",
    nothing_asked="Ahora no hay nada que responder. Su página muestra qué hacer.",
    thanks="Gracias",
    thanks_normal="Qué bueno. Su página muestra qué puede volver a usar, y cuándo.",
    thanks_not_yet="Está bien, la piel necesita tiempo. Siga sin usar productos activos.",
    thanks_again="Le preguntamos otra vez en tres días.",
    thanks_nurse="Una enfermera de {clinic} lo va a mirar. Ya no preguntamos más.",
    thanks_call="Una enfermera de {clinic} ve que usted quiere una llamada.",
    thanks_worse="¿Va peor? No nos espere: mire las señales de alerta y llame.",
    skin_normal="Siento la piel normal",
    read="Ya lo leí",
    was_read="Nos dijo que ya lo leyó.",
    not_you="¿No es usted?",
    not_you_title="¿Esta página no es para usted?",
    not_you_text="Entonces no le enviamos más mensajes y cerramos esta página. Nadie podrá abrirla "
    "con este enlace.",
    not_you_do="No es para mí. Parar y cerrar",
    not_you_back="Es para mí. Volver",
    gone_title="Gracias. Está cerrada.",
    gone_text="Ya no le llegan mensajes, y este enlace ya no abre nada.",
    choices="Sus mensajes",
    channel="¿Cómo le avisamos?",
    by_text="Por mensaje de texto",
    by_email="Por correo electrónico",
    language="¿En qué idioma?",
    wording="¿Qué pueden decir los mensajes?",
    neutral="Solo que hay un paso nuevo, por privacidad",
    detailed="Qué hacer, con detalle",
    save="Guardar",
    saved="Guardado.",
    stop_title="Parar todos los mensajes",
    stop_text="Su página sigue abierta. Puede llamarnos cuando quiera.",
    stop_do="Parar todos los mensajes",
    stopped="No le enviamos mensajes. Su página sigue abierta.",
    start_again="Para recibirlos otra vez, llame a {clinic}.",
    start_by_text="Para recibirlos otra vez, responda START a uno de nuestros mensajes.",
    start_do="Recibir mensajes otra vez",
    choose_all="Elija una opción, por favor.",
)

ANSWER_WORDS = {"en": _ENGLISH, "es": _SPANISH}
