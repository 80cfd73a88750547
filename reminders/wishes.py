"""Plain-language wishes to get no more texts, in English and Spanish, by rules one can read.

Pure: no model, no clock; nothing is sent. A text is put into plain words; what it says about
something else ("don't stop", "if I text STOP") is struck out; the rest is held against tables of
phrases. A missed wish is an unlawful text, a false one costs a patient the safety messages, so
doubt is said: UNSURE stops nothing. Nothing is dropped: the inbox makes a concern of the rest.

A table has a phrase a line: a regular expression over plain words. {names} stand for PARTS, "~ "
for a few words that name nothing else; {open} and {close} are the ends of a clause with its
courtesies, {shut} one that asks nothing. A line that ends in "|" goes on below.
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
    nomore alto para parar pare paren pares parenle parale parele basta yabasta cancelar cancela
    cancele cancelen baja darbaja debaja nomas salir salirme fin finalizar terminar detener
    detenganse desuscribir anular eliminar borrar nomolestar""".split()
)
# Only these are looked for behind a slip of the thumb: the others are too close to other words.
SLIPPED_KEYWORDS = "stop quit cancel revoke unsubscribe optout stopall cancelar".split()
SLIPPED_WORDS = """texting messages message messaging reminders reminder sending remove number
    contact contacting receive receiving harassing mensajes numero equivocado manden""".split()
REAL_WORDS = frozenset(
    """step stops top shop slop stoop stomp strop sop quite quiet quilt suit unit quits cancer evoke
    cancels revoked testing massage massages massaging messaged spending removed removes contacts
    numbers numbed reminded texas received receives contacted contacte contacto contacta mensaje
    numeros remover mandan mandes mande""".split()
)
COURTESIES = frozenset(
    """please thanks thank you now ok okay hi hello hey asap immediately already just sir maam omg
    ugh lol por favor gracias ya hola buenas buenos tardes dias noches""".split()
)
SPOKEN = dict(
    pair.split("=")
    for pair in """dont=do_not doesnt=does_not didnt=did_not wont=will_not cant=can_not isnt=is_not
    cannot=can_not wouldnt=would_not shouldnt=should_not arent=are_not aint=is_not havent=have_not
    dnt=do_not im=i_am ive=i_have id=i_would ill=i_will its=it_is thats=that_is youre=you_are u=you
    yall=you ya=ya ur=your r=are wanna=want_to gonna=going_to gotta=got_to anymore=any_more 2=to
    nomore=no_more nomas=no_mas pls=please plz=please pleas=please plese=please kindly=please w=with
    txt=text tx=text tex=text txts=texts txting=texting txtin=texting textin=texting texing=texting
    n=and nd=and msg=message msgs=messages msging=messaging thx=thanks ty=thanks num=number
    rmv=remove unsub=unsubscribe stpo=stop sotp=stop tsop=stop stp=stop stopp=stop stap=stop
    stahp=stop st0p=stop sttop=stop q=que k=que ke=que d=de m=me xq=porque pq=porque x=por
    xfa=por_favor porfa=por_favor porfavor=por_favor xfavor=por_favor msj=mensajes msjs=mensajes
    mjs=mensajes mensages=mensajes kiero=quiero qiero=quiero embien=envien enbien=envien
    escrivan=escriban escrivir=escribir equibocado=equivocado reminder=reminders""".split()
)

