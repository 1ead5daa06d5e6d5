"""What mail programs, companies and mailing lists write around a mail's words, language by language.

A table is a string of regular expressions, each on a line; `alternatives` makes one of them. A language is added by
adding its phrases to each table. No phrase may take more than linear time: what repeats is bounded.
"""

from __future__ import annotations


def alternatives(table: str) -> str:
    """Return a pattern that matches any of a table's phrases; a space may be any white space."""
    phrases = (phrase.strip() for phrase in table.strip().splitlines())
    return "|".join(phrase.replace(" ?", r"\s*").replace(" ", r"\s+") for phrase in phrases)


WROTE = r"""
wrote|writes|sent|écrit|escribi[oó]|escribe|escriure|scritto|scrive|escreveu|schreef|schreven|geschreven
schrieb(?:en)?|geschrieben|skrev|napisał(?:\(?a\)?|\(-?a\))?|pisał(?:a|\(a\))?|pisze|kirjoitti|kirjutas
(?:napísal|napsal)(?:\(a\)|a)?|napisao|napisala|пишет|(?:на)?писал(?:\(а\)|а)?|пише|написав(?:\(-?ла\))?|написа|написао
yazdı|yazmış|írta|scris|έγραψε|đã viết|menulis|rašė|rakstīja|כתבה?|كتب|نوشت|เขียนว่า
"""
"""The verb of "On … wrote:"."""

WROTE_UNSPACED = r"""
写道|寫道|書きました|のメール|님이 작성|님이 쓴 글|작성
"""
"""The same in languages that write words together."""

FIELDS = {
    "from": "From|Von|De|Da|Van|Od|Från|Fra|Lähettäjä|От|От кого|Kimden|Gönderen|差出人|发件人|寄件者|보낸 ?사람|Feladó|De la|"
    "Від|Від кого|Από|Expéditeur|Remitente|Afzender|Mittente|Remetente|Absender|Avsändare|Odesílatel|送信者",
    "date": "Sent|Date|Gesendet|Gesendet am|Datum|Envoyé|Envoyé le|Date d'envoi|Enviado|Enviado el|Enviada|Enviada em|"
    "Enviado em|Fecha|Inviato|Data|Verzonden|Wysłano|Wysłane|Data wysłania|Skickat|Sendt|Dato|Lähetetty|Päivämäärä|"
    "Odesláno|Отправлено|Дата|Gönderildi|Gönderilme Tarihi|Tarih|送信日時|日付|日時|发送时间|日期|发送日期|寄件日期|"
    "보낸 ?날짜|날짜|보낸 시간|Elküldve|Dátum|Trimis|Надіслано|Στάλθηκε|Ημερομηνία|Date/Time|Received",
    "to": "To|An|À|Para|A|Aan|Do|Till|Til|Vastaanottaja|Komu|Кому|Kime|Alıcı|宛先|收件人|받는 ?사람|Címzett|Către|Προς|"
    "Destinataire|Destinatario|Destinatário|Adresat|Pro",
    "cc": "Cc|Bcc|Copie à|Kopie|Kopie \\(CC\\)|CC|Cópia|Copia|Kopia|Kopi|DW|UDW|Копия|Bilgi|抄送|참조|Másolat|Κοιν|Kopio|"
    "Reply-To|Antwort an|Responder a|Répondre à|Organisation|Organization|Importance|Attachments|Anlagen|Priority",
    "subject": "Subject|Betreff|Objet|Sujet|Asunto|Oggetto|Assunto|Onderwerp|Temat|Ämne|Emne|Aihe|Předmět|Věc|Тема|Konu|"
    "件名|主题|主旨|제목|Tárgy|Subiect|Θέμα|Re",
}
"""Fields of the header that Outlook and others put over a quoted message, by kind."""

