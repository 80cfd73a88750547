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
    numbers numbed reminded texas received receives contacted contracting contacte contacto contacta contactes numeros remover""".split()
)
SPOKEN = dict(
    pair.split("=")
    for pair in """dont=do_not doesnt=does_not didnt=did_not wont=will_not cant=can_not isnt=is_not
    cannot=can_not wouldnt=would_not shouldnt=should_not arent=are_not aint=is_not havent=have_not
    im=i_am ive=i_have id=i_would ill=i_will its=it_is thats=that_is youre=you_are yall=you u=you
    ya=ya ur=your r=are wanna=want_to gonna=going_to gotta=got_to anymore=any_more nomore=no_more
    nomas=no_mas pls=please plz=please plss=please plse=please pleas=please plese=please w=with
    txt=text tx=text txts=texts txting=texting txtin=texting textin=texting texing=texting n=and
    tex=text msg=message msgs=messages msging=messaging thx=thanks ty=thanks num=number 2=to nd=and
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
    "ending": r"(?:stop\w*|quit|end|ending|cease|cancel\w*|unsubscribed?|opt|optout|removed?|delete|erase|"
    r"discontinue|halt|turn|shut|take (?:me|my|us)|taken|drop|lose|revoke|block|pull|disable|suspend|"
    r"kill|terminate|get (?:me|taken|removed) off|leave)",
    "threat": r"(?:lawyer|attorney|lawsuit|sue|suing|legal action|illegal|police|court|abogad[oa]|"
    r"demand(?:ar|are|o|a)\w*|denunci\w+|ilegal)",
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
GUARDS = r"""
(?:{not}|will not|should not|can not|without)(?: (?:want|wanting|wish|like|need|have|ever|even|you|
    guys|to|trying|asking|ask|asked|say|said|mean|meaning|going|yet|really|be|tell|told|for|any|the|
    these|those|my|your|our|{texts}|them))* {ending}
(?:no|nunca|jamas|sin)(?: (?:quiero|quisiera|deseo|me|nos|que|vayan|vaya|a|se|los?|por|favor|le|
    les|voy|pienso|quise|puedo))* (?:(?:dej|par)(?:en|e|es|ar|emos|a|an)(?:me|nos)?|cancel\w+|
    {quiten}\w*|saquen\w*|suspend\w+|(?:den|dar|de)(?:me)?(?: de)? baja|detengan|bloque\w+|baja|
    basta|salir\w*|desuscrib\w*|alto)
(?:when|until|how long|how soon|cuando)(?: (?!but|so|please|just|pero)\w+){0,5} (?:stop|end|quit|
    dejan?|dejo|dejar|paran?|parar)
(?:why|how come|did|do|does|have|has|will|are|(?<!can )would)(?: (?:did|have|do|the|my|your|these|i|we|
    {texts}|ever|just|it|this|going|to|all))+ (?:stop|end|quit|unsubscribe|opt|cancel|no more)
(?:did|have|since|why)(?: (?:did|have))?(?: (?:you|guys|just|already))+ (?:stop|quit|cancel|remove)
(?:can|should|may|must|could|do) i (?:now |just |also )?(?:stop|quit) (?:sending|texting|messaging)
(?:puedo|debo|tengo que) (?:dejar|parar) de (?:mandar|enviar|escribir|llamar)
(?<!it )if i (?:ever |just |do )?(?:reply|text|send|say|type|stop|opt|unsubscribe|cancel|quit)
si (?:mando|escribo|respondo|contesto|pongo|digo|cancelo|dejo|me doy)
what (?:does|happens|would happen|will happen)|que (?:pasa|significa|sucede)
(?:reply|text|responda|responder|respond) stop to|stop (?:ends|to (?:end|opt|cancel|unsub))
(?:says?|said|reads|dice) (?:to )?(?:reply|text|send|respond)
(?:accidentally|by accident|by mistake|did not mean to|sin querer|por error) \w+
i (?:\w+ )?(?:texted|sent|said|hit|typed|replied|unsubscribed|opted|blocked|pressed|put|wrote)
    (?: (?!but|so)\w+){0,4} (?:(?:by|on) (?:mistake|accident)|accidentally|but changed my mind)
(?:was|been|got|were|get|am) (?:i )?(?:accidentally )?(?:unsubscribed|opted out)
(?:is this|did i|do i|i|have i|gave|listed|maybe i)(?: (?:called|call|dialed|texted|text|had|have|got|
    get|gave|give|you|the|them|her|reach|put|down|wrote|entered|a))* wrong (?:number|person)
wrong number (?:on|in|for (?:the|my))
(?:di|dieron|marque|llame|tengo|puse|anote)(?: \w+){0,3} (?:numero|telefono) (?:equivocado|incorrecto)
(?:got|have|(?<!to )get|getting|had|received|(?<!to )receive|was|were|been|are|is|still|see) no
    (?: more| further)? {texts}
(?<!rather )(?<!prefer )(?<!that )(?:you|they|we)(?: guys)? {not} {text}
stop \w+ing you|(?:old|previous) (?:number|phone|cell)
(?:unsubscribe|opt out|remove|stop|take|cancel|get|end)(?: (?!texts?|sms|messages?|but|and)\w+){0,4}
    (?:emails?|newsletters?|wait ?list|waiting list|schedule|calendar)
no me (?:manden?|envien?) (?:a|con|al) (?!este|mi|esta)
baja (?:medica|laboral|por enfermedad|del trabajo|la|el|de peso|mi)
"""
# They stand although a guard could strike them: "if you don't stop texting me ...".
ANGRY = r"""
(?:if|why|unless)(?: (?:you|do|will|can|wo|guys|people|they))* not (?:you )?(?:guys |people )?
    (?:stop|quit) {texting}
(?:si|por ?que) no (?:dejan?|paran?|dejas|me dejan?) (?:de {mandar}|en paz)
do not make me (?:ask|tell|say)
"""
# Their words speak of texts, lists, numbers: nothing else can be meant.
WISHES = r"""
[.,] stop \.
^ \. stop [.,]
{end} (?:you |u )?(?:guys )?(?:from |with (?:all )?)?(?:the )?(?:all )?(?:{rude} )*{texting}
{end} {these}{texts}
(?:turn|shut|switch) {these}{texts} off
(?:stop|quit) (?:de |con )?(?:getting|receiving|hearing from you|seeing) {these}(?:{texts}|from you)
(?:stop|quit) (?:de )?{mandar}
(?:want|need|like|make|get|have|making) {these}{texts} (?:to )?(?:stop|end)
{texts} (?:need|have|must|should|better|got) (?:to )?(?:stop|end)
{not}(?: \w+ly)? (?:want|need|wish|care|desire|would like|like)(?: for| to| be| ever| get| receive|
    have| see| read| keep| continue| getting| receiving| you sending| any| sent| you to)*
    (?: be)? (?:{these}{texts}|(?:to )?hear(?:ing)? from|texted|messaged|contacted|notified)
{not} want you(?: guys)? (?:to )?(?:text|texting|messag|contact|send)
{not}(?: ever| to| please)? {text}(?:(?: or| and)? {text})* (?:me|us|this|here|my|again|any ?more)
    (?! back)
{not}(?: ever| to| please)? send {these}(?:{texts}|anything|stuff|this|these|any more{close})
(?:do not|no) need (?:for|of|you to (?:text|send|message|remind)|to (?:text|send|message|remind)
    (?: me| us)?(?! back)) ?{these}(?:{texts})?
(?:no|zero|not one)(?: more| further| additional| mas| additional) {these}(?:{texts}|contact)
{drop} (?:me|us|(?:my|this|our|the)(?: cell| phone)? (?:number|name|info\w*|phone|cell|contact))
    (?: removed)? (?:off of|off|from|out of)(?: of)? {list}
(?:remove|delete|erase|lose|forget|scrub|purge) (?:my|this|our)(?: cell| phone)? (?:number|phone|cell|
    contact|info\w*|digits|name){close}
(?:remove|unenroll|unsubscribe|unlist|opt|delete) (?:me|us){close}
(?:want|get|be|like|getting) (?:me |us )?(?:off|out of|removed from|taken off)(?: of)? {list}
stop using (?:my|this) (?:number|phone)
(?:opt|opting|opted)(?: me| us| this number| my number)? out|optout|unsubscribe|be unsubscribed
wrong (?:number|person|phone|guy|girl|lady|woman|man|recipient|contact)
(?:this|it) is not (?:\w+ ){1,3}(?:number|phone|cell)|not the (?:right )?(?:number|person) you
no (?:one|body) (?:by that name|named|called|here)|nobody (?:by|named|here)|no \w+ (?:at|on) this number
(?:no longer|does not)(?: has| have| use| own)? (?:at )?this (?:number|phone)|number belongs to
do not know (?:any \w+|any(?:one|body) (?:named|called|by)|you people)|belongs to someone else
i am (?:not|no longer) (?:a|your|one of your) (?:patient|client|customer)|never been (?:a|your) patient
never been (?:to|a client)|just got this number|new owner of this
leave (?:me|us)(?: {rude})* (?:alone|be)|cease and desist|do not (?:call|contact|text) list
(?:report\w*|mark\w*|flag\w*)(?: (?:you|this|these|it|number|the|your|texts))* as (?:spam|junk)
(?:you|u|this|number|your)(?: \w+)? to the (?:fcc|ftc|bbb|attorney general)|fcc|ftc|tcpa
stop harass\w+|(?:is|this|of) harass\w+|harassing (?:me|us)|stop spam\w*
(?:will|am|going to|about to|just|be|i)(?: be)? block(?:ing)? (?:you|your|ur|this)
(?:revok|withdraw|rescind|tak)\w*(?: back)? (?:\w+ ){0,2}(?:consent|permission|authorization)
(?:do not|no longer|never) (?:consent\w*|authori\w+)(?! form)|no consent
(?:no|nunca|jamas)(?: me| nos| lo)? (?:vuelv|sig)\w+ (?:a )?{mandar}
(?:no|nunca|jamas|tampoco) (?:me |nos )?(?:los )?{escriban}
(?:no|nunca|jamas) (?:me |nos )?{manden} {these}(?:{texts}|nada|eso|esto)
(?:no|nunca|jamas) (?:me |nos ){manden}{close}
{dejen} (?:de )?(?:estar(?:me)? )?{mandar}
{dejen} (?:con )?{these}{texts}
(?:basta|stop|no mas|ni un|alto)(?: ya)?(?: a| de| con)? {these}{texts}
(?:no|tampoco) (?:quiero|deseo|quisiera|necesito|queremos|requiero|me interesa)(?: \w+)? {these}
    (?:{texts}|que me (?:{manden}|{escriban}|llamen|sigan)|saber (?:mas )?de ustedes|recibirlos)
{quiten}(?:me|nos)(?: ya)? (?:de|del) {lista}
(?:me|nos)(?: \w+)? {quiten} (?:de|del) {lista}
{quiten} (?:ya )?(?:mi|este|el) (?:numero|telefono|celular|nombre|contacto|cel)
(?:dar|den|de|deme|denme|darme|darnos|dame|doy|dan|quiero|solicito|pido|pedir)(?: la| mi| una| me)*
    (?: de)? baja
(?:cancel|suspend|deteng|desactiv|apag|par|anul|termin|elimin|quit)(?:ar|en|an|e|a|o|es)(?:me|nos)?
    {these}{texts}
numero (?:equivocado|incorrecto|erroneo)|equivoc\w+ de (?:numero|persona)|persona equivocada
no (?:es|soy)(?: ya)? (?:el numero|la persona|su numero|paciente|cliente|quien)|no conozco a
dej(?:en|e|a|ar|es)(?:me|nos)? (?:me )?(?:en paz|tranquil\w+)|no molest(?:ar|en|e|es)
desuscrib\w+|(?:voy|vamos) a bloquear\w*|(?:los|las|te|este numero) bloqueo|es acoso
(?:no|nunca|jamas)(?: \w+){0,2} (?:autori[cz]\w+|di permiso|consent\w+|me suscribi|pedi (?:esto|
    estos|mensajes|sus))|(?:revoco|retiro) (?:mi |el )?(?:consentimiento|permiso|autorizacion)
salir(?:me)? de {lista}|(?:hart|cansad)[ao]s? de {these}{texts}
no (?:es necesario|hace falta|hay necesidad) (?:de )?(?:que )?(?:me )?(?:{manden}|{escriban})
"""
# They hold as long as the text names nothing else that could be meant: no cream, no appointment.
LOOSE_WISHES = r"""
{open}(?:stop|stopall|basta|alto|paren|parenle|pare|no mas|ya no mas|quit it|stop it|cut it out|knock it
    off|give it a rest|enough|enough is enough|back off|lay off|go away|get lost|buzz off|shut up|stfu|
    fuck (?:you|off)|screw you|piss off|quiten me|larguense|spam|no means no){shut}
{open}stop (?:i|you|this|u|or|we|already|everything|all|it|that|these|them|bothering|sending)
(?:please|just|said|now|you) stop{shut}
you (?:(?:guys|people|all|just|really|please|need|have|got|to|must|should|better|can|could) )+stop{close}
(?:ask|asked|told|telling|asking|begging|want|need|like|tell)(?: you)(?: \w+){0,2} to stop{shut}
i (?:\w+ )?(?:said|texted|replied|sent|typed|wrote|put|say|text|reply) stop
(?:stop|quit) (?:sending|bothering|bugging|annoying|reminding|disturbing|emailing|writing)
    (?: me| us| this| these| them| those| {rude}|{close})
(?:{not}) (?:want|need|wish)(?: to get| to receive)? (?:these|this|those|them|it){close}
(?:no longer|not)(?: \w+)? interested(?: in (?:this|these|your|any|getting|receiving|hearing)|{close})
done with (?:these|you|your|this clinic)|want out|(?:how do i|how to) (?:stop|end) (?:these|them)
make (?:these|them|this) stop|turn (?:these|them|this|it|that) off|turn off (?:these|this|them)
(?:never|did not|do not)(?: \w+)? (?:agree\w*|sign\w* (?:me )?up|ask\w* for|subscribe\w*|opt\w* in|
    request\w*|enroll\w*)
(?:report|reporting|sue|suing) (?:you|your|this number)|(?:this is|its|is) (?:just |pure )?spam{shut}
{threat}.*(?:{texts}|contact\w*|again)|(?:{texts}|contact\w*|again).*{threat}
(?:los|las|les|te) (?:voy a )?(?:report|denunci|demand)\w+|puro spam
no (?:me interesa|quiero (?:mas|nada|esto|estos)|estoy interesad[ao]|necesito (?:mas|esto|estos)){close}
(?:{quiten}|saquen)(?:me|nos){close}|olvid\w+ de mi|quiero salir(?:me)?{close}
"""
OTHER_THINGS = r"""
burn\w*|bleed\w*|cream|retin\w*|tretinoin|app(?:ointmen)?ts?|smok\w*|peel\w*|swell\w*|swollen|itch\w*|
    redness|bruis\w*|pain\w*|hurt\w*|sting\w*|botox|fillers?|laser|sunscreen|spf|makeup|ibuprofen|
    tylenol|advil|aspirin|arnica|antibiotics?|valtrex|meds?|medic\w+|ointment|aquaphor|vaseline|
    serum|ice|icing|mask|drinking|alcohol|exercis\w*|gym|workout|sleep\w*|treatments?|procedure|
    session|deposit|membership|ooz\w*|crust\w*|flak\w*|scab\w*|blister\w*|numb|product\w*|wash\w*|
    moisturiz\w*|lips?|rash|scar\w*|refund|consult\w*|photos?|pictures?|vitamins?|pills?|infect\w*
crema|ardor|ard\w+|sangr\w*|citas?|fumar|maquillaje|hinch\w*|dol\w+|duele|comezon|picazon|pica|costra\w*
    tratamiento|pastillas?|antibiotico|ibuprofeno|hielo|piel|sol|bloqueador|ejercicio|sesion|suero
"""
SMELLS = r"""
stop\w*|quit\w*|end|cancel\w*|unsub\w*|opt|optout|remov\w*|delete|erase|list|spam\w*|scam|wrong|alone
    |report\w*|lawyer|attorney|su(?:e|ing)|block\w*|consent\w*|harass\w*|annoying|too many|pause|mute
    |who is this|interested|no (?:more|thanks)|not (?:text|send|call|contact|message)\w*|enough|turn off
basta|par(?:e|en|ar)|alto|baja|dej\w+|quit\w+|borr\w+|elimin\w+|sa[cq]u?\w+|no (?:me|quiero|gracias)
    |equivoc\w+|salir\w*|denunci\w+|demand\w+|abogado|acos\w+|molest\w+|desuscrib\w+|suspend\w+|hart[ao]
"""