PARTS = {
    "open": r"[.,?] (?:(?:please|ok|okay|hi|hello|hey|just|so|and|well|no|yes|omg|ugh|dude|now|"
    r"sorry|again|(?:can|could|would|will) you|i said|hola|oigan|favor de|por favor|ya|y|{rude}) )*",
    "close": r"{tail} [.,?]",
    "shut": r"{tail} [.,]",
    "tail": r"(?: (?:please|now|right|thanks|thank you|asap|immediately|already|today|ever|more|at "
    r"once|any more|again|for good|forever|permanently|away|sir|maam|guys|people|to me|needed|lol|"
    r"por favor|gracias|ya|ahora|mas|nunca|jamas|mismo|de una vez|{rude}))*",
    "rude": r"the hell|hell|fuck\w*|tf|the fuck|damn\w*|freaking|goddamn|shit|crap|stupid|pinches?",
    "body": r"burn\w*|bleed\w*|cream|retin\w*|tret\w*|smok\w*|vap\w+|peel\w*|swell\w*|swollen|itch\w*|"
    r"redness|bruis\w*|pain\w*|hurt\w*|sting\w*|sunscreen|spf|makeup|ibuprofen|tylenol|advil|aspirin|"
    r"arnica|antibio\w*|val\w+trex|valtrex|meds?|medic\w+|ointment|aquaphor|vaseline|serum|ice|icing|"
    r"mask|bandage|drinking|alcohol|gym|work ?out|sleep\w*|ooz\w*|crust\w*|flak\w*|scabs?|blister\w*|"
    r"numb|product\w*|wash\w*|cleanser|lips?|rash|scar|scars|vitamins?|pills?|infect\w*|scratch\w*|"
    r"touch\w*|tape|stitches|crema|ardor|ard\w+|sangr\w*|fumar|maquillaje|hinch\w*|dolor|duele|"
    r"comezon|picazon|picar?|costras?|pastillas?|hielo|piel|sol|puntos|venda|ejercicio|suero",
    "booking": r"app(?:ointmen)?ts?|botox|fillers?|laser|treatments?|procedure|session|deposit|visit|"
    r"membership|refund|consult\w*|photos?|pictures?|pics?|results?|citas?|tratamientos?|sesion|"
    r"membresia|relleno|fotos?|tomorrow|monday|tuesday|wednesday|thursday|friday",
    "gap": r"(?:(?!(?:{body}|{booking}|i|we|if|as|when|got|until|miss|perder\w*|lose|forget|keep|by)\b"
    r"(?! (?:reminder|text|message|alert)))\w+ ){0,6}",
    "texts": r"(?:(?<!to )(?<!and )(?<!i )text(?! (?:me|you|back))|texts|messages?|messaging|texting|"
    r"sms|reminders?(?! call)|notifications?|alerts|updates|communications?|spam|subscription|"
    r"mensajes?|mensajitos?|textos?|recordatorios?|notificaciones|avisos|alertas|suscripcion)",
    "number": r"(?:cell |phone |contact )?(?:number|phone|cell|contact|info\w*|name|numero|telefono|"
    r"celular|nombre|contacto|cel)",
    "list": r"(?:\w+ ){0,2}(?:lists?|system|database|service|program|thread|group|chat|chain|records|"
    r"contacts|file|texts?|messages|messaging|reminders|here|these|this|that|it|everything|rotation|"
    r"phone|inbox|lista|listas|sistema|base|mensajes|textos|grupo|contactos|aqui|esto|eso|registros?|"
    r"directorio|telefono|recordatorios)(?! schedule)",
    "stop": r"(?:stop|quit|(?<!the )end|cease|cancel|discontinue|halt|kill|disable|deactivate|remove|"
    r"terminate|(?:turn|shut|switch|cut) off|enough|no more|zero|tired of|sick of|done with|am over|"
    r"am so over|fed up with|finished with|through with)",
    "texting": r"(?:texting|messaging|contacting|calling|spamming|harassing|pestering|notifying|"
    r"bombarding|hounding|stalking|soliciting|blowing up|hitting me up|reaching out)(?! you)",
    "text": r"(?:text|message|contact|call|spam|harass|write|bother|disturb|reach out|ping|email)",
    "not": r"(?:do not|does not|did not|no longer|never|would not|not)",
    "drop": r"(?:take|taken|get|removed?|delete|erase|drop|pull|scrub|strike|unenroll|purge|wipe|"
    r"clear|exclude|leave|cut|kick|lose|forget|opt)",
    "me": r"(?:me|us|her|him|(?:my|this|our|the) (?:{number}|mom|mother|wife|husband|daughter|son))",
    "no": r"(?:no|nunca|jamas|tampoco)(?: (?:me|nos|se|lo|los|le|quiero|quisiera|deseo|que|mas|ya|"
    r"por|favor|vuelvan?|vuelvas|sigan?|sigas|anden|esten|ni|llamen|llame|a))*",
    "manden": r"(?:mand|envi)(?:en|e|es|n|ar|ando)(?:me|nos|les)?",
    "escriban": r"(?:escrib(?:an|a|as|ir|irme|iendo\w*)|(?:molest|contact|texte|not?ific|fastidi|"
    r"mensaje|acos|avis)(?:en|e|es|ar|arme|ando\w*)|busquen|jodan|chinguen|insistan)(?:me|nos)?",
    "mandar": r"(?:mand|envi|escrib|molest|contact|llam|text|texte|fastid|jod|ching|acos|spame|recib|"
    r"hostig|insist)(?:a|ar|iar|er|ir|ando|iendo)(?:me|nos|le|les)?(?:los|las)?",
    "dejen": r"(?:(?:dej|par)(?:en|e|a|ar|es|o|emos)(?:me|nos|le)?(?: ya)?)",
    "quiten": r"(?:quit|borr|elimin|sa[cq]u?|remuev|remov|retir|tach|exclu[yi])(?:en|e|a|ar|an|er|ir)",
    "apaguen": r"(?:cancel|suspend|deteng|deten|desactiv|apag|apagu|par|anul|termin|elimin|quit|"
    r"remuev)(?:er|ar|en|an|e|a|o|es)(?:me|nos|le)?",
    "threat": r"(?:lawyer|attorney|lawsuit|sue|suing|legal action|illegal|police|court|complaint|"
    r"abogad[oa]|demand(?:ar|are|o|a)\w*|denunci\w+|ilegal)",
    "ending": r"(?:stop\w*|quit|end|ending|cease|cancel\w*|unsubscribed?|opt|optout|removed?|delete|"
    r"discontinue|halt|turn|shut|take (?:me|my|us)|taken|drop|lose|revoke|block|pull|disable|kill|"
    r"erase|suspend|terminate|get (?:me|taken|removed) off|leave)",
}

# Struck out with the rest of their clause: somebody who wants the texts, asks, or tells a story.
GUARDS = r"""
(?:{not}|will not|should not|can not)(?: (?:want|wanting|wish|like|need|have|ever|even|you|guys|to||
    trying|asking|asked?|say|said|mean|meaning|going|yet|really|be|tell|told|for|any|the|these|my|{texts}|them))* {ending}
"""
