from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textsent.replies import MAX_LINE, MAX_LINES, own_words

REFERENCE = sorted((Path(__file__).parent / "data" / "own_words").glob("*.txt"))


@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.stem)
def test_the_words_of_the_author_are_found(path):
    body, expected = path.read_text("utf-8").split("%%%% own words\n")
    found = own_words(body) or body
    assert [line.strip() for line in found.splitlines() if line.strip()] == [
        line.strip() for line in expected.splitlines() if line.strip()
    ]


def test_the_reference_set_is_complete():
    assert len(REFERENCE) >= 120


ATTRIBUTION = "On Tue, 3 Feb 2026 at 09:14, Bob Hale <bob@example.com> wrote:"
LINES = [
    *("Hello Ann,", "the valve is loud and I am not amused.", "It is great!", "", "", " ", "\t"),
    *("Thanks for nothing.", "Thank you", "Kind regards", "Best,", "LG", "Ann", "Ann Smith", "-- ", "--", "-----"),
    *("+44 20 7946 0000", "Sent from my iPhone", "PS I mean it", "5 * 4 = 20", "www.example.com"),
    *("This e-mail is confidential and intended for its recipient only. If you are not, delete it.",),
    *("To unsubscribe, visit https://example.com/x", "Merci", "Danke", "Спасибо", "谢谢", "よろしくお願いします"),
]
QUOTES = [
    *(
        ATTRIBUTION,
        "Am Di., 3. Feb. 2026 um 09:14 Uhr schrieb Bob <bob@example.com>:",
        "wrote:",
        "> quoted",
        ">> q",
    ),
    *("From: Bob", "Sent: Tuesday", "To: Ann", "Subject: x", "-----Original Message-----", "| barred", "AS> q"),
    *("Begin forwarded message:", "________________________________", "##- Please type above this line -##"),
    *("On Tue, 3 Feb 2026 at 09:14", "Bob <bob@example.com>:", "x" * (MAX_LINE + 1), ">>> Bob 02/03/26 >>>", "\r"),
]
TEXTS = st.lists(st.sampled_from(LINES + QUOTES) | st.text(max_size=20), max_size=20).map("\n".join)
# What a quote is announced by ends with a colon.
UNQUOTED_LINES = st.sampled_from(LINES) | st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=">|:：-"), max_size=30
)
UNQUOTED = st.lists(UNQUOTED_LINES, max_size=15).map("\n".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.booleans(), st.booleans())
def test_the_result_is_lines_of_the_text_in_their_order(text, quotes, signatures):
    lines = iter(text.split("\n"))
    result = own_words(text, keep_quotes=quotes, keep_signatures=signatures)
    # Where a line feed was lost, the line has the author's words before those of the mail program.
    assert not result or all(
        any(line.strip().startswith(words.strip()) for line in lines) for words in result.split("\n")
    )


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_nothing_is_taken_off_where_all_is_to_be_kept(text):
    assert own_words(text, keep_quotes=True, keep_signatures=True) == text.strip()


@settings(max_examples=300, deadline=None)
@given(UNQUOTED, st.sampled_from(["", f"{ATTRIBUTION}\n"]))
def test_a_quote_below_changes_nothing(text, attribution):
    quoted = f"{text}\n\n{attribution}> So good.\n>\n>> Thanks,\n>> Bob\n"
    assert own_words(quoted) == own_words(text)


@settings(max_examples=200, deadline=None)
@given(UNQUOTED, st.sampled_from(["", f"{ATTRIBUTION}\n"]))
@example("So good.\n-- \nAnn", "")
@example("So good.\n\nBest\nAnn", f"{ATTRIBUTION}\n")
def test_a_quote_below_stays_where_quotes_are_to_be_kept(text, attribution):
    quoted = f"{text}\n\n{attribution}> So bad.\n> Really.\n"
    assert own_words(quoted, keep_quotes=True).endswith(f"{attribution}> So bad.\n> Really.")


