"""The words that a mail's author wrote, without the thread, signatures and footers that stand around them.

The phrases are those that mail programs and companies write, in the languages that they write them in. A pattern sees
a line of at most MAX_LINE characters, or a few of them joined, so that no text takes more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LINE = 300  # characters
MAX_LINES = 20_000
"""No mail program writes longer ones of what is taken off; a text of more lines is no letter."""


def own_words(text: str, *, quotes: bool = False, signatures: bool = False) -> str:
    """Return what a mail's author wrote: whole lines of the text, in their order.

    Taken off are quoted lines and the line that announces them ("On … wrote:"), what follows an "Original Message",
    a header of Outlook's or a forwarded message's, and at the end signatures, sign-offs, what a telephone adds, and
    legal and mailing lists' footers. A line in which anything else is said stays.

    Args:
        text: The text of a mail, lines apart by line feeds.
        quotes: Keep what is quoted.
        signatures: Keep signatures, sign-offs and footers, which otherwise go unless they are all there is.

    Returns:
        The words, empty where all is quoted.
    """
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        return text if quotes else "\n".join(line for line in lines if not line.startswith(">")).strip()
    if not quotes:
        lines = _without_quotes(lines)
    if not signatures:
        lines = _without_signatures(lines) or lines
    return "\n".join(lines).strip()


def _phrases(text: str) -> str:
    """Return a pattern's alternatives, one of each line of `text`; a space may be any white space."""
    return "|".join(phrase.strip().replace(" ", r"\s+") for phrase in text.strip().splitlines())


# Quotes

_WROTE = r"""
wrote|writes|écrit|escribi[oó]|escribe|scritto|scrive|escreveu|schreef|schreven|schrieb(?:en)?|geschrieben|skrev
napisał(?:\(?a\)?|\(-?a\))?|pisze|kirjoitti|napsal(?:\(a\)|a)?|пишет|писал(?:\(а\)|а)?|написал(?:\(а\)|а)?|пише|написав(?:\(-?ла\))?
yazdı|yazmış|írta|scris|έγραψε|написа|naps[aá]l|pisał(?:a|\(a\))?
"""
_WROTE_VERB = re.compile(
    rf"(?:(?<!\w)(?:{'|'.join(_WROTE.strip().splitlines())})(?!\w)"
    r"|写道|寫道|書きました|のメール|님이 작성|님이 쓴 글|작성).{0,150}[:：][\s-]{0,12}\Z",
    re.IGNORECASE,
)
"""The verb of the line over a quote, and the sender where the name follows it."""

_WITHOUT_VERB = re.compile(r"(?:<[^<>\s]{3,100}@[^<>\s]{3,100}>|\[mailto:[^\]\s]{3,100}\])\s?[:：]\s*\Z")
"""As Gmail has it in Russian and Japanese: a date, a name, an address, a colon."""

_STARTS_ATTRIBUTION = re.compile(
    r"\W{0,4}(?:On|Am|Le|El|Il(?: giorno)?|Em|A|No dia|Op|W dniu|Dnia|Dne|Den|Στις|În|În data de|La data|Pe|Il|В|"
    r"At|In|Az|Al|Vào|Dana|Tarih|在|于|Quoting|Zitat von|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|pon|wt|śr|czw|pt|sob|niedz|"
    r"man|tir|tirs|ons|tor|tors|fre|lør|søn|mån|tis|lör|sön|ma|ti|ke|to|pe|la|su|po|út|st|čt|pá|so|ne|пн|вт|ср|чт|"
    r"пт|сб|вс|нд|maan?d?|dins?|woe?|don?d?|vr|za|zo|zat|zon)\w{0,9}[.,]{0,2}|\d{1,4}[./ \-年])(?=\W|\d|\Z)",
    re.IGNORECASE,
)
_ATTRIBUTION_AND_TEXT = re.compile(r"(?:On|Am|Le|El|Il|Em|Op) .{10,120}<[^<>\s]{3,80}@[^<>\s]{3,80}> ?\w{0,2} ?\w{3,12} ?:\s{1,5}\S")
"""As Yahoo has it: the quote begins on the same line."""

_DIGITS = re.compile(r"\d\D{0,30}\d")
_ADDRESS = re.compile(r"@|<[^<>]{1,100}>|mailto:")