def _phrases(table: str) -> str:
    """One expression of a table; an indented line goes on with the phrase above it."""
    phrase = "|".join(re.sub(r"\n +", "", table).strip().splitlines())
    while (named := re.sub(r"\{([a-z]+)\}", lambda name: PARTS[name[1]], phrase)) != phrase:
        phrase = named
    return rf"(?<!\w)(?:{phrase})(?!\w)"


GUARD = re.compile(_phrases(GUARDS) + r"(?: (?!but |so |pero |please |instead )\w+)*")
WISH = re.compile(_phrases(WISHES))
LOOSE_WISH = re.compile(_phrases(LOOSE_WISHES))
ANGRY_WISH = re.compile(_phrases(ANGRY))
OTHER_THING = re.compile(_phrases(OTHER_THINGS))
SMELL = re.compile(_phrases(SMELLS))
COURTESY = frozenset(
    """please thanks thank you now ok okay hi hello hey asap immediately already just sir maam omg ugh
    lol por favor gracias ya hola buenas buenos tardes dias noches""".split()
)
# A phone reports a thumbs-up by quoting our own text, whose last words are "STOP ends texts".
REACTION = re.compile(
    r"^\W*(?:(?:dis)?liked|loved|emphasized|laughed at|questioned|reacted .* to|le \w+|.{1,4} to)\s+"
    r"[“\"].*[”\"]\s*$",
    re.IGNORECASE | re.DOTALL,
)
NOT_ME = re.compile(
    r"\b(?:[Tt]his (?:is not|isn['’]?t)|I(?:['’]?m| am) not|[Nn]o soy) [A-Z][a-zé-ú]+ *(?:[.,!]|$)"
)


