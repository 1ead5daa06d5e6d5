"""What mail programs, companies and mailing lists write around a mail's words, language by language.

Tables of two kinds. In a table of phrases, those of a line are apart by semicolons, `{a|b}` is one of two words and
`[a|b]` one of two or neither; `expanded` makes a set of them, in lower case. In a table of patterns each line is a
regular expression; `alternatives` makes one of them. A language is added by adding a line to each table. No pattern
may take more than linear time: what repeats is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product

_CHOICE = re.compile(r"\[([^]]*)\]|\{([^}]*)\}|([^][{}]+)")


def expanded(table: str) -> frozenset[str]:
    """Return the phrases of a table of phrases."""
    phrases: set[str] = set()
    for phrase in table.lower().replace("\n", ";").split(";"):
        choices = [
            [*optional.split("|"), ""] if optional else required.split("|") if required else [literal]
            for optional, required, literal in _CHOICE.findall(phrase)
        ]
        phrases.update(" ".join("".join(chosen).split()) for chosen in product(*choices))
    return frozenset(phrases - {""})


def holds_any(text: str, words: Iterable[str]) -> bool:
    """Return whether one of some words, or beginnings of words, stands in a text."""
    for word in words:  # noqa: SIM110 - any() takes twice as long, and this is asked of each mail
        if word in text:
            return True
    return False


def alternatives(table: str) -> str:
    """Return a pattern that matches what any of a table's patterns does; a space may be any white space."""
    patterns = (pattern.strip() for pattern in table.strip().splitlines())
    return "|".join(pattern.replace(" ?", r"\s{0,5}").replace(" ", r"\s{1,5}") for pattern in patterns)


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

ORIGINAL = """
original [e-]{message|mail|email|appointment}; originalmessage; reply message; forwarded {message|mail|email|e-mail} [follows]
{ursprüngliche|originale|original|weitergeleitete} {nachricht|mail|e-mail|email}; originalnachricht; original-nachricht; ursprünglicher termin
message {d'origine|original|initial|transféré|transfere|réexpédié|reexpedie}; mensaje {original|reenviado}
messaggio {originale|inoltrato}; mensagem {original|encaminhada|reencaminhada}
{oorspronkelijk|origineel|doorgestuurd} bericht
{wiadomość|treść} {oryginalna|przekazana}; {oryginalna|przekazana|przesłana dalej|treść przekazanej} {wiadomość|wiadomości}
{ursprungligt|original|vidarebefordrat} {meddelande|brev|mail}; {original|vidarebefordrat}meddelande
{oprindelig|opprinnelig|original|videresendt} {meddelelse|melding|mail|besked|e-post}; original{meddelelse|melding}
{alkuperäinen|välitetty|edelleenlähetetty|edelleen lähetetty} viesti
{původní|přeposlaná|předaná} {zpráva|e-mail}
{исходное|оригинальное|пересланное|пересылаемое|переадресованное} {сообщение|письмо}
{вихідне|оригінальне|переслане} {повідомлення|лист}
{orijinal|özgün|asıl|yönlendirilmiş|yönlendirilen|iletilen} {ileti|mesaj|e-posta|eposta}
元のメッセージ; 転送されたメッセージ; 転送メッセージ; 原始{邮件|信息|郵件}; 原邮件; 转发[的]{邮件|信息}; 轉寄[的]郵件
{원본|전달된} {메시지|메일}; {원본|전달된}{메시지|메일}
{eredeti|továbbított} üzenet; mesaj[ul] {original|inițial|redirecționat|transmis}; {αρχικό|προωθημένο} μήνυμα
"""
"""What stands between rules over a quoted or a forwarded message."""

ORIGINAL_OF = ("forwarded by ", "forwarded message from ", "weitergeleitet von ", "transféré par ")
"""How the same begins where a name follows."""

BEGINS_FORWARDED = """
{begin|start of} forwarded message; anfang der weitergeleiteten {nachricht|e-mail}
début du message {transféré|réexpédié|transfere|reexpedie}; inicio del mensaje reenviado; inizio [del] messaggio inoltrato
início da mensagem {encaminhada|reencaminhada}; begin doorgestuurd bericht
początek przekazywanej wiadomości; początek wiadomości przekazanej; vidarebefordrat {brev|meddelande}
start på videresendt {besked|meddelelse|melding}; videresendt {melding|besked}; välitetty viesti [alkaa]
začátek přeposílané zprávy; начало переадресованного {сообщения|письма}; початок переадресованого повідомлення
ileti başlangıcı; yönlendirilen {ileti|mesaj} başlangıcı; továbbított levél kezdete
以下は転送されたメッセージです; {下面|以下}是[被]转发的邮件; 전달된 메시지 시작
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

DEVICE_WORDS = (
    "iphon", "ipad", "android", "phone", "mobile", "mobil", "samsung", "galaxy", "pixel", "huawei", "blackberry",
    "outlook", "mail", "yahoo", "aol", "proton", "spark", "thunderbird", "app", "tablet", "device", "gerät", "handy",
    "móvil", "movil", "celular", "telef", "teléf", "téléph", "portable", "puhelim", "телефон", "смартфон", "komór",
    "cep ", "windows", "mac", "unterwegs", "on the go", "xiaomi", "oneplus", "nokia", "スマート", "手机", "手機", "휴대",
    "아이폰", "갤럭시", "ios",
)  # fmt: skip
"""One of these stands in a line that a telephone or its mail program has added."""

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
(?:顺祝|順頌|顺颂|祝您).{1,8}\Z
[^\s,.!?]{1,10} (?:드림|올림|배상)\Z
"""
"""Patterns of sign-offs with words of their own."""

