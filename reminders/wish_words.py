"""The words in which people wish for no more texts, English and Spanish: tables, no rules.

A table has a phrase a line: a regular expression over plain words. {names} stand for PARTS, "~ "
for a few words that name nothing else; {open} and {close} are the ends of a clause with its
courtesies, {shut} one that asks nothing. A backslash continues a phrase.
"""

from __future__ import annotations

KEYWORDS = frozenset(
    """stop stopall quit end revoke optout cancel unsubscribe optmeout remove removeme cease desist
    discontinue halt terminate endall quitall stopit stopthis stopthat stopthem stopthese quitit
    nomore alto para parar pare paren pares parenle parale parele basta yabasta cancelar cancela
    cancele cancelen baja darbaja debaja nomas salir salirme fin finalizar terminar detener
    detenganse desuscribir anular eliminar borrar nomolestar unenroll detente""".split()
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
    for pair in """
    dont=do_not doesnt=does_not didnt=did_not wont=will_not cant=can_not isnt=is_not cannot=can_not
    wouldnt=would_not shouldnt=should_not arent=are_not aint=is_not havent=have_not dnt=do_not
    im=i_am ive=i_have id=i_would ill=i_will its=it_is thats=that_is youre=you_are u=you yall=you
    ya=ya ur=your r=are wanna=want_to gonna=going_to gotta=got_to anymore=any_more 2=to
    nomore=no_more nomas=no_mas pls=please plz=please pleas=please plese=please kindly=please w=with
    txt=text tx=text tex=text txts=texts txting=texting txtin=texting textin=texting texing=texting
    txtn=texting txtng=texting texs=texts n=and nd=and msg=message msgs=messages msging=messaging
    thx=thanks ty=thanks num=number rmv=remove mor=more unsub=unsubscribe stpo=stop sotp=stop
    tsop=stop stp=stop stopp=stop stap=stop stahp=stop st0p=stop sttop=stop q=que k=que ke=que d=de
    m=me xq=porque pq=porque x=por xfa=por_favor porfa=por_favor porfavor=por_favor xfavor=por_favor
    msj=mensajes msjs=mensajes mjs=mensajes mensages=mensajes kiero=quiero qiero=quiero
    embien=envien enbien=envien escrivan=escriban escrivir=escribir vaja=baja kitenme=quitenme
    kiten=quiten quitenmen=quitenme pas=paz equibocado=equivocado reminder=reminders
    """.split()
)