def wishes_to_stop(text: str) -> Wish:
    """What one inbound text wishes. Any text is allowed; nothing is raised."""
    said = "" if REACTION.match(text) else _plain_words(text)
    left = GUARD.sub("~", said)
    if _is_keyword(said) or ANGRY_WISH.search(said) or WISH.search(left):
        return Wish.STOP
    if (LOOSE_WISH.search(left) or NOT_ME.search(text)) and not OTHER_THING.search(said):
        return Wish.STOP
    return Wish.UNSURE if SMELL.search(said) else Wish.NONE


def _plain_words(text: str) -> str:
    """Small letters without accents or emoji; ". , ?" stand alone and at both ends."""
    plain = unicodedata.normalize("NFKD", text.replace("🛑", " stop ")).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"['’‘`´]|sent from my \w+|enviado desde mi \w+", "", plain)
    plain = re.sub(r"\b[a-z](?:[ .*-][a-z]){3,}\b", _joined_letters, plain)
    plain = re.sub(r"([a-z])\1{2,}", r"\1", plain)
    plain = re.sub(r"\.{2,}|\s[-–—]+\s|[:;()—]", ",", plain)
    signs = re.findall(r"[^\W_]+|[.,?!\n]", plain)
    return " ".join([".", *(_meant(sign) for sign in signs), "."]).join("  ")


