"""Plain-language wishes to get no more texts, in English and Spanish, by rules one can read.

Pure: no model, no clock; nothing is sent. A text is put into plain words; what it says about
something else ("don't stop", "if I text STOP") is struck out; the rest is held against tables of
phrases. A missed wish is an unlawful text, a false one costs a patient the safety messages: so
doubt is said. UNSURE stops nothing. Nothing is dropped: the inbox shows a nurse whatever is no wish.

In a table a line is one phrase: a regular expression over plain words, where {names} stand for
PARTS. {open} and {close} are the ends of a clause and their courtesies; {shut} asks no question.
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
    "stop|stopall|quit|end|revoke|optout|cancel|unsubscribe|optmeout|unsub|remove|removeme|cease|"
    "desist|discontinue|halt|terminate|endall|stopit|stopthis|stopthat|quitit|stopthem|stopthese|"
    "nomore|enough|endtexts|alto|para|parar|pare|paren|pares|parenle|parale|parele|basta|bastaya|"
    "cancelar|cancela|cancele|cancelen|baja|darbaja|debaja|nomas|salir|salirme|fin|finalizar|"
    "terminar|detener|detenganse|desuscribir|anular|eliminar|borrar|suficiente|nomolestar".split("|")
)
# Only these are looked for behind a typing slip: others are too close to words of their own.
LONG_KEYWORDS = "stop quit cancel revoke unsubscribe optout stopall cancelar desuscribir".split()
SLIPPED_WORDS = """texting messages message messaging reminders reminder sending remove number please
    contact contacting receive receiving harassing mensajes mensaje numero equivocado""".split()
REAL_WORDS = frozenset(
    """step stops top shop slop stoop stomp strop snop sop quite quiet quilt suit unit quits cancer
    cancels evoke revoked cancelan cancelas testing massage massages massaging messaged spending
    removed removes remover contacts numbers numbed reminded texas received receives pleased
    contacted contracting""".split()
)
SPOKEN = dict(
    line.split("=")
    for line in """dont=do not|doesnt=does not|didnt=did not|wont=will not|cant=can not|isnt=is not
cannot=can not|wouldnt=would not|shouldnt=should not|arent=are not|aint=is not|havent=have not
im=i am|ive=i have|id=i would|ill=i will|its=it is|thats=that is|youre=you are|yall=you|u=you|ya=ya
ur=your|r=are|wanna=want to|gonna=going to|gotta=got to|anymore=any more|nomore=no more|nomas=no mas
pls=please|plz=please|plss=please|plse=please|pleas=please|txt=text|txts=texts|txting=texting
txtin=texting|textin=texting|texing=texting|tex=text|tx=text|txtng=texting|textn=texting|txtn=texting
msg=message|msgs=messages|msging=messaging|mssgs=messages|thx=thanks|ty=thanks|tks=thanks|num=number
rmv=remove|w=with|wit=with|b=be|2=to|ppl=people|nd=and|n=and|da=the|dem=them|dis=this|thru=through
unsubscribing=unsubscribe|unsub=unsubscribe|stpo=stop|sotp=stop|tsop=stop|stp=stop|stopp=stop
stap=stop|stahp=stop|st0p=stop|stoop=stop|stob=stop|stio=stop|sttop=stop|soptp=stop|quite=quit
stoppit=stop it|lv=leave|aline=alone|aloe=alone|wrng=wrong|worng=wrong|wron=wrong|nobodys=nobody
q=que|k=que|ke=que|xq=porque|pq=porque|xfa=por favor|porfa=por favor|porfavor=por favor|x=por
xfavor=por favor|porfis=por favor|msj=mensajes|msjs=mensajes|mjs=mensajes|mensages=mensajes|d=de
mesajes=mensajes|msgs=mensajes|numer=numero|kiero=quiero|qiero=quiero|kero=quiero|tb=tambien
equibocado=equivocado|dejenme=dejen me|dejeme=deje me|dejame=deja me|envien=envien|enbien=envien
embien=envien|embíen=envien|escriban=escriban|escrivan=escriban|molestn=molesten|ia=ya|lla=ya"""
    .replace("\n", "|")
    .split("|")
)

PARTS = {
    "open": r"[.,?] (?:(?:please|ok|okay|hi|hello|hey|just|so|and|then|well|no|yes|omg|ugh|can you|"
    r"could you|would you|will you|i said|dude|again|now|then|{rude}|hola|oigan|oye|favor de|"
    r"por favor|ya|pueden|puede|y|pues|entonces) )*",
    "tail": r"(?: (?:please|now|right|thanks|thank you|ok|okay|asap|immediately|already|today|at once|"
    r"any more|anymore|again|ever|for good|forever|permanently|right away|sir|maam|guys|people|you|"
    r"por favor|favor|gracias|ya|ahora|mas|nunca|jamas|inmediatamente|mismo|{rude}))*",
    "close": r"{tail} [.,?]",
    "shut": r"{tail} [.,]",
    "rude": r"fuck\w*|f|tf|damn\w*|dang|hell|the hell|freaking|frickin\w*|effing|goddamn|shit\w*|bs|"
    r"stupid|bullshit|crap|pinches?|malditos?|chingad\w+|putos?|jodidos?",
}
