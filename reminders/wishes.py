"""Plain-language wishes to get no more texts, in English and Spanish, by rules one can read.

Pure: no model, no clock; nothing is sent. A text is put into plain words; what it says about
something else ("don't stop", "if I text STOP") is struck out; the rest is held against tables of
phrases. A missed wish is an unlawful text, a false one costs a patient the safety messages, so
doubt is said: UNSURE stops nothing. Nothing is dropped: the inbox makes a concern of the rest.

In a table a line is one phrase: a regular expression over plain words; {names} stand for PARTS.
{open} and {close} are the ends of a clause with its courtesies; {shut} ends no question.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from os.path import commonprefix


class Wish(StrEnum):
    """STOP is acted on at once; UNSURE goes to a nurse as a possible opt-out."""

    STOP = "stop"
    UNSURE = "unsure"
    NONE = "none"


KEYWORDS = frozenset(
    """stop stopall quit end revoke optout cancel unsubscribe optmeout remove removeme cease desist
    discontinue halt terminate endall quitall stopit stopthis stopthat stopthem stopthese quitit
    nomore enough alto para parar pare paren pares parenle parale parele basta yabasta cancelar
    cancela cancele cancelen baja darbaja debaja nomas salir salirme fin finalizar terminar detener
    detenganse desuscribir anular eliminar borrar suficiente nomolestar""".split()
)
# Only these are looked for behind a slip of the thumb; the others are too close to other words.
SLIPPED_KEYWORDS = "stop quit cancel revoke unsubscribe optout stopall cancelar".split()
SLIPPED_WORDS = """texting messages message messaging reminders reminder sending remove number
    contact contacting receive receiving harassing mensajes mensaje numero equivocado""".split()
REAL_WORDS = frozenset(
    """step stops top shop slop stoop stomp strop sop quite quiet quilt suit unit quits cancer evoke
    cancels revoked testing massage massages massaging messaged spending removed removes contacts
    numbers numbed reminded texas received receives contacted contracting""".split()
)
SPOKEN = dict(
    pair.split("=")
    for pair in """dont=do_not doesnt=does_not didnt=did_not wont=will_not cant=can_not isnt=is_not
    cannot=can_not wouldnt=would_not shouldnt=should_not arent=are_not aint=is_not havent=have_not
    im=i_am ive=i_have id=i_would ill=i_will its=it_is thats=that_is youre=you_are yall=you u=you
    ya=ya ur=your r=are wanna=want_to gonna=going_to gotta=got_to anymore=any_more nomore=no_more
    nomas=no_mas pls=please plz=please plss=please plse=please pleas=please plese=please w=with
    txt=text tx=text txts=texts txting=texting txtin=texting textin=texting texing=texting n=and
    msg=message msgs=messages msging=messaging thx=thanks ty=thanks num=number 2=to nd=and
    unsubscribing=unsubscribe unsub=unsubscribe stpo=stop sotp=stop tsop=stop stp=stop stopp=stop
    stap=stop stahp=stop st0p=stop sttop=stop q=que k=que ke=que d=de xq=porque pq=porque x=por
    xfa=por_favor porfa=por_favor porfavor=por_favor xfavor=por_favor porfis=por_favor msj=mensajes
    msjs=mensajes mjs=mensajes mensages=mensajes kiero=quiero qiero=quiero embien=envien
    enbien=envien embiar=enviar escrivan=escriban escrivir=escribir keiro=quiero equibocado=equivocado""".split()
)

PARTS = {
    "open": r"[.,?] (?:(?:please|ok|okay|hi|hello|hey|just|so|and|well|no|yes|omg|ugh|dude|now|"
    r"(?:can|could|would|will) you|i said|again|hola|oiga|oigan|oye|favor de|por favor|ya|y|pues|"
    r"{rude}) )*",
    "close": r"{tail} [.,?]",
    "shut": r"{tail} [.,]",
    "tail": r"(?: (?:please|now|right|thanks|thank you|ok|okay|asap|immediately|already|today|ever|"
    r"at once|any more|again|for good|forever|permanently|right away|sir|maam|guys|people|lol|"
    r"por favor|gracias|ya|ahora|mas|nunca|jamas|inmediatamente|mismo|de una vez|{rude}))*",
    "rude": r"the hell|hell|fuck\w*|tf|damn\w*|dang|freaking|goddamn|shit|bs|crap|stupid|pinches?|"
    r"malditos?",
    # What stands between "stop" and "texts".
    "these": r"(?:(?:me|us|him|her|my|our|the|these|those|this|that|your|all|any|any more|more|so|"
    r"many|much|of|annoying|daily|constant|endless|automated|automatic|unwanted|unsolicited|other|"
    r"further|additional|future|another|an|a|single|upcoming|to|for|from|with|on|and|or|getting|"
    r"receiving|sending|get|receive|calls|calling|call|calls|emails|email|phone|cell|text|sms|"
    r"aftercare|follow up|(?:appointment|reminder|clinic|marketing|care|recovery|skin|promotional)"
    r"(?= (?:text|message|reminder|sms|alert|notif))|los|las|el|la|sus|tus|estos|esos|estas|esas|"
    r"este|ese|mas|tantos|tantas|todos|todas|de|con|a|ni|un|una|otro|ningun|mis|su|enviando|"
    r"mandando|recibir|recibiendo|enviar|mandar|mandarme|enviarme|{rude}) )*",
    "texts": r"(?:(?<!to )text(?! (?:me|you|back))|texts|(?:text )?messages?|messaging|texting|sms|"
    r"reminders?(?! appointment| call)|notifications?|alerts?|updates|communications?|spam|blasts|"
    r"subscription|mensajes?|mensajitos?|textos?|recordatorios?|notificaciones|avisos|alertas|"
    r"suscripcion|publicidad)",
    "end": r"(?:stop|quit|end|cease|cancel|discontinue|halt|kill|disable|deactivate|terminate|"
    r"(?:turn|shut|switch|cut) off|cut out|remove|delete|enough(?: with| of)?|done with|over|"
    r"finished with|through with|tired of|sick of|fed up with|had it with|knock it off with)",
    "texting": r"(?:texting|messaging|contacting|calling|spamming|harassing|pestering|notifying|"
    r"pinging|bombarding|hounding|stalking|soliciting|blowing up|hitting me up|reaching out)"
    r"(?! (?:you|photos?|pictures?|pics?)\b)",
    "text": r"(?:text|message|contact|call|spam|harass|write|bother|disturb|reach out to|ping|email)",
    "not": r"(?:do not|does not|did not|no longer|never|would not|not)",
    "list": r"(?:\w+ )?(?:lists?|system|database|service|program|thread|group|chat|records?|"
    r"contacts?|file|texts?|messages|reminders|here|these|this|that|it|everything|mailing|"
    r"rotation|distribution|sms|notifications|whatever|phone|texting)(?! (?:schedule|cream))",
    "drop": r"(?:take|taken|get|remove|removed|delete|erase|drop|pull|scrub|strike|cross|unenroll|"
    r"purge|wipe|clear|exclude|leave|keep|cut|kick|unlist|lose|forget|opt)",
    "manden": r"(?:mand(?:en|e|es)|envi(?:en|e|es)|mandar|enviar)(?:me|nos|les)?",
    "escriban": r"(?:escrib(?:an|a|as|ir)|molest(?:en|e|es|ar)|contact(?:en|e|es|ar)|"
    r"texte(?:en|e|es|ar)|busquen|busque|notifiquen|acosen|jodan|fastidien|chinguen|mensajeen|"
    r"marquen|hablen|insistan)(?:me|nos)?",
    "mandar": r"(?:mand|envi|escrib|molest|contact|llam|text|texte|fastid|jod|chinga|acos|spame|"
    r"marc|hosti|insist)(?:i?ar|er|ir|ando|iendo|i?andome|iendome)?(?:me|nos|le|les)?(?:los|las)?",
    "dejen": r"(?:dej|par)(?:en|e|a|ar|es|o|emos)(?:me|nos|le)?(?: ya)?",
    "quiten": r"(?:quit|borr|elimin|sa[cq]u?|remuev|remov|retir|desactiv|tach|anul)"
    r"(?:en|e|a|ar|an|er|es)",
    "lista": r"(?:(?:su|la|esta|esa|de|los|estos|sus|el|este|ese|tu|mas|todos|mi) )*(?:lista|list|"
    r"listas|sistema|base|mensajes|textos|numero|grupo|contactos|aqui|ahi|esto|eso|registros?|"
    r"directorio|telefono|recordatorios|notificaciones)",
}

# Struck out with the rest of their clause: somebody who wants the texts, asks, or tells a story.
GUARDS = """
    (?:do not|does not|did not|never|will not|would not|should not|can not|without|hope not|
       not (?:trying|asking|saying|planning|ready|wanting|looking|going))
    (?: (?:want|wanting|wish|like|need|have|ever|even|you|guys|to|trying|asking|ask|saying|say|said|
       mean|meaning|going|yet|really|be|tell|for|any|accidentally|the|these|those|my|your|our))*
    (?: (?:{texts}|them) to)?
    (?: (?:stop|stopping|quit|end|ending|cease|cancel|canceling|unsubscribe|unsubscribed|opt|optout|
       remove|removed|delete|erase|discontinue|halt|turn|shut|take (?:me|my|us)|taken|drop|lose|revoke|
       leave|block|pull|get me off|disable|suspend|kill|terminate))
"""