ORIGINAL = r"""
Original[ -]?(?:e-?mail )?Message
Original Appointment
Original e-?mail
Reply Message
(?:Ursprüngliche|Originale?|Weitergeleitete) ?-?(?:Nachricht|Mail)
Ursprünglicher Termin
Message (?:d['’]origine|original|initial|transf[ée]r[ée]|r[ée]exp[ée]di[ée])
Mensaje (?:original|reenviado)
Messaggio (?:originale|inoltrato)
Mensagem (?:original|encaminhada|reencaminhada)
(?:Oorspronkelijk|Origineel|Doorgestuurd) bericht
(?:Wiadomość|Treść) (?:oryginalna|przekazana)
(?:Oryginalna|Przekazana|Przesłana dalej|Treść przekazanej) wiadomość
(?:Ursprungligt|Original|Vidarebefordrat|Vidarebefordrade) ?(?:meddelande|brev|mail)
(?:Oprindelig|Opprinnelig|Original|Videresendt) ?(?:meddelelse|melding|mail|besked|e-post)
(?:Alkuperäinen|Välitetty|Edelleenlähetetty|Edelleen lähetetty) viesti
(?:Původní|Přeposlaná|Předaná) (?:zpráva|e-mail)
(?:Исходное|Оригинальное|Пересланное|Пересылаемое|Переадресованное|Вихідне|Оригінальне|Переслане) (?:сообщение|повідомлення|письмо)
(?:Orijinal|Özgün|Asıl|Yönlendirilmiş|Yönlendirilen|İletilen) (?:İleti|Mesaj|E-?posta)
元のメッセージ
転送されたメッセージ
転送メッセージ
Original Mail
原始(?:邮件|信息|郵件)
原邮件
转发(?:的)?(?:邮件|信息)
轉寄的?郵件
원본 ?(?:메시지|메일)
전달된 ?(?:메시지|메일)
(?:Eredeti|Továbbított) üzenet
Mesaj(?:ul)? (?:original|inițial|redirecționat|transmis)
(?:Αρχικό|Προωθημένο) μήνυμα
Forwarded (?:message|mail|e-?mail)(?: follows)?(?: by \S{1,60})?(?: from .{1,60})?
Forwarded by .{1,80}
Weitergeleitet von .{1,80}
Transféré par .{1,80}
"""
"""What stands between rules over a quoted or a forwarded message."""

BEGINS_FORWARDED = r"""
Begin forwarded message
Start of forwarded message
Anfang der weitergeleiteten (?:Nachricht|E-Mail)
Début du message (?:transf[ée]r[ée]|r[ée]exp[ée]di[ée])
Inicio del mensaje reenviado
Inizio (?:del )?messaggio inoltrato
Início da mensagem (?:re)?encaminhada
Begin doorgestuurd bericht
Początek przekazywanej wiadomości
Vidarebefordrat (?:brev|meddelande)
Start på videresendt (?:besked|meddelelse|melding)
Videresendt (?:melding|besked)
Välitetty viesti(?: alkaa)?
Začátek přeposílané zprávy
Начало переадресованного (?:сообщения|письма)
Початок переадресованого повідомлення
İleti başlangıcı
Yönlendirilen (?:ileti|mesaj) başlangıcı
以下は転送されたメッセージです
(?:下面|以下)是被?转发的邮件
전달된 메시지 시작
Továbbított levél kezdete
Początek wiadomości przekazanej
"""
"""What stands over a forwarded message without rules."""

