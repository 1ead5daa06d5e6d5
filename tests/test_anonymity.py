import pytest

from textsent.anonymity import Names
from textsent.describe import TellingWord


@pytest.fixture
def names():
    names = Names(hides=True)
    names.learn("Marta Keller <marta.keller@firm.example>")
    names.learn("Support <info@shop.example>")
    names.learn("Ada <ada@post.lamps.at>, Bo <bo@lamps.is>")
    return names


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Dear Marta, thanks", "Dear [name], thanks"),
        ("the market of marta", "the market of marta"),
        ("Keller's lamp", "[name]'s lamp"),
        ("write to a.b+c@d-e.example.org now", "write to [address] now"),
        ("see https://x.example/y?z=1 and www.w.example", "see [link] and [link]"),
        ("call +49 (170) 123-4567 or 112", "call [number] or 112"),
        ("Support was kind", "Support was kind"),
        ("ask @marta.k, or @marta@social.example!", "ask [handle], or [address]!"),
        ("root@server said: at 5 @ the shop", "[handle] said: at 5 @ the shop"),
        ("on firm.example, FIRM.example/x?y or a-b.co.uk.", "on [domain], [domain] or [domain]."),
        ("see lamps.is, post.lamps.at and my.lamps.is", "see [domain], [domain] and [domain]"),
        ("late.we waited, e.g. 2.4.0 or 3.50, at.is", "late.we waited, e.g. 2.4.0 or 3.50, at.is"),
        ("MARTA and Bo wrote to Ada", "[name] and Bo wrote to [name]"),
        ("", ""),
        ("@" * 100_000, "@" * 100_000),
        ("1-" * 3, "1-" * 3),
    ],
)
def test_addresses_links_long_numbers_and_senders_names_are_replaced(names, text, hidden):
    assert names.text(text) == hidden


def test_a_person_has_one_number_whatever_the_spelling_and_another_one_another(names):
    one = names.person("Marta <Marta.Keller@firm.example>")
    assert one == names.person("marta.keller@FIRM.example") == names.value("marta.keller@firm.example")
    assert names.person("x@firm.example") != one
    assert names.value("firm.example").startswith("group ")
    assert names.person("") == ""


def test_words_that_are_names_or_numbers_are_left_out(names):
    words = [TellingWord(word, 1.0, 1, 0) for word in ("marta", "lamp", "firm", "12345678", "l'amp")]
    assert [word.word for word in names.words(words)] == ["lamp"]


def test_where_nothing_is_to_be_hidden_all_stays():
    names = Names(hides=False)
    names.learn("Marta <m@firm.example>")
    words = [TellingWord("marta", 1.0, 1, 0)]
    assert names.text("Marta m@firm.example") == "Marta m@firm.example"
    assert names.person("Marta <m@firm.example>") == "Marta <m@firm.example>"
    assert names.value("firm.example") == "firm.example"
    assert names.words(words) == tuple(words)