SIGN_OFF = """
[with] [my|our] [very|all] [best|kind|kindest|warm|warmest|many|friendly|sincere|good|kind personal|best personal] {regards|regard} [to all|to you|to everyone]
[with] {kind|kindest|warm|warmest|best} {wishes|greetings}; [with] [all] good wishes; greetings; {warm|kind|best} regards and {thanks|best wishes}
[many] {thanks|thank you} {and|&|+} {best|kind|kindest|warm|warmest|} {regards|wishes}
[all|very|my|all my|all the] best; warmly; fondly; cordially; sincerely; faithfully; respectfully; bests
[respectfully|sincerely|cordially|faithfully|very truly] yours; yours {sincerely|faithfully|truly|respectfully|cordially|aye|ever|in haste|in sport|in christ}
[with] [many] {thanks|thx|thnx|tnx|ta} [again|in advance|so much|a lot|very much|a million|a bunch|a ton]
[with] [many] thanks {best|kind|warm|} {regards|wishes}; thank you [again|in advance|so much|very much|kindly|all]; thanking you [in advance|in anticipation]
cheers; ciao; [lots of|much|with] love; hugs; x{x|xx|xxx}; xo; xoxo; take care; br; kr; rgds; brgds; peace; ttyl
{talk|speak} [to you] soon; see you [soon]; bye [for now|bye]; until then; later; have a {nice|good|great|lovely} {day|weekend|evening|one}
[mit] [den] {freundlichem|freundlichen|freundliche|besten|beste|bestem|herzlichen|herzliche|herzlichem|lieben|liebe|liebem|vielen|viele|schönen|schöne|schönem|sonnige|sonnigen|nette|netten|kollegialen|kollegiale} {grüßen|grüße|gruß|grüssen|grüsse|gruss|gruessen|gruesse|grussen}
[mit] {freundlichen|besten|herzlichen} und {besten|herzlichen|freundlichen|kollegialen} grüßen; schöner gruß; grüße; grüsse; gruesse; gruß; gruss
lg; vg; mfg; bg; hg; mit bestem dank; hochachtungsvoll; danke [sehr|schön|ihnen|euch|dir]; {vielen|besten|herzlichen|tausend} dank; bis bald; {ihr|ihre|euer|eure|dein|deine}
{danke|vielen dank|besten dank|herzlichen dank} {im voraus|schon mal|vorab}; {danke|vielen dank|besten dank} und {viele|liebe|beste|herzliche|freundliche|schöne|} {grüße|grüsse|gruß}
[bien|très] cordialement; bien à {vous|toi}; {sincères|meilleures|cordiales|respectueuses} salutations; salutations [distinguées|cordiales]; amicalement; sincèrement
[un grand|mille] merci; merci {d'avance|beaucoup|à vous|bien}; avec mes remerciements; bonne {journée|soirée|réception}; à bientôt; bises; bisous; cdt; cdlt; respectueusement
[un|reciba un|reciban un|con un] [cordial|atento|afectuoso|fuerte] {saludo|abrazo} [cordial|atento|afectuoso]; [muchos|reciba mis|cordiales|atentos] {saludos|abrazos} [cordiales|atentos|afectuosos]
atentamente; atte; cordialmente; [muchas|mil] gracias [de antemano|por adelantado|y saludos|y un saludo]; besos
[i miei|con i] [più] {cordiali|distinti|migliori|cari} saluti; [un] [cordiale|caro] saluto; saluti; grazie [mille|in anticipo|e saluti|e cordiali saluti|ancora]; a presto; buona {giornata|serata}; cordialità
[com] [os] [melhores|meus|mais sinceros|respeitosos] cumprimentos; atenciosamente; att; [um|grande|um grande] {abraço|abraços}; [muito] {obrigado|obrigada} [desde já|pela atenção]; {grato|grata}; [cordiais] saudações; desde já agradeço
[met] {vriendelijke|hartelijke|beste|warme} groet[en|jes]; groet[en|jes]; mvg; m v g; [alvast] [hartelijk] bedankt; hoogachtend; dank {je|u} [wel] [alvast]; bij voorbaat dank; gr; vr gr
[serdecznie|gorąco] pozdrawiam [serdecznie]; pozdrowienia; z poważaniem; z wyrazami szacunku; łączę {wyrazy szacunku|pozdrowienia}; [z góry] dziękuję [z góry|bardzo]; dzięki; pozdr
[med] {vänlig|vänliga|bästa|varma|hjärtliga} hälsning[ar]; hälsning[ar]; hälsar; mvh; [stort|många] tack [på förhand|så mycket]; vänligen
[med] [de] {venlig|venligste|venlige|bedste|kærlig|kærligste|mange|beste|vennlig|vennligste|vennlige|hjertelig|hjertelige} hils{en|ener|ner}; hils{en|ner}; vh; kh; dbh; [mange|tusen|på forhånd] {tak|takk} [på forhånd|skal du ha]; {venligst|vennligst}
[ystävällisin|parhain|sydämellisin|lämpimin|iloisin] terveisin; terveiset; terkuin; ystävällisesti; yst terv; terv; t; kiitos [etukäteen|paljon]; kiittäen; kiitoksin
{s|se} [přátelským|srdečným] pozdravem [a přáním hezkého dne|a přáním pěkného dne]; s úctou; [předem] děkuji [předem|moc]; díky; zdraví[m]; hezký {den|zbytek dne}; mějte se; přeji {hezký|pěkný} den
с [глубоким|искренним] уважением; с наилучшими пожеланиями; с {благодарностью|приветом}; всего {доброго|хорошего|наилучшего}; [заранее] [большое] {спасибо|благодарю|благодарна|благодарен} [заранее]; до свидания; хорошего дня
[en derin|içten] saygılar[ımla|ımızla]; iyi {günler|çalışmalar|akşamlar} [dilerim]; [şimdiden|çok] teşekkür{ler|ler ederim| ederim}; sevgiler[imle]; selamlar; hoşça kalın; kolay gelsin
[何卒|どうぞ|以上|以上 ]{よろしく|宜しく}お願い{します|いたします|致します|申し上げます|いたしております|致しております}; よろしく; 敬具; 草々; 以上
此致; 敬礼; 敬禮; 此致 敬礼; 此致敬礼; 祝好; 谢谢; 謝謝; 多谢; 致礼
감사합니다; 고맙습니다; 감사드립니다; 수고하세요; 안녕히 계세요
[szívélyes|baráti] üdvözlettel; üdv; tisztelettel; köszönettel; [előre is] köszönöm [előre is|szépen]; szép napot; minden jót
cu {stimă|respect|drag|considerație|prietenie}; [vă] mulțumesc [anticipat]; [cele mai bune] salutări; toate cele bune; o zi bună
з {найкращими побажаннями|повагою|вдячністю}; [щиро] дякую [наперед]; щиро {ваш|ваша}; всього найкращого; гарного дня
με {εκτίμηση|τιμή|φιλικούς χαιρετισμούς|ευχαριστίες}; φιλικά; [σας] ευχαριστώ [πολύ|εκ των προτέρων]; χαιρετισμούς; χαιρετισμοί; φιλικούς χαιρετισμούς
"""
"""Words of parting. With more said in a line than these, the line is the author's."""