DEVICE = r"""
Sent (?:from|via|with|by|using|on) (?:my |the |a )?\S.{0,60}
Sent with the .{0,60}
Get (?:the )?Outlook for .{1,40}
(?:Von|Aus) (?:meinem|unterwegs|mein|dem|der|iPhone|Samsung|Android|Yahoo|Outlook).{0,60}(?:gesendet|verschickt|geschickt)
(?:Gesendet|Verschickt|Geschickt) (?:von|mit|aus|über|via) .{1,80}
Diese Nachricht wurde von .{1,80} gesendet
Holen Sie sich Outlook für .{1,40}
Outlook für .{1,20} (?:herunterladen|beziehen|abrufen)
Laden Sie Outlook für .{1,40}
Envoyé(?:e)? (?:de|depuis|à partir|avec|via|par) .{1,80}
(?:Télécharger|Télécharge[zr]|Obtenir|Obtenez) Outlook pour .{1,40}
Enviad[oa] (?:desde|con|mediante|por|do|da|a partir|via|pelo|através|com) .{1,80}
(?:Obtener|Obtén|Descargar|Obter|Obtenha) (?:o )?Outlook para .{1,40}
Inviato (?:da|dal|con|tramite|dall') ?.{1,80}
(?:Scarica|Ottieni|Scaricare) Outlook per .{1,40}
(?:Verstuurd|Verzonden) (?:vanaf|vanuit|met|via|van) .{1,80}
(?:Outlook voor .{1,20} (?:downloaden|ophalen)|(?:Download|Haal) Outlook voor .{1,40})
Wysłan[eoay] (?:z|za|przy) .{1,80}
(?:Pobierz|Uzyskaj) (?:program |aplikację )?Outlook.{1,40}
Skickat från .{1,80}
Skickades från .{1,80}
(?:Hämta|Skaffa) Outlook för .{1,40}
Sendt fra .{1,80}
Hent Outlook (?:til|for) .{1,40}
Skaff (?:deg )?Outlook for .{1,40}
Lähetetty .{1,60}
Hanki Outlook.{1,40}
Odesl[aá]no z.{1,80}
Získejte Outlook.{1,40}
Отправлено (?:с|из|со|через) .{1,80}
(?:Скачать|Получить) Outlook .{1,40}
.{1,60}(?:dan|den|tan|ten|umdan|imden|ımdan|ümden) gönderildi
.{1,30}Outlook.{1,10}(?:edinin|indirin|alın)
.{1,40}から送信(?:されました)?
.{1,40}を入手
发自我?的?.{1,40}
(?:來|来)自(?:我的)?.{1,40}
從我的 ?.{1,40}傳送
나의 .{1,30}에서 보냄
.{1,30}에서 (?:보냄|전송).{0,5}
.{1,30}-?(?:omról|emről|ról|ről|amról) küldve
Küldve .{1,60}
Trimis (?:de pe|din|cu|de la) .{1,80}
Надіслано (?:з|із|за) .{1,80}
Στάλθηκε από .{1,80}
Εστάλη από .{1,80}
"""
"""What telephones and their mail programs put under a message."""

SENT_HINTS = (
    "ent ",
    "utlook",
    "esendet",
    "schickt",
    "nvoy",
    "nviad",
    "nviato",
    "erstuurd",
    "erzonden",
    "ysłan",
    "kicka",
    "endt",
    "ähetetty",
    "desl",
    "тправлено",
    "gönderildi",
    "送信",
    "入手",
    "自",
    "傳送",
    "보냄",
    "전송",
    "üldve",
    "rimis",
    "адіслано",
    "τάλθηκε",
    "ILED",
    "SENT",
)

LONG_SIGN_OFF = r"""
(?:je vous prie|veuillez|nous vous prions|je vous adresse|recevez) (?:d['’]agréer|agréer|d['’]accepter|recevoir|.{0,20}salutations).{0,180}
(?:sin otro particular|quedo a la espera).{0,100}
"""
"""Whole sentences that say no more than that."""