_FIELDS = {
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
_FIELD = re.compile(
    r"[\s*_]{0,8}(?:"
    + "|".join(f"(?P<{kind}>{names})" for kind, names in _FIELDS.items())
    + r")[*_]{0,2}\s{0,3}[:：](?:[*_]{0,2})(?=\s|\Z|\S)",
    re.IGNORECASE,
)
_MAX_FIELDS = 15  # lines

_ORIGINAL = _phrases(
    """
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
    Forwarded (?:message|mail|e-?mail)(?: follows)?(?: by \\S{1,60})?(?: from .{1,60})?
    Forwarded by .{1,80}
    Weitergeleitet von .{1,80}
    Transféré par .{1,80}
    """
)
_BEGINS_FORWARDED = _phrases(
    """
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
)
_MARKER = re.compile(
    rf"\W{{0,3}}(?:(?:[-_=*+‐–—]\s?){{2,60}}\s*(?:{_ORIGINAL})\s*:?\s*(?:[-_=*+‐–—]\s?){{0,60}}|(?:{_ORIGINAL})\s*[-_=]{{3,60}}"
    rf"|(?:{_BEGINS_FORWARDED})\s*[:：]?)\s*\Z",
    re.IGNORECASE,
)
_REPLY_ABOVE = re.compile(
    r"\s{0,8}(?:##-.{5,120}-##|[^\w\s]{0,20}\s{0,3}(?:please |bitte )?(?:type|write|enter|reply|respond|antworten|schreiben)\b"
    r".{0,60}\b(?:above|over|oberhalb|über)\b.{0,30}\b(?:line|zeile)\b.{0,40})\Z",
    re.IGNORECASE,
)
_GROUPWISE = re.compile(r">>> .{5,200}>>>\s*\Z")
_RULE = re.compile(r"\s*(?:[-_=*~#+—–‐]\s?){3,100}\Z")
_QUOTED = re.compile(r" ?(?:>|&gt;)(?!\s?>>.{0,30}\Z(?<=\w))|\|\s?\S|[A-Z]{2,3}> ")
_BAR_QUOTED = re.compile(r" ?\| ?")


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >")) or bool(_INITIALS.match(line))


_INITIALS = re.compile(r"[A-Z]{2,3}>(?: |\Z)")


def _without_quotes(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    end = len(lines)
    number = 0
    after_attribution = False  # a line over a quote has just been taken off
    while number < end:
        line = lines[number]
        bare = line.strip()
        if not bare:
            kept.append(line)
            number += 1
            continue
        if len(bare) > MAX_LINE:
            # A quoted paragraph may be one line.
            if not _is_quoted(line):
                kept.append(line)
                after_attribution = False
            number += 1
            continue
        if bare.startswith(">>>") and _GROUPWISE.match(bare):
            return _cut(kept)
        if _is_quoted(line) or (
            bare[0] == "|" and (after_attribution or _is_barred(lines, number - 1) or _is_barred(lines, number + 1))
        ):
            number += 1
            continue
        after_attribution = False
        if bare[-1] in ":：-" and (start := _attribution_start(lines, number)) is not None:
            del kept[len(kept) - (number - start) :]
            following = next((line for line in lines[number + 1 : number + 6] if line.strip()), "")
            if not (_is_quoted(following) or _BAR_QUOTED.match(following)):
                return _cut(kept)
            after_attribution = True
            number += 1
            continue
        if _ATTRIBUTION_AND_TEXT.match(bare) or _MARKER.match(bare) or _REPLY_ABOVE.match(bare) or _begins_header(lines, number):
            return _cut(kept)
        kept.append(line)
        number += 1
    return kept


def _is_barred(lines: Sequence[str], number: int) -> bool:
    return 0 <= number < len(lines) and bool(_BAR_QUOTED.match(lines[number]))


def _cut(kept: list[str]) -> list[str]:
    """Return what stands above a quote without the rule that divides them."""
    while kept and (not kept[-1].strip() or _RULE.match(kept[-1])):
        kept.pop()
    return kept


def _attribution_start(lines: Sequence[str], number: int) -> int | None:
    """Return the first line of "On … wrote:" that ends at a line, None where that is something else."""
    for start in range(number, max(number - 4, -1), -1):
        line = lines[start].strip()
        if not line or len(line) > MAX_LINE or _is_quoted(lines[start]):
            break
        joined = " ".join(part.strip() for part in lines[start : number + 1])
        if not _WROTE_VERB.search(joined[-250:]) and not _WITHOUT_VERB.search(joined[-250:]):
            if start == number and not _ADDRESS.search(joined) and len(joined) > 40:
                return None
            continue
        begins = _STARTS_ATTRIBUTION.match(line)
        if _DIGITS.search(joined) and (begins or _ADDRESS.search(joined)):
            return start if begins else _extended(lines, start)
    if _WROTE_VERB.search(lines[number][-250:]) and (
        _is_quoted(_next(lines, number)) or _BAR_QUOTED.match(_next(lines, number))
    ):
        return number
    return None


def _extended(lines: Sequence[str], start: int) -> int:
    """Return the line at which an attribution begins whose date stands on a line of its own."""
    for earlier in range(start - 1, max(start - 3, -1), -1):
        line = lines[earlier].strip()
        if not line or len(line) > MAX_LINE:
            break
        if _STARTS_ATTRIBUTION.match(line) and _DIGITS.search(line):
            return earlier
    return start


def _next(lines: Sequence[str], number: int) -> str:
    return next((line for line in lines[number + 1 : number + 4] if line.strip()), "")


def _begins_header(lines: Sequence[str], number: int) -> bool:
    """Return whether a quoted message's header begins at a line: From, To, and Date or Subject."""
    kinds: set[str | None] = set()
    blank = 0
    for line in lines[number : number + _MAX_FIELDS]:
        if not line.strip():
            blank += 1
            if blank > 1 and len(kinds) > 1:
                break
            continue
        field = _FIELD.match(line[:MAX_LINE])
        if field:
            kinds.add(field.lastgroup)
            blank = 0
        elif not kinds or blank:
            break
        if "from" in kinds and ("date" in kinds or "subject" in kinds) and len(kinds - {"cc"}) >= 3:
            return True
    return False


# Signatures

_DELIMITER = re.compile(r"\s{0,3}(?:--\s?|—|–{1,2}\s?)\Z")
_MAX_SIGNATURE = 30  # lines

_POSTSCRIPT = re.compile(r"\W{0,3}(?:P\.? ?P?\.? ?S\b|N\.?B\b)\W", re.IGNORECASE)

_DEVICE = _phrases(
    r"""
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
)
_SENT_FROM = re.compile(rf"\W{{0,3}}(?:{_DEVICE})\W{{0,3}}\Z", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[!?]|[,;.:] \w+ \w+ \w+ \w+|\b(?:because|since|but|weil|aber|parce|mais|porque|pero|although|and (?:I|it|the))\b|"
    r"\b(?:was|were|is|are|never|not|didn['’]t|has|had)\b",
    re.IGNORECASE,
)

_SIGN_OFF = _phrases(
    r"""
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
    (?:je vous prie|veuillez|nous vous prions|je vous adresse|recevez) (?:d['’]agréer|agréer|d['’]accepter|recevoir|.{0,20}salutations).{0,180}
    (?:(?:muchos|reciba(?:n)? (?:un|mis)|con un)? ?(?:un )?(?:cordial(?:es)? |atento |afectuoso |fuerte )?(?:saludos?|abrazos?)(?: cordial(?:es)?| atentos?| afectuosos?)?)
    atentamente|atte|cordialmente|(?:muchas |mil )?gracias(?: de antemano| por adelantado| y (?:un )?saludos?)?|sin otro particular.{0,60}|quedo a la espera.{0,60}|besos
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
)
_NAME_WORD = r"(?:[^\W\d_a-zà-öø-ÿ](?:[\w'’-]{0,25}|\.)|von|van|de|der|den|di|da|del|la|le|el|al|bin|ten|ter|du|dos|y|e|i|und|and|&)"
_NAME = rf"{_NAME_WORD}\.?(?: {_NAME_WORD}\.?){{0,3}}"
_SIGN_OFF_LINE = re.compile(
    rf"\W{{0,3}}(?i:{_SIGN_OFF})(?:\s?[/|]\s?(?i:{_SIGN_OFF}))?(?:\s?[,.!;~:–—-]{{0,3}}|\s*[:;]-?\)|\s*[❤♥😊🙂👍🙏]️?|、|。|，|！)\s*\Z"
)
_SIGN_OFF_AND_NAME = re.compile(
    rf"\W{{0,3}}(?i:{_SIGN_OFF})(?:\s?[,.!–—-]\s?|\s+)(?P<name>{_NAME})(?:\s*\([^()]{{1,30}}\))?[.,]?\s*\Z"
)
_LONE_NAME = re.compile(rf"(?P<dash>[-–—~/*]{{1,2}}\s?)?(?P<name>{_NAME})[.,]?\s*\Z")

_CONTACT = re.compile(
    r"(?:\+|\b00)?\(?\d[\d\s()/.-]{6,}\d|@[\w-]+\.\w|www\.|https?://|\b\w+\.(?:com|org|net|de|fr|co\.uk|example)\b|"
    r"\b(?:tel|phone|fax|mob|mobile|cell|office|direct|telefon|tél|móvil|handy|e-?mail|skype|linkedin)\b\s{0,3}[.:+\d]",
    re.IGNORECASE,
)

_MESSAGE = re.compile(
    r"e-?mail|mail|message|communication|transmission|nachricht|courriel|courrier|mensaje|correo|messaggio|mensagem|"
    r"bericht|wiadomoś|korespondenc|meddeland|besked|meddelelse|melding|e-?post|viesti|sähköposti|zpráv|сообщени|письм|"
    r"ileti|e-?posta|mesaj|メール|邮件|郵件|메일|이메일|üzenet|levél|повідомлен|лист|μήνυμα|email",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"confident|privileg|vertraulich|rechtlich geschützt|riservat|vertrouwelijk|poufn|konfiden|fortrolig|luottamuks|"
    r"důvěrn|конфиденциаль|gizli|機密|保密|机密|기밀|비밀|bizalmas|конфіденц|εμπιστευτικ|proprietary|secret",
    re.IGNORECASE,
)
_ADDRESSEE = re.compile(
    r"intended|addressee|recipient|unauthori[sz]ed|notify|delete|disclos|bestimmt|empfänger|adressat|unbefugt|vernichten|"
    r"löschen|destinatair|destiné|supprim|destinatari|dirigid|elimin|borr|destinatári|destinad|apag|destinat|cancell|"
    r"bestemd|geadresseerde|verwijder|ontvanger|adresat|przeznaczon|usun|avsedd|mottagare|radera|tiltenkt|beregnet|"
    r"modtager|mottaker|slet|tarkoitettu|vastaanottaj|poista|určen|příjemc|smaž|vymaž|предназнач|адресат|удал|"
    r"alıcı|yetkisiz|silin|silme|受信者|宛先|削除|收件人|删除|수신자|수신인|삭제|címzett|töröl|destinat|șterg|адресат|"
    r"видал|παραλήπτη|διαγρ",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    _phrases(
        r"""
        \W{0,5}(?:confidentiality|legal|privacy|important|e-?mail)? ?(?:notice|disclaimer|statement)s?\W{0,3}(?:$|:|[A-Z])
        \W{0,5}(?:disclaimer|haftungsausschluss|vertraulichkeitshinweis|avis de confidentialité|aviso legal|aviso de confidencialidad|avvertenza|aviso de confidencialidade)\b
        .{0,80}(?:consider|think (?:of|about)|spare) the (?:environment|trees?|planet)
        .{0,80}(?:umwelt|environnement|medio ?ambiente|meio ambiente|ambiente|milieu|środowisk|miljö|miljø|ympäristö|životní|окружающ|çevre|planète|planeet|natur\w*).{0,80}(?:druck|imprim|stamp|print|druk|skriv|udskriv|tulost|tisk|печат|yazdır)
        .{0,80}(?:druck|imprim|stamp|print|druk|skriv|udskriv|tulost|tisk|печат|yazdır).{0,80}(?:umwelt|environnement|environment|medio ?ambiente|meio ambiente|ambiente|milieu|środowisk|miljö|miljø|ympäristö|životní|окружающ|çevre|planète)
        .{0,80}(?:checked|scanned|screened|tested) (?:for|by|against) .{0,40}(?:virus|anti-?virus|malware|software|avast|avg|norton)
        \W{0,3}virus-?free\b
        .{0,80}(?:auf viren|virenfrei|viren geprüft|virenschutz|contre les virus|absence de virus|sans virus|libre de virus|en busca de virus|virus free|privo di virus|controllat\w .{0,20}virus|op virussen|sprawdzon\w .{0,40}wirus|wolna od wirus|genomsökts|virusfri|virukset|kontrolov\w .{0,30}(?:viry|antivir)|проверено на вирус|проверено .{0,30}антивирус|virüs)
        \W{0,3}you (?:received|are receiving|have received|got) this (?:message|e-?mail|mail|newsletter) because
        \W{0,3}(?:to )?(?:unsubscribe|change your (?:subscription|preferences)|manage (?:your )?(?:subscription|preferences)|update your preferences)
        .{0,100}(?:click here|here|link).{0,30}\bto unsubscribe
        .{0,60}\bunsubscribe\W{0,3}(?:here|from|\||$)
        .{1,60} mailing list\s*$
        .{0,80}(?:newsletter|liste|lista).{0,40}(?:abbestellen|abmelden|désabonner|désinscrire|darse? de baja|cancelar (?:la|sua) (?:suscripción|inscrição)|disiscriver\w*|cancellar\w*|uitschrijven|afmelden|wypisać|avprenumerera|afmeld|avmelding|peruuta|odhlásit|отписаться)
        \W{0,3}(?:um sich abzumelden|pour vous (?:désabonner|désinscrire)|para (?:darse? de baja|cancelar)|per (?:disiscriverti|cancellarti)|om u (?:af te melden|uit te schrijven)|aby (?:się )?(?:wypisać|zrezygnować)|чтобы отписаться)
        \W{0,3}to (?:view|read|post|reply to) this (?:discussion|topic|group|message) (?:on|to|in)
        \W{0,3}for more options,? visit
        (?:https?://)?\S{0,60}(?:mailman|/listinfo/|groups\.google)\S{0,100}\s*$
        \W{0,3}(?:© ?\d{4}|copyright ?(?:©|\(c\)))
        """
    ),
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    """
    a about absolutely account again all also always amazing an and angry any anyone appalling are as at avoid awesome awful
    bad be been beautiful best better bravo brilliant broken but bye can cancel cancelled cancelling care case closed come
    complete completely confused congratulations cool customer customers damn date dead delighted delivery deposit did
    disappointed disappointing disappointment disgraceful disgusted disgusting disgust do does done don't dont dreadful easy
    end ended enjoyed enough ever every everyone everything excellent exactly extremely fabulous fail failed fantastic fast
    final fine five first five-star fix fixed for forget free friendly from frustrated fun funny furious garbage get give
    go going gone good great half happy hate have hello help hi highly hope horrible how however i i'll i'm incredible
    indeed invoice is it item its job joke just junk keep know last late later let lost love loved lovely magic marvellous
    me mess monday tuesday wednesday thursday friday saturday sunday money more most much must my nah never new nice no
    nobody none nope not nothing now of off ok okay on one only or order our out over overall overpriced parcel pathetic
    perfect perfectly please pleased poor price product products pure quality quite rating ready really recommended refund
    regards reply ridiculous right rip-off rubbish sad satisfied save scam service shame shameful shameless shocking
    simply so sorry stars star still stop stunning subject such super superb sure swell terrible terrific thank thanks
    that the their them there these they this three thumbs time to today tomorrow too top total totally truly try two ugly
    unacceptable unbelievable unhappy unimpressed update upset urgent us useless utter utterly very wait waste wasted was
    we well went were what when where who whole why will wonderful word work working works worse worst worth wow wrong
    yeah yep yes yesterday you your yours zero january february march april may june july august september october
    november december nie nein ja nicht danke super toll schlecht schade prima nie wieder merci bravo non oui jamais nul
    gracias nunca mal bien sí grazie mai pessimo ottimo obrigado péssimo ótimo nooit slecht goed
    """.split()
)


def _without_signatures(lines: Sequence[str]) -> list[str]:
    """Return lines without what is below the author's last word, empty where that would be all of them."""
    kept = _stripped(lines)
    kept = _without_delimited(kept)
    while kept:
        shorter = _stripped(_without_last(kept))
        if len(shorter) == len(kept):
            break
        if not shorter:
            return kept
        kept = shorter
    return kept


def _stripped(lines: Sequence[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return list(lines[:end])


def _without_delimited(lines: list[str]) -> list[str]:
    """Return lines without the signature below "-- ", its postscript kept."""
    first = max(0, len(lines) - _MAX_SIGNATURE)
    for number in range(first, len(lines)):
        if not _DELIMITER.match(lines[number]) or not any(line.strip() for line in lines[:number]):
            continue
        below = [line for line in lines[number + 1 :] if line.strip()]
        if all(len(line) <= MAX_LINE for line in below) or _FOOTER.match(below[0]):
            return lines[:number] + _postscript(lines[number + 1 :])
    return lines


def _postscript(lines: Sequence[str]) -> list[str]:
    start = next((number for number, line in enumerate(lines) if _POSTSCRIPT.match(line)), len(lines))
    end = next((number for number in range(start, len(lines)) if not lines[number].strip()), len(lines))
    return list(lines[start:end])


def _without_last(lines: list[str]) -> list[str]:
    """Return lines without the last thing that isn't the author's, unchanged where there is none."""
    last = lines[-1]
    start = _paragraph_start(lines, len(lines) - 1)
    paragraph = lines[start:]
    if _RULE.match(last):
        return lines[:-1]
    if len(last) <= MAX_LINE and _is_sent_from(last):
        return lines[:-1]
    if _is_footer(paragraph):
        return lines[:start]
    for number in range(max(1, len(lines) - 12), len(lines) - 1):
        # What follows a rule may be a footer, or a signature.
        if len(lines[number]) <= MAX_LINE and _RULE.match(lines[number]):
            below = [line for line in lines[number + 1 :] if line.strip()]
            if _is_footer(below) or (
                all(_is_signature_line(line.strip()) for line in below) and any(map(_CONTACT.search, below))
            ):
                return lines[:number]
    if (sign_off := _sign_off_start(lines)) is not None:
        return lines[:sign_off[0]] + sign_off[1]
    if _is_contact_block(paragraph) and start:
        return lines[:start]
    name = _LONE_NAME.match(last.strip()) if len(last) <= 60 else None
    if name and _is_name(name["name"]) and len(lines) > 1:
        above = lines[-2].strip()
        if name["dash"] or not above or (above[-1] == "," and len(above.split()) <= 8):
            return lines[:-1]
    return lines


def _paragraph_start(lines: Sequence[str], number: int) -> int:
    while number and lines[number - 1].strip():
        number -= 1
    return number


def _is_sent_from(line: str) -> bool:
    found = _SENT_FROM.match(line)
    return bool(found) and not _CLAUSE.search(line)


def _is_footer(paragraph: Sequence[str]) -> bool:
    joined = " ".join(line.strip() for line in paragraph)[:2000]
    if _FOOTER.match(joined[:MAX_LINE]) or any(_FOOTER.match(line[:MAX_LINE]) for line in paragraph[:3]):
        return True
    return bool(_SECRET.search(joined) and _MESSAGE.search(joined) and _ADDRESSEE.search(joined) and len(joined) > 80)


def _sign_off_start(lines: Sequence[str]) -> tuple[int, list[str]] | None:
    """Return the line of the sign-off under which only a name and ways of contact stand, and the postscript."""
    found = None
    seen = 0
    postscript: list[str] = []
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number].strip()
        if not line:
            continue
        seen += 1
        if seen > 14 or len(line) > MAX_LINE:
            break
        sign_off = _SIGN_OFF_LINE.match(line) if len(line) <= 220 else None
        named = _SIGN_OFF_AND_NAME.match(line) if not sign_off and len(line) <= 80 else None
        if sign_off or (named and _is_name(named["name"])):
            if not any(line.strip() for line in lines[:number]):
                break
            found = number
            continue
        if found is not None:
            break
        if _POSTSCRIPT.match(line):
            postscript = list(lines[number:])
            continue
        if not _is_signature_line(line):
            break
    return None if found is None else (found, postscript)


def _is_signature_line(line: str) -> bool:
    """Return whether a line below a sign-off may be a name, a title or a way of contact."""
    if len(line) > 160:
        return False
    words = line.split()
    if _CONTACT.search(line) or _is_sent_from(line) or _BETWEEN.search(line):
        return len(words) <= 18
    ends = line[-1] in "!?…" or (line[-1] == "." and len(words) > 3 and len(words[-1]) > 5)
    return len(words) <= 7 and not ends


def _is_contact_block(paragraph: Sequence[str]) -> bool:
    if not 2 <= len(paragraph) <= 10:
        return False
    name = _LONE_NAME.match(paragraph[0].strip()) if len(paragraph[0]) <= 60 else None
    return (
        bool(name and _is_name(name["name"]) and " " in name["name"])
        and all(len(line) <= 120 and _is_signature_line(line.strip()) for line in paragraph[1:])
        and any(_CONTACT.search(line) or _TITLE.search(line) for line in paragraph[1:])
    )


_BETWEEN = re.compile(r" [|•·–] | // ")
_TITLE = re.compile(
    r"\b(?:manager|director|head of|officer|engineer|assistant|president|founder|owner|sales|support|department|dept|inc|ltd|"
    r"llc|gmbh|ag|s\.?a|b\.?v|leiter\w*|geschäftsführ\w*|directeur|directrice|gérant\w*|responsable|director[a]?|facility|"
    r"management|accountant|administrator|consultant|coordinator|teacher|professor|dr|phd|developer|analyst)\b",
    re.IGNORECASE,
)


def _is_name(name: str) -> bool:
    words = name.split()
    return words[0][0].isupper() and not any(word.strip(".,").lower() in _NO_NAMES for word in words)