PLACE = frozenset({"aus", "von", "nach", "from", "de", "da", "från", "fra"})
"""What comes between a sign-off and a place."""

SECRET = (
    "confidenti",
    "confidencia",
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

TONE = frozenset(
    """
    amazing angry annoyed appalled awful bad broken cheated delighted disappointed disappointing disgusted dissatisfied
    dreadful excellent fantastic fed frustrated furious glad grateful happy hate horrible impressed livid lovely never
    not outraged perfect pleased poor rubbish sad satisfied shocked terrible thrilled tired unhappy unimpressed upset
    useless wonderful worst enttäuscht verärgert wütend zufrieden glücklich déçu déçue furieux furieuse content contente
    ravi ravie decepcionado decepcionada enfadado enfadada contento contenta deluso delusa arrabbiato teleurgesteld
    boos tevreden pésimo pésima horrible katastrophe schrecklich furchtbar unverschämt catastrophique catastrophe affreux scandaleux pessimo pessima disastro péssimo péssima vergonha verschrikkelijk okropne okropny fatalny bedrövligt hemskt forferdelig elendigt kamala hrozné ужасно ужасный кошмар отлично чудовий жахливо απαράδεκτο καλό rezalet berbat harika excelente fantastico perfetto ottimo wunderbar ausgezeichnet super toll schlecht servicio сервис disgrace disgraceful insult insulting joke scam smashed damaged disaster ruined
    """.split()  # noqa: SIM905 - a word a line would be a page
)
"""Words that nobody has in a name or a title: a line with one says something."""

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
(?:(?:confidentiality|legal|privacy|important|e-?mail) )?(?:notice|disclaimer|statement)s?\W{0,3}(?:\Z|:)
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