SIGN_OFF = r"""
(?:(?:with )?(?:my |our )?(?:very |all )?(?:best|kind|kindest|warm|warmest|many|friendly|sincere|good)(?: personal)? )?regards?(?: to (?:all|you|everyone))?
(?:with )?(?:kind|warm|best)(?:est)? (?:regards|wishes|greetings)
(?:(?:many )?thanks (?:and|&|\+) )?(?:best|kind|kindest|warm|warmest) (?:regards|wishes)
best|all best|all the best|all my best|very best|my best|warmly|fondly|cordially|sincerely|faithfully|respectfully
(?:with )?(?:best|warm|good|all good|kind) wishes
(?:greetings|warm greetings|best greetings)
(?:yours|respectfully yours|sincerely yours|cordially yours|faithfully yours|very truly yours)
yours (?:sincerely|faithfully|truly|respectfully|cordially|aye|ever|in .{1,20})
(?:with )?(?:many )?(?:thanks|thx|thnx|tnx|ta)(?: again| in advance| so much| a lot| very much| a million| a bunch)?
(?:with )?(?:many )?thanks(?:,| and| &)? (?:best|kind|warm)?(?: ?regards| wishes)?
thank you(?: again| in advance| so much| very much| kindly| all)?
thanking you(?: in advance| in anticipation)?
cheers|ciao|love|lots of love|much love|hugs|xx+|xo(?:xo)*|take care|br|kr|rgds|brgds|bests|peace|ttyl|ta
(?:talk|speak) (?:to you )?soon|see you(?: soon)?|bye(?: for now| bye)?|until then|later|have a (?:nice|good|great|lovely) (?:day|weekend|evening|one)
(?:mit )?(?:den )?(?:freundlich|best|herzlich|lieb|viel|schön|sonnig|nett|kollegial)\w{1,3}(?: und \w+)? gr(?:ü|u|ue)(?:ß|ss)(?:e|en)?(?: (?:aus|von|nach) .{1,30})?
gr(?:ü|ue)(?:ß|ss)e?(?: (?:aus|von) .{1,30})?|gru(?:ß|ss)|mit freundlichem gru(?:ß|ss)|schöne[nr]? gru(?:ß|ss)|lieben gru(?:ß|ss)
lg|vg|mfg|bg|hg|mit bestem dank|hochachtungsvoll|danke|danke (?:sehr|schön|ihnen|euch|dir)|(?:vielen|besten|herzlichen|tausend) dank|bis bald|ihr|ihre|euer|eure|dein|deine
(?:danke|vielen dank|besten dank|herzlichen dank) (?:im voraus|schon mal|vorab|und .{0,20}gr(?:ü|u)(?:ß|ss)e?)
(?:bien |très )?cordialement|bien à (?:vous|toi)|(?:sincères|meilleures|cordiales|respectueuses) salutations|salutations(?: distinguées| cordiales)?|amicalement|sincèrement
(?:(?:un grand |mille )?merci|merci (?:d['’]avance|beaucoup|à vous|bien)|avec mes remerciements|bonne journée|bonne soirée|bonne réception|à bientôt|bises|bisous|cdt|cdlt|respectueusement)
(?:(?:muchos|reciba(?:n)? (?:un|mis)|con un)? ?(?:un )?(?:cordial(?:es)? |atento |afectuoso |fuerte )?(?:saludos?|abrazos?)(?: cordial(?:es)?| atentos?| afectuosos?)?)
atentamente|atte|cordialmente|(?:muchas |mil )?gracias(?: de antemano| por adelantado| y (?:un )?saludos?)?|besos
(?:(?:i miei |con i )?(?:più )?(?:cordiali|distinti|migliori|cari) saluti)|(?:un )?(?:cordiale |caro )?salut[oi]|(?:grazie|grazie (?:mille|in anticipo|e (?:cordiali )?saluti|ancora))|a presto|buona (?:giornata|serata)|cordialità
(?:(?:com )?(?:os )?(?:melhores|meus|mais sinceros|respeitosos) )?cumprimentos|atenciosamente|att|atte|(?:um |grande )?abraços?|(?:muito )?obrigad[oa](?: desde já| pela atenção)?|grat[oa]|saudações|cordiais saudações|desde já agradeço
(?:met )?(?:vriendelijke|hartelijke|beste|warme) (?:groet(?:en|jes)?)|groet(?:en|jes)?|mvg|m\.?v\.?g|(?:alvast )?(?:hartelijk )?bedankt|hoogachtend|dank (?:je|u)(?: wel)?(?: alvast)?|bij voorbaat dank|gr|vr gr
(?:(?:serdecznie |gorąco )?pozdrawiam(?: serdecznie)?|pozdrowienia|z poważaniem|z wyrazami szacunku|łączę (?:wyrazy szacunku|pozdrowienia)|(?:z góry )?dziękuję(?: z góry| bardzo)?|dzięki|pozdr)
(?:(?:med )?(?:vänlig|vänliga|bästa|varma|hjärtliga) hälsning(?:ar)?|hälsningar|hälsar|mvh|(?:stort |många )?tack(?: på förhand| så mycket)?|vänligen)
(?:(?:med )?(?:de )?(?:venlig|venlige|bedste|kærlig|mange|beste|vennlig|vennlige|hjertelig|hjertelige)(?:ste)? hils(?:en|ener|ner))|hilsen|hilsner|mvh|vh|kh|dbh|(?:mange |tusen |på forhånd )?takk?(?: på forhånd| skal du ha)?|venligst|vennligst
(?:(?:ystävällisin|parhain|sydämellisin|lämpimin|iloisin) )?terveisin|terveiset|terkuin|yst(?:ävällisesti|\.? ?terv)|terv|t|kiitos(?: etukäteen| paljon)?|kiittäen|kiitoksin
(?:(?:s|se) (?:přátelským |srdečným )?pozdravem(?: a .{1,40})?|s úctou|(?:předem )?děkuji(?: předem| moc)?|díky|zdraví(?:m)?|hezký (?:den|zbytek dne)|mějte se|přeji (?:hezký|pěkný) den)
(?:с (?:глубоким |искренним )?уважением|с наилучшими пожеланиями|с (?:благодарностью|приветом)|всего (?:доброго|хорошего|наилучшего)|(?:заранее )?(?:большое )?(?:спасибо|благодарю|благодарна|благодарен)(?: заранее)?|до свидания|хорошего дня)
(?:(?:en derin |içten )?saygılar(?:ımla|ımızla)?|iyi (?:günler|çalışmalar|akşamlar)(?: dilerim)?|(?:şimdiden |çok )?teşekkür(?:ler|ler ederim| ederim)|sevgiler(?:imle)?|selamlar|hoşça kalın|kolay gelsin)
(?:(?:何卒|どうぞ|以上、?)?(?:よろしく|宜しく)(?:お願い(?:いた|致)?(?:いた|致)?(?:します|しております|申し上げます))?|敬具|草々|以上)
(?:此致|敬礼|敬禮|祝好|谢谢|謝謝|多谢|顺祝.{1,6}|順頌.{1,6}|顺颂.{1,6}|祝您?.{1,8}|致礼|此致 ?敬礼)
(?:감사합니다|고맙습니다|감사드립니다|수고하세요|안녕히 계세요|.{1,10} (?:드림|올림|배상))
(?:(?:szívélyes |baráti )?üdvözlettel|üdv|tisztelettel|köszönettel|(?:előre is )?köszönöm(?: előre is| szépen)?|szép napot|minden jót)
(?:cu (?:stimă|respect|drag|considerație|prietenie)|(?:vă )?mulțumesc(?: anticipat)?|(?:cele mai bune )?salutări|toate cele bune|o zi bună)
(?:з (?:найкращими побажаннями|повагою|вдячністю)|(?:щиро )?дякую(?: наперед)?|щиро ваш[а]?|всього найкращого|гарного дня)
(?:με (?:εκτίμηση|τιμή|φιλικούς χαιρετισμούς|ευχαριστίες)|φιλικά|(?:σας )?ευχαριστώ(?: πολύ| εκ των προτέρων)?|χαιρετισμούς|χαιρετισμοί|φιλικούς χαιρετισμούς)
"""
"""Words of parting. With more said in a line than these, the line is the author's."""