PARTS = {
    "open": r"[.,?] (?:(?:please|ok|okay|hi|hello|hey|just|so|and|well|no|yes|omg|ugh|dude|now|"
    r"sorry|again|(?:can|could|would|will) you|i said|hola|oigan|favor de|por favor|ya|y|"
    r"{rude}) )*",
    "close": r"{tail} [.,?]",
    "shut": r"{tail} [.,]",
    "tail": r"(?: (?:please|now|right|thanks|thank you|asap|immediately|already|today|ever|more|"
    r"at once|any more|again|for good|forever|permanently|away|sir|maam|guys|people|to me|needed|"
    r"lol|and|por favor|gracias|ya|ahora|mas|nunca|jamas|mismo|de una vez|{rude}))*",
    "rude": r"(?:wtf|the hell|hell|fuck\w*|tf|the fuck|damn\w*|freaking|goddamn|shit|crap|stupid|"
    r"pinches?)",
    "body": r"burn\w*|bleed\w*|cream|retin\w*|tret\w*|smok\w*|vap\w+|peel\w*|swell\w*|swollen|"
    r"itch\w*|redness|bruis\w*|pain\w*|hurt\w*|sting\w*|sunscreen|spf|makeup|ibuprofen|tylenol|"
    r"advil|aspirin|arnica|antibio\w*|val\w+trex|valtrex|meds?|medic\w+|ointment|aquaphor|"
    r"vaseline|serum|ice|icing|mask|bandage|drinking|alcohol|gym|work ?out|sleep\w*|ooz\w*|"
    r"crust\w*|flak\w*|scabs?|blister\w*|numb|product\w*|wash\w*|cleanser|lips?|rash|scar|scars|"
    r"vitamins?|pills?|infect\w*|scratch\w*|touch\w*|tape|stitches|skin\w*|eyes?|nose|cheeks?|"
    r"forehead|wound|bump\w*|lump\w*|blood\w*|fever|throb\w*|ach(?:e|es|ing)|sore|cry\w*|leak\w*|"
    r"pus|tingl\w*|dizz\w*|irritat\w*|inflam\w*|crema|ardor|ard\w+|sangr\w*|fumar|maquillaje|"
    r"hinch\w*|dolor|duele|comezon|picazon|picar?|costras?|pastillas?|hielo|piel|sol|puntos|venda|"
    r"ejercicio|suero",
    "booking": r"app(?:ointmen)?ts?|botox|fillers?|laser|treatments?|procedure|session|deposit|"
    r"visit|membership|refund|consult\w*|photos?|pictures?|pics?|results?|citas?|tratamientos?|"
    r"sesion|membresia|relleno|fotos?|tomorrow|facial|spot|slot|booking|reservation|package|order|"
    r"plan|reserva|turno|monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend",
    # Before a "stop" that ends a clause and is an order.
    "before": r"(?<!\bto )(?<!\bi )(?<!\bit )(?<!\bcan )(?<!\bnot )(?<!\bwill )(?<!\bdoes "
    r")(?<!\bdo )(?<!\band )(?<!\bor )(?<!\bbus )(?<!\bpit )(?<!\bnon )(?<!\bsaid )(?<!\bshould )",
    # What may stand between the words of a phrase.
    "gap": r"(?:(?!(?:{body}|{booking})\b(?! (?:reminder|text|message|alert)))(?!(?:i|we|if|as|"
    r"when|got|until|miss|perder\w*|lose|missing|forget|keep|by|per|but|says|send|bug|bother|"
    r"anyone|anybody|else|read|see|husband|wife|help|open|sin|pierd\w+|olvid\w+|"
    r"quedar\w*)\b)\w+ ){0,6}",
    "few": r"(?:(?!my|the|dr|doctor|nurse|me|how|when|tell)\w+ ){0,3}",
    "texts": r"(?:(?<!to )(?<!and )(?<!i )text(?! (?:me|you|back))|texts|messages?(?! me)|"
    r"messaging|texting|sms|reminders?(?! call)|notifications?|alerts|updates|communications?|"
    r"spam|subscription|mensajes?|mensajitos?|textos?|recordatorios?|notificaciones|avisos|"
    r"alertas|suscripcion)",
    "number": r"(?:cell |phone |mobile |contact )?(?:number|phone|mobile|datos|cell|contact|"
    r"info\w*|name|numero|telefono|celular|nombre|contacto|cel)",
    "list": r"(?:\w+ ){0,2}(?:lists?|system|database|service|program|thread|group|chat|chain|"
    r"records|contacts|file|texts?|messages|messaging|reminders|rotation|phone|inbox|lista|listas|"
    r"sistema|base|mensajes|textos|grupo|contactos|registros?|directorio|telefono|"
    r"recordatorios)(?! schedule)",
    "stop": r"(?:stop|quit|(?<!the )end|cease|cancel|discontinue|halt|kill|disable|deactivate|"
    r"terminate|(?:turn|shut|switch|cut) off|enough (?:with|of)|no more|zero|tired of|sick of|"
    r"had it with|had enough of|am over|cancell?ing|stopping|am so over|fed up with|(?:done|"
    r"finished|through) with (?:these|your|the|getting|all these))",
    "texting": r"(?:texting|messaging|contacting|calling|spamming|harassing|pestering|notifying|"
    r"bombarding|hounding|stalking|soliciting|blowing up|hitting me up|reaching out)(?! you)",
    "text": r"(?:text|message|contact|spam|harass|write|bother|disturb|reach out|ping)",
    "not": r"(?:do not|does not|did not|no longer|never|would not|not)",
    "drop": r"(?:take|taken|taking|removing|withdraw|unregister|deregister|get|removed?|delete|"
    r"erase|drop|pull|scrub|strike|unenroll|purge|wipe|clear|exclude|leave|cut|kick|lose|forget|"
    r"opt)",
    "me": r"(?:me|us|her|him|(?:my|this|our|the|his|her) (?:{number}|mom|mother|wife|husband|"
    r"daughter|son))",
    "no": r"(?:no|nunca|jamas|tampoco)(?: (?:me|nos|se|lo|los|le|quiero|quisiera|deseo|que|mas|ya|"
    r"por|favor|vuelvan?|vuelvas|sigan?|sigas|anden|esten|ni|llamen|llame|llamar|a))*",
    "manden": r"(?:mand|envi)(?:aran|en|e|es|n|ar|ando)(?:me|nos|les)?",
    "escriban": r"(?:escrib(?:ieran|an|a|as|ir|irme|iendo\w*)|(?:molest|contact|texte|not?ific|"
    r"fastidi|mensaje|acos|avis)(?:en|e|es|ar|arme|ando\w*)|busquen|jodan|hablen|notifiquen|"
    r"texten|textes|chinguen|frieguen)(?:me|nos)?",
    "mandar": r"(?:mand|envi|escrib|molest|contact|llam|text|texte|fastid|jod|ching|acos|spame|"
    r"recib|hostig|freg)(?:a|ar|iar|er|ir|i?ando|iendo)(?:me|nos|le|les)?(?:los|las)?",
    "dejen": r"(?:(?:dej|par)(?:en|e|a|ar|es|o|emos)(?:me|nos|le)?(?: ya)?)",
    "quiten": r"(?:quit|borr|elimin|sa[cq]u?|remuev|remov|retir|tach|exclu[yi])(?:en|e|a|ar|an|er|"
    r"ir|aran)",
    "apaguen": r"(?:cancel|suspend|deteng|deten|desactiv|apag|apagu|anul|termin|elimin|quit|"
    r"remuev)(?:er|ar|en|an|e|a|es)(?:me|nos|le)?",
    "threat": r"(?:lawyer|attorney|lawsuit|sue|suing|legal action|illegal|police|cops|court|"
    r"complaint|queja|abogad[oa]|demand(?:ar|are|o|a)\w*|denunci\w+|ilegal|violat\w+|"
    r"against the law)",
    "ending": r"(?:stop\w*|quit|end|ending|cease|cancel\w*|unsubscribed?|opt(?! in)|optout|"
    r"removed?|delete|discontinue|halt|turn|shut|take (?:me|my|us)|taken|drop|lose|revoke|block|"
    r"pull|disable|kill|erase|suspend|terminate|get (?:me|taken|removed) off|leave)",
}