@settings(max_examples=200, deadline=None)
@given(UNQUOTED)
def test_a_text_without_quotes_and_signatures_is_kept(text):
    assert own_words(text, keep_signatures=True) == text.strip()


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_signatures_alone_are_no_reason_to_leave_nothing(text):
    assert bool(own_words(text, keep_quotes=True)) == bool(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "Thank you, this is the best service I have had.",
        "Thanks for nothing.",
        "It broke.\n\nThanks for nothing",
        "It broke.\n\nThanks a lot for breaking it",
        "It broke.\n\nCheers, what a joke.",
        "It broke.\n\nBest of luck finding another customer.",
        "It works.\n\nThank you so very much, you saved my holiday.",
        "Best phone I ever owned!",
        "Best\nWorst",
        "Sincerely the worst hotel in town.",
        "Warm and friendly staff",
        "Regards to your chef, the soup was divine.",
        "Yours is better than the one I had.",
        "Thank you\nNice people",
        "Good.\n\nVery Happy",
        "Good.\n\nAbsolutely Disgusted",
        "Five stars? No stars!\n\nNever Again",
        "I love it\n\nThanks\nAnn\nNever again!",
        "Love it",
        "Hugs",
        "Great stuff\n\n- fast\n- clean\n- cheap",
        "Danke für nichts",
        "Vielen Dank, der beste Kundendienst, den ich je hatte!",
        "Merci pour rien",
        "Gracias por nada",
        "Grazie, siete fantastici",
        "Bedankt voor niks",
        "Tack för ingenting",
        "Спасибо ни за что",
        "谢谢你们的好服务",
        "Sent from heaven, this kettle is.",
        "Sent via a courier who was rude",
        "Sent from my phone, sorry for the typos, but I am furious",
        "Please consider the environment: your packaging is shameful.",
        "This message is confidential? You told everyone!",
        "Unsubscribe me, you are horrible.",
        "From what I saw:\nit is a scam",
        "From: nobody, To: nobody, that is how your invoice reads.",
        "Rating: 5\nService: great\nFood: 10",
        "I said:\nfix it.\nYou did. Great!",
        "On 3 March I wrote:\n\nthe pump is loud.\n\nNobody answered. Shame on you.",
        "On the box someone wrote: fragile. They threw it anyway.",
        "The original message was better.",
        "2 > 1 and 1 | 2, so good",
        "-----\nnot a signature\n-----\nso good",
    ],
)
def test_words_that_carry_a_tone_stay(text):
    assert own_words(text) == text


@pytest.mark.parametrize("name", ["Very disappointed", "A very disappointed customer", "Never Buying Again"])
def test_praise_or_blame_in_the_place_of_a_name_stays(name):
    assert name in own_words(f"It broke.\n\nRegards,\n{name}")


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAnn Smith\nHead of Hoses",
        "--\nAnn",
        "Ann",
        "Kind regards",
        "Kind regards,\nAnn Smith\nHead of Hoses\n+44 20 7946 0000",
        "Thanks\nAnn",
        "Mit freundlichen Grüßen\nAnn Schmidt",
        "Cordialement,\nAnne",
        "Un saludo\nAna",
        "Met vriendelijke groet,\nAnna",
        "С уважением,\nАнна",
        "敬具",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Get Outlook for Android",
        "____________\nhoses mailing list\nhoses@lists.example.com",
        "This e-mail and its attachments are confidential and intended solely for the addressee. "
        "If you are not the intended recipient, please delete it.",
        "Please consider the environment before printing this e-mail.",
        "Best,\nAnn\n\nSent from my iPhone\n\n-- \nThis message was scanned for viruses.",
    ],
)
def test_signatures_sign_offs_and_footers_are_taken_off(signature):
    assert own_words(f"The valve is loud.\n\n{signature}\n") == "The valve is loud."
    assert own_words(f"The valve is loud.\n\n{signature}\n", keep_signatures=True).endswith(signature.strip())


def test_a_postscript_below_a_signature_stays():
    assert own_words("Good soap.\n\nThanks\nAnn\n\nPS: it smells awful.") == "Good soap.\n\nPS: it smells awful."


@pytest.mark.parametrize("signature", ["Thanks", "Kind regards,\nAnn", "Sent from my iPhone", "-- \nAnn"])
def test_a_signature_that_is_all_there_is_stays(signature):
    assert own_words(signature) == signature