SECRET = (
    "confident",
    "privileg",
    "vertraulich",
    "rechtlich geschützt",
    "riservat",
    "vertrouwelijk",
    "poufn",
    "konfiden",
    "fortrolig",
    "luottamuks",
    "důvěrn",
    "конфиденциаль",
    "gizli",
    "機密",
    "保密",
    "机密",
    "기밀",
    "비밀",
    "bizalmas",
    "конфіденц",
    "εμπιστευτικ",
    "proprietary",
    "secret",
)

MESSAGE = (
    "mail",
    "message",
    "communication",
    "transmission",
    "nachricht",
    "courriel",
    "courrier",
    "mensaje",
    "correo",
    "messaggio",
    "mensagem",
    "bericht",
    "wiadomoś",
    "korespondenc",
    "meddeland",
    "besked",
    "meddelelse",
    "melding",
    "viesti",
    "sähköposti",
    "zpráv",
    "сообщени",
    "письм",
    "ileti",
    "mesaj",
    "メール",
    "邮件",
    "郵件",
    "메일",
    "이메일",
    "üzenet",
    "levél",
    "повідомлен",
    "лист",
    "μήνυμα",
    "e-post",
    "eposta",
)

ADDRESSEE = (
    "intended",
    "addressee",
    "recipient",
    "unauthorised",
    "notify",
    "delete",
    "disclos",
    "bestimmt",
    "empfänger",
    "adressat",
    "unbefugt",
    "vernichten",
    "löschen",
    "destinatair",
    "destiné",
    "supprim",
    "destinatari",
    "dirigid",
    "elimin",
    "borr",
    "destinatári",
    "destinad",
    "apag",
    "destinat",
    "cancell",
    "bestemd",
    "geadresseerde",
    "verwijder",
    "ontvanger",
    "adresat",
    "przeznaczon",
    "usun",
    "avsedd",
    "mottagare",
    "radera",
    "tiltenkt",
    "beregnet",
    "modtager",
    "mottaker",
    "slet",
    "tarkoitettu",
    "vastaanottaj",
    "poista",
    "určen",
    "příjemc",
    "smaž",
    "vymaž",
    "предназнач",
    "адресат",
    "удал",
    "alıcı",
    "yetkisiz",
    "silin",
    "silme",
    "受信者",
    "宛先",
    "削除",
    "收件人",
    "删除",
    "수신자",
    "수신인",
    "삭제",
    "címzett",
    "töröl",
    "șterg",
    "видал",
    "παραλήπτη",
    "διαγρ",
    "unauthoriz",
)