# Struck out with the rest of their clause: somebody who wants the texts, asks, or tells a story.
GUARDS = r"""
(?:{not}|will not|should not|can not)(?: (?:want|wanting|wish|like|need|have|ever|even|you|guys|\
to|trying|asking|ask|asked|say|said|mean|going|yet|really|be|tell|for|any|the|these|my|\
{texts}))* {ending}
(?:no|nunca|jamas|sin)(?: (?:quiero|quisiera|deseo|me|nos|que|vayan|vaya|a|se|los?|por|favor|le|\
voy|pienso|quise|puedo|mandar|poner|escribir))* (?:(?:dej|par)(?:en|e|es|ar|emos|a|an)(?:me|nos)?|\
cancel\w+|{quiten}\w*|saquen\w*|suspend\w+|(?:den|dar|de)(?:me)?(?: de)? baja|detengan|bloque\w+|\
basta|salir\w*|alto|stop)
(?:when|until|how long|how soon|cuando)(?: (?!but|so|please|just|pero)\w+){0,5} (?:stop|end|quit|\
dejan?|dejo|dejar|paran?|parar)
(?:why|how come|did|(?<!how )(?<!what )do|does|have|has|will|are|(?<!can )would)(?: (?:did|have|\
do|the|my|your|these|i|we|they|{texts}|ever|just|it|this|going to|all))+ (?:stop|end|quit|\
unsubscribe|opt|cancel|no more)
(?:did|have|since|why)(?: (?:did|have))?(?: (?:you|guys|just|already))+ (?:stop|quit|cancel|\
remove|take)
(?:can|should|may|must|could|do) i (?:now |just |also )?(?:stop|quit) (?:sending|texting|messaging)
(?:puedo|debo|tengo que) (?:eliminar|borrar|(?:dejar|parar) de (?:mandar|enviar|escribir|llamar))|\
who (?:told|asked)|{texting}(?: me)? after|no quiero (?:molestar\w*|mandar|enviar|escribir)
(?:deje de recib|dejo de (?:mand|envi|escrib)|por ?que (?:me )?dej)\w+|phone (?:\w+ )?(?:mark|\
flag)\w+
(?:was|got|were|been|getting) (?:automatically )?(?:marked|flagged|reported|blocked)
(?<!it )if i (?:ever |just |do )?(?:reply|text|send|say|type|stop|opt|unsubscribe|cancel|quit)
si (?:mando|escribo|respondo|contesto|pongo|digo|cancelo|dejo|me doy)|(?:are there|is there) no
what (?:does|happens|would happen|will happen)|que (?:pasa|significa|sucede)|(?:says?|reads) reply
(?:reply|text|responda|responder|respond) stop to|stop (?:ends|by|in|to (?:end|opt|cancel))|end of
(?:accidentally|by accident|by mistake|did not mean to|sin querer|por error) \w+
(?:i|mande|puse|escribi|me di)(?: (?!but|so)\w+){1,6} (?:(?:by|on) (?:mistake|accident)|\
accidentally|but changed my mind|por error|sin querer|por accidente)
(?:was|been|got|were|get|am) (?:i )?(?:accidentally )?(?:unsubscribed|opted out)
(?:is this|did i|do i|i|i may|i might|have i|gave|says?)(?: (?:called|call|dialed|texted|had|have|\
got|get|gave|give|you|the|them|her|reach|put|down|entered|a))* wrong (?:number|person)
wrong number (?:on|in|for (?:the|my|pharmacy|dr|doctor|nurse|after|on))
(?:di|dieron|marque|llame|tengo|puse|anote)(?: \w+){0,3} (?:numero|telefono) (?:equivocado|\
incorrecto)
(?:got|have|(?<!to )get|getting|had|received|(?<!to )receive|was|were|been|is|are|still|see) no\
 ~{texts}
(?<!rather )(?<!prefer )(?<!that )(?:i|you|they|we|guys|nurses?|doctors?|dr|office|clinic) {not}\
 (?:{text}|send|call)
stop \w+ing you|(?:old|previous) {number}
(?:unsubscribe|opt out|remove|stop|take|cancel|get|end|turn)(?: (?!but|and)\w+){0,6} (?:emails?|\
newsletters?|wait ?list|waiting list|schedule|calendar|cancell?ation list)(?! (?:and|or))
no me (?:manden?|envien?) (?:a|con|al) (?!este|mi|esta)|baja (?:medica|laboral|del|por (?!favor)|\
(?:mi|la|el) (?!{number}|suscripcion)\w+)|estoy de baja
"""
# They stand although a guard could strike them: "if you don't stop texting me ...".
ANGRY_WISHES = r"""
(?:if|why|unless)(?: (?:you|do|will|can|guys|people|they))* not (?:you )?(?:stop|quit)\
 (?:{texting}|(?:it |this )?(?:i|[.,]))
(?:si|por ?que) no (?:me )?(?:dejan?|paran?|dejas) (?:de {mandar}|en paz)
"""
# Their words speak of texts, lists, numbers: nothing else can be meant.
WISHES = r"""
{stop} ~{texting}|{stop} ~{texts}|(?:turn|shut|switch) ~{texts} off|{stop} (?:de )?{mandar}
(?:stop|quit) ~(?:getting|receiving|hearing|seeing) ~(?:{texts}|from you|these|this|them)|\
(?:cease|stop|end) (?:all )?contact|{open}no contact{close}|(?:nobody|no one) wants ~{texts}
(?:want|need|like|make|get|have|making) ~{texts} (?:to )?(?:stop|end)
{texts} (?:need|have|must|should|better|got) (?:to )?(?:stop|end)
{not}(?: \w+ly)? (?:want|need|wish|care|desire|would like|like to|trying)(?: to (?:see|read))?\
 ~(?:{texts}|hear from|hearing from|texted|messaged|contacted|notified|reminded|you texting|\
you to text)
appreciate it if you stopped|(?:mind|please) not {texting}|(?:that is |{open})enough ~{texts}
{not} want to be (?:on|in|part of) {list}|no quiero estar en ~{list}|basta de {mandar}
(?:prefer|rather)(?: you| to)? not (?:to )?~(?:{texts}|{text} me)|rather you did not
(?:do not|never|not to|not ok to)(?: ever| please| you| {rude})? (?:(?:call|email) (?:or |and |\
nor )?)?{text}(?:(?: or| and| nor)? (?:{text}|call))*(?: (?:me|us|this|it|here|my (?:phone|cell|\
number)|again)(?! (?:back|photos?|pictures?|results?|the))|{close})
(?:do not|never) call(?: me| us| here| this number)?{close}
(?:do not|never|not to)(?: ever| please)? send ~(?:{texts}|anything|stuff|these|this|\
any more{close}|more{close})
(?:do not|no) need (?:for|of|(?:you )?to (?:text|send|message|remind)) ~{texts}
(?:no need|not (?:need|have)) to (?:keep )?(?:(?:text|message|remind|contact) (?:me|us)(?! back)|\
{texting})|no (?:(?:more|further|future|other|text|aftercare|clinic|mas) )?{texts}(?: (?:please|\
thanks|at all|ever|again|por favor))* [.,]|no (?:more|further) contact
{drop} {me} (?:removed |out )?(?:off|of|from|out)(?: of)? {list}
(?:remove|delete|erase|lose|forget|scrub|purge|deregister) (?:all )?(?:my|this|our|his|\
her) {number}{close}
(?:my|this|our) {number} (?:removed|taken off|deleted|off)|(?:get|got|stay) (?:off|out of) my phone
(?:remove|unenroll|unregister|unlist|opt|delete|take) (?:me|us)(?: off| out)?{close}|(?:remove|\
removal|withdraw|unenroll|unregister) from {list}
(?:want|get|be|like|getting|need)(?: me| us)? (?:off|out of|removed from|taken off)(?: of)? {list}
(?:opt|opting|opted)(?: \w+)?(?: number)? out|optout|unsubscribe|be unsubscribed|stop using {me}
wrong (?:number|person|phone|guy|girl|lady|woman|man|chat|recipient|contact)|not the\
 (?:\w+ )?(?:person|patient|guy|lady|woman) you
is (?:not|no longer) (?:my|her|his|their|\w+s|the right|the correct)(?: \w+s)? (?:phone |\
cell )?(?:number|phone|cell)|no (?:one|body) (?:here )?(?:by that|named|called)
nobody (?:by|named|called)|no (?!answer|reply|response|nurse|doctor|one|help)\w+ (?:here )?(?:at|\
on) this number|this {number} belongs to
(?:no longer|does not) (?:has|have|uses?|owns?|at) this {number}|just got this {number}|\
{texts}(?: are)? (?:no longer|not) needed|nunca he ido a (?:su|esa)|(?:no vive|ya no tiene)\
 (?:aqui|este numero)|este numero es de otra|este es otro numero|ya no es mi numero
do not know (?:any(?:one|body) (?:named|called|by)|you people)|new owner of this
i am (?:not|no longer)(?: even)? (?:a|your|one of your) (?:patient|client|customer)(?! person)|\
(?:never|not) been a (?:patient|client)
leave (?:me|us)(?: {rude})* (?:alone|be)|cease and desist|do not (?:call|contact|text) (?:list|\
registry)|do not disturb me
(?:report\w*|mark\w*|flag\w*) ~as (?:spam|junk)|fcc|ftc|tcpa|stop (?:harass|spam)\w+|harassing\
 (?:me|us)
what part of (?:stop|no)|(?<!accidentally )(?<!phone )block(?:ing|ed)? (?:you|ur|this (?:number|\
phone)|your number)
(?:revok|withdraw|rescind)\w* ~(?:consent|permission|authorization)(?! (?:to|for)\
 (?:\w+ ){0,2}(?:photo|picture))
{not} (?:have|give|gave|given|giving)(?: you)?(?: my| any| our)? (?:consent|permission) (?:to|\
for) (?:text|contact|message|call|send|{texts})
{not} have (?:my|our) (?:consent|permission)|(?:not|never) (?:give|gave|given|\
giving)(?: you)?(?: my| any)? (?:consent|permission){close}
{no} {escriban}|{no} {manden}(?:{close}| ~(?:{texts}|nada|eso|esto|{close}))
{dejen} de (?:estar(?:me)? )?{mandar}|(?:dejen|paren) {mandar}|par(?:en|e|enle|ele|ar)\
 (?:con )?~{texts}|{open}para (?:con )?(?:los|estos|sus) {texts}{close}
como (?:le )?hago para (?:que )?(?:ya )?no ~{texts}|como (?:cancelo|paro|elimino|quito|desactivo|\
apago) ~{texts}
(?:basta(?: ya)? de|stop (?:a|de|con)|no mas|ni un|alto (?:a|con)|cero|ya estuvo con) ~{texts}|\
basta(?: ya)?(?: con| with)? (?:(?:tantos|los|sus|the) )?{texts}|{open}sin {texts} por favor
no (?:quiero|deseo) (?:ser|que me) contact\w+
(?:no|tampoco) (?:me interesan?|me gustaria|(?:quiero|deseo|quisiera|necesito|queremos|requiero|\
ocupo|acepto|consiento)) ~(?:{texts}|saber ~de ustedes|recibir (?:nada|mas|esto|eso)|recibirlos)
{quiten}(?:me|nos)?(?: ya)? ~(?:de|del) {list}|{quiten} (?:ya )?(?:mis?|este|el) {number}{close}|\
{quiten} (?:ya )?(?:mi|este) {number}
(?:dar|den|me de|deme|denme|darme|darnos|dame|doy|dan|quiero|solicito|pido)(?: la| mi| una|\
 me)*(?: de)? baja
{apaguen} ~{texts}|salg?(?:o|ir)(?:me)? ~del? {list}|(?:hart\w+|cansad\w+|canse|hasta la madre)\
 ~(?:de|con) ~{texts}
(?:numero|number) (?:equivocado|incorrecto|erroneo)|equivoc\w+ de (?:numero|persona)|este\
 (?:numero |telefono |celular )?(?:ya )?no es (?:de|el (?:numero|telefono|celular) de (?!la|\
emergencia|guardia)\w+)|persona equivocad[ao]
no (?:es|soy)(?: ya)? (?:el numero|la persona|su numero|(?:su )?(?:paciente|cliente)|\
quien)(?! de (?:la|el|emergencia|guardia|farmacia))|ya no es (?:su|el) numero
no conozco a (?:nadie|ningun\w*|es[ae] (?:persona|senora|mujer))|no vive (?:aqui )?ningun\w*|\
des\w{2,4}crib\w+
dej(?:en|e|a|ar|es|an)(?:me|nos)? (?:me )?(?:en paz|tranquil\w+)|bloquear(?:los|las|te| este)|\
(?:los|las|te|les) bloque\w+|me quito de {list}
voy a bloquear|no tienen derecho a {mandar}|acos(?:o|ando) (?:por|con) ~{texts}
(?:no|nunca|jamas)(?: \w+){0,2} (?:me suscribi|me inscribi|me apunte|(?:pedi|solicite) (?:esto|\
estos|mensajes|sus))|(?:revo\w+|retiro|retirar|cancel\w+) (?:mi |el )?(?:consentimiento|permiso|\
autorizacion)(?! (?:de|para) (?:\w+ )?fotos)
no (?:es necesario|hace falta|hay necesidad) (?:de )?(?:que )?(?:me )?(?:{manden}|{escriban})
"""
# They hold unless the text names something else that stops: on the skin or in the mouth.
LONE_WISHES = r"""
{open}(?:stop|stopall|basta|alto|paren|parenle|pare|no mas|quit it|cut it out|knock it off|\
back off|enough|that is enough|no more|enough is enough|lay off|go away|get lost|buzz off|shut up|\
stfu|give it a rest|(?:fuck|fck|f|eff|piss|screw|bugger) off|(?:fuck|screw) you|larg\w+|callen\w*|\
spam|blocked(?: and reported)?|bloquead[oa]s?|f you|go to hell){shut}
{open}stop (?:i|you|this|we|with|already|everything|all|it|that|these|them)(?! [^.,?]*\?)
{before}stop(?: it| this| the madness)?{shut}|(?:texting|saying|replying|sending|typing) stop|\
(?:(?:fuck|piss|buzz) off|screw you|shove|metanse) ~{texts}|no more of (?:this|these)|\
shut the fuck up
(?:can|could|would|will) you (?:(?:please|just|all|guys|people) )*stop{close}
you (?:(?:guys|people|all|just|please) )*(?:need to|have to|got to|must|should|better|can)\
 (?:please |just )?stop{close}
(?:ask|asked|told|telling|asking|begging|tell|warned) you {few}to stop|(?:want|need|\
like) you {few}to stop{shut}
i (?:\w+ )?(?:said|texted|replied|sent|typed|wrote|put|say|text|reply) stop
(?:stop|quit|cease) (?:sending|bothering|bugging|annoying|reminding|disturbing|emailing|writing)
"""
# They hold unless the text also names an appointment, a treatment, anything else one can end.
LOOSE_WISHES = r"""
{not} (?:want|need|wish)(?: to get| to receive| any| any more of)? (?:these|this|those|them){close}
(?:no longer|not)(?: \w+)? interested(?: in (?:this|these|your|any|getting|receiving)|{close})
cancel (?:them|these|those)(?: all)?{close}|sign me (?:off|out)|{not} want to (?:be (?:on|in|\
part of) this|participate)
(?:should not be|not supposed to be|not supposed to|can not keep) (?:get|receiv)\w* ~(?:these|\
this|{texts})|(?:is|are) not for me{close}
(?:no longer|does not) live here|never gave you my number|{not} authori\w+ ~(?:{texts}|this|these|\
you)|(?:nunca|jamas) (?:fui paciente|di mi numero)
(?:am|going to|will) block(?:ing)?(?: this)?{close}|no insistan{close}|mal (?:el )?numero|no soy\
 (?:la senora|el senor|yo{close}|es[ae] persona)|(?:no|de) (?:me )?(?:den|dar) (?:la )?lata
(?:voy|vamos) a (?:report|denunci|demand)ar(?:los|las|te)|que (?:ya )?me (?:{quiten}|saquen){close}
done with (?:these|you|your|this clinic)|want out|how (?:do i|to|can i) (?:stop|end|cancel)\
 (?:these|them)
make (?:these|them|this) stop|(?:turn|shut) (?:these|them|this|it|that) off|turn off (?:these|\
this|them)
(?:never|did not|do not|not)(?: \w+)? (?:sign\w* (?:me )?up|ask\w* for (?:this|these)|\
subscribe\w*|opt\w* in|request\w* (?:this|these)|enroll\w*|(?:agree\w*|consent\w*) to (?:this|\
these|~{texts}))
(?:do not|no longer|never) consent|without my (?:consent|permission)
harassment|(?:es|un|puro|este) acoso|no (?:tienen|tiene|doy|di|he dado|les di) ~(?:permiso|\
consent\w+|autorizacion)|(?:no|nunca|jamas)(?: les| he| los)? autori(?:ce|zo|zado|zamos)\
 ~(?:{texts}|esto|nada|que me)
(?:report|reporting|reported|sue|suing) (?:you|your|this number)|(?:is|are) (?:just |pure )?spam|\
(?:bug|shove) off|hate (?:these|your|the|getting) ~{texts}
{threat}.*(?:{texts}|contact\w*|text me|these)|(?:{texts}|contact\w*|text me).*{threat}
(?:los|las|te) (?:voy a )?(?:report|denunci|demand)\w+|les voy a (?:denunci|demand)\w+|(?:es|puro|\
como) spam|a la (?:mierda|verga|chingada)|al (?:diablo|carajo)
no (?:me interesan?|(?:quiero|deseo) (?:recibir|(?:recibir )?(?:nada|mas|estos?))|necesito estos?|\
estoy interesad[ao]){close}|{open}(?:equivocado|aqui no es|les dije que ya no|ya no (?:los |\
las )?quiero|end (?:it|this)|leave group|mute me|junk|do not want|shut it off|(?:paren|detengan|\
terminen) (?:esto|eso)){close}
(?:dije|digo|quiero|pido) que (?:ya )?(?:paren|pararan|dejen|dejaran){close}|count me out|\
never heard of you|(?:this is|texting) a (?:landline|minor|child){shut}|never been (?:there|here|\
to your (?:clinic|office)){close}|these(?: are)? (?:no longer|not) needed|{open}off (?:your|the|\
this) list{close}|{drop} (?:me|us) (?:removed )?(?:off|of|from|out)(?: of)? (?:here|these|this|\
that|it|everything){close}|do not know any (?!better|more|other)\w+{shut}|me tienen hart[ao]|\
no es la paciente|let me out of|(?:ask\w*|want|like|wish|request\w*) to be (?:removed|taken off)|\
(?:want|get|be|need) (?:off|out of|removed from) (?:here|these|this|that){close}|\
please remove{close}
(?:{quiten}|saquen)(?:me|nos){close}|olvidense de mi|olvidenme|(?:quiero |como )?sal(?:go|ir|\
irme)(?: de (?:aqui|esto|esta)){close}|quiero salirme{close}|{quiten}(?:me|nos) de (?:aqui|esto|\
esta){close}|me (?:quit|borr|sac)an{close}
"""
# Whoever says how the texts should go on wants them.
KEPT = r"""
text me instead|{texts} (?:is|are) (?:better|fine|ok|okay|good)|keep the {texts}|only ~emails|\
prefer {texts}
(?:turn|put|sign|add|opt) ~back (?:on|in|up)|resume|in (?:english|spanish)|en (?:ingles|espanol)
mejor (?:por )?(?:textos?|mensajes?|mandenme|escribanme)
"""
SMELLS = r"""
stop\w*|quit\w*|end|cancel\w*|unsub\w*|opt|optout|remov\w*|delete|erase|list|spam\w*|scam|wrong|\
alone|report\w*|lawyer|attorney|su(?:e|ing)|block\w*|consent\w*|harass\w*|annoying|too many|pause|\
mute|leave|who is this|interested|no (?:more|thanks|{texts})|(?:not|never) \w+|enough|off|tired|\
sick of|take me
basta|par(?:e|en|ar)|alto|baja|dej\w+|quit\w+|borr\w+|elimin\w+|sa[cq]u?\w+|no \w+|ya no|\
equivoc\w+|salir\w*|denunci\w+|demand\w+|abogado|acos\w+|molest\w+|suspend\w+|hart[ao]|cans\w+|\
deten\w+|reportar\w*|bloque\w+|complaint|remind\w*|{texts}|{number}
"""