@pytest.mark.parametrize(
    "quote",
    [
        "> It is not.\n> Bob",
        f"{ATTRIBUTION}\n> It is not.",
        f"{ATTRIBUTION}\n\nIt is not.\n\nBob",
        "On Tue, 3 Feb 2026 at 09:14, Bob Hale\n<bob@example.com> wrote:\n> It is not.",
        "Am Di., 3. Feb. 2026 um 09:14 Uhr schrieb Bob <bob@example.com>:\n> Nein.",
        "Le mar. 3 févr. 2026 à 09:14, Bob <bob@example.com> a écrit :\n> Non.",
        "El mar, 3 feb 2026 a las 9:14, Bob (<bob@example.com>) escribió:\n> No.",
        "вт, 3 февр. 2026 г. в 09:14, Bob <bob@example.com>:\n> Нет.",
        "2026年2月3日(火) 9:14 Bob <bob@example.com>:\n> いいえ",
        "-----Original Message-----\nFrom: Bob\n\nIt is not.",
        "____________\nFrom: Bob <bob@example.com>\nSent: Tuesday\nTo: Ann\nSubject: Re: x\n\nIt is not.",
        "Von: Bob\nGesendet: Dienstag, 3. Februar 2026 09:14\nAn: Ann\nBetreff: AW: x\n\nNein.",
        "---------- Forwarded message ---------\nFrom: Bob\n\nNo.",
        "Begin forwarded message:\n\nFrom: Bob\n\nNo.",
        "##- Please type your reply above this line -##\n\nIt is not.",
        "AS> It is not.",
    ],
)
def test_what_is_quoted_is_taken_off(quote):
    assert own_words(f"The valve is loud.\n\n{quote}\n") == "The valve is loud."
    assert own_words(f"The valve is loud.\n\n{quote}\n", keep_quotes=True, keep_signatures=True).endswith(
        quote.strip()
    )


def test_words_between_and_below_quoted_lines_stay():
    text = f"{ATTRIBUTION}\n> Is it loud?\nYes.\n\n> Is it wet?\nNo, it is great.\n"
    assert own_words(text) == "Yes.\n\nNo, it is great."


def test_words_on_the_line_of_an_attribution_stay():
    assert own_words(f"It is loud. {ATTRIBUTION}\n> Is it?") == "It is loud."


@pytest.mark.parametrize("text", ["", " \n\t\n", "> all\n> quoted", f"{ATTRIBUTION}\n> quoted", ">" * 1000])
def test_nothing_is_left_of_what_is_all_quoted(text):
    assert own_words(text) == ""


def test_a_long_line_is_kept_unless_it_is_quoted():
    line = "So good. " * 100
    assert own_words(f"{line}\n> {line}\n") == line.strip()


def test_of_very_many_lines_only_the_quoted_ones_are_taken_off():
    text = "So good.\n> Is it?\n" * MAX_LINES + "-- \nAnn"
    assert own_words(text) == "So good.\n" * MAX_LINES + "-- \nAnn"


@pytest.mark.parametrize(
    "last",
    [
        "Notice the scratches on the lid. I'm very upset.",
        "Statements like these are insulting to your customers.",
        "I was confident that you would notify me by email, but nobody did. What awful service this is!",
        "The printer driver fails in our test environment. This is awful.",
        "Your newsletter is impossible to cancel. I am furious.",
        "The file was scanned by my antivirus software and it is clean.",
        "Please think about the planet: your packaging is a disgrace.",
        "To unsubscribe from your service I had to call five times.",
        "Sent by post and arrived badly damaged",
        "Sent on Monday, still waiting",
        "Thanks\nthe box arrived smashed",
        "Many thanks\nbut I want a refund",
        "Livid.",
        "Enttäuscht.",
        "Disaster.",
        "My trip:\nFrom: London\nTo: Paris\nDate: 3 May\nThe seats were awful.",
        "Respond to the above, the line is dead\nand I am cross.",
    ],
)
def test_a_complaint_that_looks_like_a_footer_stays(last):
    assert own_words(f"Hello,\n\n{last}") == f"Hello,\n\n{last}"