FOOTER_HINTS = (
    "environment",
    "virus",
    "viren",
    "wirus",
    "virüs",
    "viry",
    "вирус",
    "unsubscribe",
    "newsletter",
    "list",
    "umwelt",
    "environnement",
    "ambiente",
    "milieu",
    "środowisk",
    "milj",
    "ympäristö",
    "životní",
    "окружающ",
    "çevre",
    "planèt",
    "planet",
    "tree",
)

NATURE = (
    r"(?:umwelt|environnement|environment|medio ?ambiente|ambiente|milieu|środowisk|miljö|miljø|ympäristö|životní|окружающ|"
    r"çevre|planète)"
)

PRINTING = r"(?:druck|imprim|stamp|print|druk|skriv|tulost|tisk|печат|yazdır)"

NO_NAMES = frozenset(
    """
    a about absolutely account again all also always amazing an and angry any anyone appalling april are as at
    august avoid awesome awful bad be beautiful been best better bien bravo brilliant broken but bye can
    cancel cancelled cancelling care case closed come complete completely confused congratulations cool
    customer customers damn danke date dead december delighted delivery deposit did disappointed disappointing
    disappointment disgraceful disgust disgusted disgusting do does don't done dont dreadful easy end ended
    enjoyed enough ever every everyone everything exactly excellent extremely fabulous fail failed fantastic
    fast february final fine first five five-star fix fixed for forget free friday friendly from frustrated
    fun funny furious garbage get give go goed going gone good gracias grazie great half happy hate have hello
    help hi highly hope horrible how however i i'll i'm incredible indeed invoice is it item its ja jamais
    january job joke july june junk just keep know last late later let lost love loved lovely magic mai mal
    march marvellous may me merci mess monday money more most much must my nah nein never new nice nicht nie
    no nobody non none nooit nope not nothing november now nul nunca obrigado october of off ok okay on one
    only or order ottimo oui our out over overall overpriced parcel pathetic perfect perfectly pessimo please
    pleased poor price prima product products pure péssimo quality quite rating ready really recommended
    refund regards reply ridiculous right rip-off rubbish sad satisfied saturday save scam schade schlecht
    september service shame shameful shameless shocking simply slecht so sorry star stars still stop stunning
    subject such sunday super superb sure swell sí terrible terrific thank thanks that the their them there
    these they this three thumbs thursday time to today toll tomorrow too top total totally truly try tuesday
    two ugly unacceptable unbelievable unhappy unimpressed update upset urgent us useless utter utterly very
    wait was waste wasted we wednesday well went were what when where who whole why wieder will wonderful word
    work working works worse worst worth wow wrong yeah yep yes yesterday you your yours zero ótimo
    """.split()  # noqa: SIM905 - a word a line would be a page
)
"""Words that begin or end a line of praise or blame, which looks like a name if it is capitalised."""