def _joined_letters(spaced: re.Match[str]) -> str:
    word = re.sub(r"[^a-z]", "", spaced[0])
    return word if word in KEYWORDS else spaced[0]


def _meant(sign: str) -> str:
    """The words a written one stands for: "u" is "you", "texing" is "texting"."""
    if sign in "!\n":
        return "."
    if sign in SPOKEN:
        return SPOKEN[sign].replace("_", " ")
    if sign.startswith(("unsus", "unsub", "unscrib")) and not sign.endswith("ed"):
        return "unsubscribe"
    if len(sign) < 5 or sign in REAL_WORDS or sign in SLIPPED_WORDS:
        return sign
    near = (word for word in SLIPPED_WORDS if word[0] == sign[0] and _is_one_slip(sign, word))
    return next(near, sign)


def _is_one_slip(written: str, meant: str) -> bool:
    """Whether one letter was added, left out, mistaken or swapped with the next."""
    same = len(commonprefix((written, meant)))
    one, other = written[same:], meant[same:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] in (other, other[1:]) or one == other[1:]


def _is_keyword(said: str) -> bool:
    """Whether nothing but a keyword was said, once or again and again, with courtesies."""
    words = [word for word in re.findall(r"\w+", said) if word not in COURTESY]
    whole = "".join(words)
    if whole in KEYWORDS or (len(set(words)) == 1 and words[0] in KEYWORDS):
        return True
    slipped = len(whole) > 2 and whole not in REAL_WORDS
    return slipped and any(_is_one_slip(whole, keyword) for keyword in SLIPPED_KEYWORDS)