FOOTER_START = r"""
(?:(?:confidentiality|legal|privacy|important|e-?mail) )?(?:notice|disclaimer|statement)s?\W{0,3}(?:\Z|:|[A-Z])
(?:disclaimer|haftungsausschluss|vertraulichkeitshinweis|avis de confidentialité|aviso legal|aviso de confidencial\w+|avvertenza)\b
virus-?free\b
you (?:received|are receiving|have received|got) this (?:message|e-?mail|mail|newsletter) because
(?:to )?(?:unsubscribe|change your (?:subscription|preferences)|manage (?:your )?(?:subscription|preferences)|update your preferences)
(?:um sich abzumelden|pour vous (?:désabonner|désinscrire)|para (?:darse? de baja|cancelar)|per (?:disiscriverti|cancellarti))
(?:om u (?:af te melden|uit te schrijven)|aby (?:się )?(?:wypisać|zrezygnować)|чтобы отписаться)
to (?:view|read|post|reply to) this (?:discussion|topic|group|message) (?:on|to|in)
for more options,? visit
(?:https?://)?\S{0,60}(?:mailman|/listinfo/|groups\.google)\S{0,100}\s*\Z
(?:© ?\d{4}|copyright ?(?:©|\(c\)))
[\w-]{1,40} mailing list\s*\Z
"""
"""How a footer begins."""

FOOTER_PHRASE = rf"""
(?:consider|think (?:of|about)|spare) the (?:environment|trees?|planet)
{NATURE}\w{{0,12}} .{{0,60}}{PRINTING}
{PRINTING}\w{{0,12}} .{{0,60}}{NATURE}
(?:checked|scanned|screened|tested) (?:for|by|against) .{{0,40}}(?:virus|malware|software|avast|avg|norton)
auf viren|virenfrei|viren geprüft|virenschutz|contre les virus|absence de virus|sans virus|libre de virus|en busca de virus
privo di virus|controllat\w .{{0,20}}virus|op virussen|sprawdzon\w .{{0,40}}wirus|wolna od wirus|genomsökts|virusfri|virukset
kontrolov\w .{{0,30}}(?:viry|antivir)|проверено (?:на вирус|.{{0,20}}антивирус)|virüs
(?:click here|here|link).{{0,30}}\bto unsubscribe
\bunsubscribe\W{{0,3}}(?:here|from|\||\Z)
(?:newsletter|liste|lista)\w{{0,3}} .{{0,40}}(?:abbestellen|abmelden|désabonner|désinscrire|darse? de baja|cancel|disiscriver|uitschrijven)
(?:newsletter|liste|lista)\w{{0,3}} .{{0,40}}(?:afmeld|avmeld|wypisać|avprenumerera|peruuta|odhlásit|отписаться)
"""
"""What stands anywhere in a footer; in it is one of FOOTER_HINTS."""
