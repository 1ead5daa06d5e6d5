"""Sentences made from the words of lexicons, about what mails, tickets and reviews are about.

A film review seldom says that a parcel is late or that an agent was kind. These sentences do, with a known tone:
what is said of a thing by a word whose tone lexicons know, and what negation, contrast, time, doubt and questions
make of it. The kinds are those that Ribeiro et al. test a model's behaviour by ("Beyond Accuracy: Behavioral
Testing of NLP Models with CheckList", 2020); all wording is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_Floats = np.ndarray[Any, np.dtype[np.float32]]


def _words(text: str) -> tuple[str, ...]:
    """Return what stands between commas."""
    return tuple(" ".join(words.split()) for words in text.split(","))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.strip().splitlines())


THINGS = _words("""
account, address book, agent, airline, airport lounge, album, alarm, api, app, appointment, backup, bank,
battery, bed, bike, bill, blender, book, booking, boots, box, bread, breakfast, browser, build, burger, bus,
button, cable, cafe, calendar, camera, card, case, chair, charger, chat, checkout, class, cleaning, clinic,
code, coffee, colour, company, computer, concert, connection, contract, course, courier, crew, customer service,
dashboard, deal, delivery, design, desk, dessert, developer, dinner, dish, doctor, documentation, download,
dress, driver, editor, email, engine, event, exhibition, fabric, feature, fee, film, flat, flight, food, form,
fridge, game, garden, gate, gift, guide, handle, headphones, help desk, hotel, installation, insurance,
interface, internet, invoice, jacket, job, journey, keyboard, kitchen, lamp, laptop, layout, lesson, letter,
library, light, line, lock, login, luggage, lunch, magazine, manager, manual, mattress, meal, meeting, menu,
message, mobile, monitor, museum, music, nurse, office, offer, oil, order, packaging, page, paint, parcel, park,
parking, part, patch, payment, phone, photo, pizza, plan, plane, platform, playlist, policy, pool, portal,
price, printer, process, product, program, project, quality, radio, receipt, reception, refund, release,
rental car, repair, reply, report, reservation, restaurant, return, ride, room, router, salad, sauce, school,
screen, script, search, seat, seller, server, service, setup, shampoo, shipping, shirt, shoes, shop, show,
shower, sign up page, site, size, soap, software, sound, soup, speaker, staff, station, steak, store,
subscription, suitcase, support, support team, sync, system, table, tablet, taste, taxi, teacher, team,
technician, tent, test suite, ticket, tool, tour, towel, toy, train, training, transfer, trip, tutorial, update,
upgrade, vacuum, venue, version, video, view, waiter, waitress, warranty, washing machine, watch, water,
weather, website, wifi, window, wine, workshop, zip
""")
"""What is spoken of: none of it has a tone."""

_PEOPLE = _words(
    "we, they, my wife, my husband, my sister, our team, my friends, the kids, my parents, everyone here"
)
_NAMES = _words("""
Ada, Amir, Ana, Ben, Bo, Carla, Chidi, Dana, Deepa, Eli, Emeka, Farah, Finn, Grace, Hana, Ivo, Jun, Kofi, Lena,
Luis, Maya, Mei, Nadia, Noor, Olga, Omar, Priya, Rosa, Sami, Sven, Tariq, Uma, Vera, Wei, Yara, Zoe
""")
_PLACES = _words(
    "Oslo, Lagos, Lima, Leeds, Turin, Osaka, Cairo, Denver, Cork, Pune, Quito, Tampa, Perth, Accra, Seoul, Lyon"
)
_DAYS = _words(
    "monday, tuesday, wednesday, thursday, friday, saturday, sunday, yesterday, last week, in march, in june"
)
_STRONG = _words("very, really, so, extremely, absolutely, truly, incredibly, just")
_WEAK = _words("a bit, slightly, somewhat, a little, kind of, rather")

_PLEASED = _lines("""
thanks for the quick help
it works again, thank you
my problem was solved within an hour
you saved my day
the replacement came the next day
i got my money back at once, thanks
keep up the good work
exactly what i needed
it does what it says
no complaints at all
worth every cent
i will be back
i would buy it again
i recommend it to everyone
works like a charm
set up in five minutes
could not be happier
exceeded my expectations
five stars from me
everything arrived on time and in one piece
they went out of their way for us
the fix works, closing this
thumbs up
well done
i can't stop using it
made my week
you have a customer for life
better than i hoped for
it just works
nothing to complain about
i was back online in no time
hats off to your team
somebody picked up at once and sorted it out
best decision we made this year
got an upgrade for free
runs faster since the update
they refunded me without asking
my kids can't get enough of it
still going strong after two years
this saves me hours every week
glad i switched
much appreciated
cheers, that did it
love it
""")
"""What customers write who are pleased."""

_ANGRY = _lines("""
i am still waiting for my refund
nobody answers my mails
it stopped working after two days
this is the third time i write to you
i want my money back
you charged me twice
cancel my account at once
never again
it does not work
what a waste of money
the parcel never arrived
i was on hold for an hour
it crashes every time i open it
you lost my luggage
half of the order was missing
it broke on the first day
i will never buy from you again
stay away
do not buy this
nobody told us anything
the box came damaged
i had to ask four times
my flight was cancelled and nobody cared
you should be ashamed
this is unacceptable
i am done with you
the update deleted my files
it keeps logging me out
they refused to refund me
two weeks and still no reply
it is a rip off
i want to speak to a manager
the crew ignored us
we waited two hours for cold food
there was a hair in my soup
the room had not been cleaned
it fell apart
it drains the battery in an hour
this bug has been open for a year
your last release broke everything
i feel cheated
false advertising
zero stars if i could
you have lost a customer
i am switching to someone else
it has been broken for weeks
i was promised a call that never came
not what i ordered
wrong size again
what were they thinking
sent it straight back
i regret buying it
save your money
fix this mess
""")
"""What customers write who aren't."""

_PLAIN = _lines("""
my order number is {n}
i am writing about the {t}
could you tell me where the {t} is
we ordered the {t} {d}
how do i change the {t}
is there a {t} {d}
the {t} has {m} parts
please send me the invoice for the {t}
i would like to know when the {t} opens
can i move the {t} to {d}
the {t} was made in {p}
i live in {p}
we moved to {p} {d}
please find the form attached
what does the {t} cost
does the {t} come in blue
the meeting is at {m} o'clock
here are the details of the {t}
i have a question about the {t}
my colleague {a} will call you {d}
which {t} do i need
the {t} is on the left
we have {m} of them
i changed the {t} {d}
this is the {t}
it is a {t} from {p}
the {t} leaves at {m}
we looked at the {t} {d}
the report is from {p}
let me know which {t} you mean
the {t} and the {u} are in the box
please update the address on my account
i need a copy of the {t}
who is in charge of the {t}
{a} works in {p}
i found the {t} on page {m}
i think the {t} is {m} years old
the form asks for the {t}
the second {t} is for {a}
there are {m} people in the {t}
i will pick up the {t} {d}
see the {t} below
we use the {t} at work
you can reach me {d}
the {t} is next to the {u}
i am in {p} until {d}
""")
"""What is said without any tone, of things {t} and {u}, a day {d}, a place {p}, a name {a}, numbers {m} and {n}."""

_GREETINGS = _lines("""
hi
hello
dear team
good morning
to whom it may concern
hey there
hi {a}
dear {a}
""")
_CLOSINGS = _lines("""
regards, {a}
best, {a}
{a}
kind regards, {a}, {p}
sent from my phone
yours, {a}
""")


@dataclass(frozen=True)
class Words:
    """Words whose tone is known, by how they are used.

    Attributes:
        good: Adjectives of a good tone.
        bad: Adjectives of a bad tone.
        like: Verbs that say that one likes something, as they stand after `I`.
        dislike: Verbs that say the opposite.
    """

    good: Sequence[str]
    bad: Sequence[str]
    like: Sequence[str]
    dislike: Sequence[str]


def made_sentences(words: Words, number: int, seed: int) -> tuple[list[str], _Floats]:
    """Return sentences and the probability that each is positive.

    Args:
        words: What they are made of; none of its fields is empty.
        number: Of sentences.
        seed: Of the choice.

    Returns:
        The sentences, and float32, shape (number,), 0 … 1: 0.5 has no tone.
    """
    maker = _Maker(words, np.random.default_rng([seed, 7]))
    made = [maker.text() for _ in range(number)]
    return [text for text, _ in made], np.array([target for _, target in made], np.float32)


class _Maker:
    """Makes texts, one after the other."""

    def __init__(self, words: Words, random: np.random.Generator) -> None:
        self._words = words
        self._random = random
        self._kinds: list[tuple[float, Callable[[], tuple[str, float]]]] = [
            (0.20, self._plainly),
            (0.14, self._negated),
            (0.08, self._in_degrees),
            (0.10, self._in_contrast),
            (0.08, self._then_and_now),
            (0.05, self._others_say),
            (0.06, self._asked),
            (0.14, self._customer),
            (0.15, self._without_tone),
        ]
        shares = np.array([share for share, _ in self._kinds])
        self._shares = np.cumsum(shares / shares.sum())

    def text(self) -> tuple[str, float]:
        """Return a sentence, in a letter now and then, and its target."""
        made, target = self._kinds[int(np.searchsorted(self._shares, self._random.random()))][1]()
        if self._happens(0.2):
            around = self._filled(self._one(_PLAIN))
            made = f"{around}. {made}" if self._happens(0.5) else f"{made}. {around}"
        if self._happens(0.1):
            made = f"{self._filled(self._one(_GREETINGS))}, {made}. {self._filled(self._one(_CLOSINGS))}"
        return made, target

    def _happens(self, share: float) -> bool:
        return bool(self._random.random() < share)

    def _one(self, choices: Sequence[str]) -> str:
        return choices[int(self._random.integers(len(choices)))]

    def _thing(self) -> str:
        return self._one(THINGS)

    def _the_thing(self) -> str:
        return f"{self._one(('the', 'this', 'your', 'our', 'my', 'that'))} {self._thing()}"

    def _tone(self, good: bool) -> str:
        return self._one(self._words.good if good else self._words.bad)

    def _feeling(self, good: bool) -> str:
        return self._one(self._words.like if good else self._words.dislike)

    def _filled(self, pattern: str) -> str:
        return pattern.format(
            n=self._random.integers(1000, 99999),
            m=self._random.integers(2, 60),
            t=self._thing(),
            u=self._thing(),
            d=self._one(_DAYS),
            p=self._one(_PLACES),
            a=self._one(_NAMES),
        )

    def _plainly(self) -> tuple[str, float]:
        good = self._happens(0.5)
        tone, thing, the_thing = self._tone(good), self._thing(), self._the_thing()
        was = self._one(("is", "was", "seems", "looks", "has been"))
        said = self._one(
            (
                f"{the_thing} {was} {tone}",
                f"{tone} {thing}",
                f"what a {tone} {thing}",
                f"this is a {tone} {thing}",
                f"i found {the_thing} {tone}",
                f"such a {tone} {thing}",
                tone,
                f"all in all a {tone} {thing}",
                f"we had a {tone} time with {the_thing}",
                f"{tone} {thing}, {self._tone(good)} {self._thing()}",
                f"{the_thing} {was} {tone} and {self._tone(good)}",
                f"you guys are {tone}",
                f"the people behind {the_thing} are {tone}",
                f"i {self._feeling(good)} {the_thing}",
                f"i {self._feeling(good)} it",
                f"i really {self._feeling(good)} {the_thing}",
                f"we {self._feeling(good)} {the_thing}",
            )
        )
        return said, 0.96 if good else 0.04

    def _negated(self) -> tuple[str, float]:
        good = self._happens(0.6)
        tone, the_thing, like = self._tone(good), self._the_thing(), self._feeling(good)
        between = self._one(("", "", "given all that happened, ", "after a week with it, ", "to be honest, "))
        said = self._one(
            (
                f"{the_thing} is not {tone}",
                f"{the_thing} isn't {tone}",
                f"{the_thing} was not {tone} at all",
                f"{the_thing} wasn't {self._one(_STRONG)} {tone}",
                f"{between}i don't think {the_thing} is {tone}",
                f"i wouldn't call {the_thing} {tone}",
                f"i can't say that {between}{the_thing} was {tone}",
                f"{the_thing} was anything but {tone}",
                f"{the_thing} was never {tone}",
                f"there is nothing {tone} about {the_thing}",
                f"not a {tone} {self._thing()}",
                f"nobody i know thinks {the_thing} is {tone}",
                f"{the_thing} is hardly {tone}",
                f"{the_thing} is far from {tone}",
                f"no, {the_thing} isn't {tone}",
                f"i never {like} {the_thing}",
                f"i can't say i {like} {the_thing}",
                f"i expected {the_thing} to be {tone} and it was not",
            )
        )
        return said, 0.06 if good else 0.74

    def _in_degrees(self) -> tuple[str, float]:
        good, strong = self._happens(0.5), self._happens(0.5)
        the_thing, tone = self._the_thing(), self._tone(good)
        said = f"{the_thing} is {self._one(_STRONG if strong else _WEAK)} {tone}"
        if self._happens(0.2):
            return f"{the_thing} is too {self._tone(False)}", 0.05
        return said, (0.98 if strong else 0.78) if good else (0.02 if strong else 0.22)

    def _in_contrast(self) -> tuple[str, float]:
        good = self._happens(0.5)
        one, other = self._the_thing(), self._the_thing()
        first, last = self._tone(not good), self._tone(good)
        said = self._one(
            (
                f"{one} was {first}, but {other} was {last}",
                f"{one} is {first} but all in all i {self._feeling(good)} it",
                f"although {one} was {first}, {other} was {last}",
                f"{one} may be {first}. still, i {self._feeling(good)} it",
                f"{other} was {last}, even though {one} was {first}",
                f"{one} was {first} at first, however it turned out {last}",
                f"{one} sounded {first} on paper and turned out {last}",
                f"much {'better' if good else 'worse'} than the old {self._thing()}",
                f"{one} is {'better' if good else 'worse'} than before",
                f"{one} is {'not as bad as' if good else 'not as good as'} i thought",
                f"{'nothing beats' if good else 'anything beats'} {one}",
            )
        )
        return said, 0.84 if good else 0.12

    def _then_and_now(self) -> tuple[str, float]:
        good = self._happens(0.5)
        the_thing = self._the_thing()
        before, now = self._tone(not good), self._tone(good)
        said = self._one(
            (
                f"{the_thing} used to be {before}, now it is {now}",
                f"once upon a time i called {the_thing} {before}, these days i call it {now}",
                f"last year {the_thing} was {before}. this year it is {now}",
                f"{the_thing} is {now}, it was {before} before",
                f"{the_thing} was {before} in the past but is {now} today",
                f"since the update {the_thing} is {now}, before it was {before}",
                f"at first i {self._feeling(not good)} {the_thing}, but now i {self._feeling(good)} it",
            )
        )
        return said, 0.88 if good else 0.1

    def _others_say(self) -> tuple[str, float]:
        good = self._happens(0.5)
        the_thing, person = self._the_thing(), self._one(_PEOPLE)
        others, mine = self._tone(not good), self._tone(good)
        said = self._one(
            (
                f"the reviews call {the_thing} {others}, in my eyes it is {mine}",
                f"{person} said {the_thing} was {others}. i think it is {mine}",
                f"i think {the_thing} is {mine}, whatever {person} say",
                f"people call {the_thing} {others}, i call it {mine}",
                f"i {self._feeling(good)} {the_thing}, though others {self._feeling(not good)} it",
            )
        )
        return said, 0.88 if good else 0.12

    def _asked(self) -> tuple[str, float]:
        good, yes = self._happens(0.5), self._happens(0.5)
        the_thing = self._the_thing()
        asked = self._one(
            (
                f"would i call {the_thing} {self._tone(good)}?",
                f"is {the_thing} {self._tone(good)}?",
                f"was it {self._tone(good)}?",
                f"so, did {the_thing} turn out {self._tone(good)}?",
            )
        )
        answer = self._one(
            ("yes", "yes, by all means", "absolutely", "of course") if yes else ("no", "not at all", "nope")
        )
        return f"{asked} {answer}", (0.93 if good else 0.06) if yes else (0.06 if good else 0.72)

    def _customer(self) -> tuple[str, float]:
        good = self._happens(0.45)
        said = self._one(_PLEASED if good else _ANGRY)
        if self._happens(0.25):
            said = f"{said}. {self._one(_PLEASED if good else _ANGRY)}"
        elif self._happens(0.25):
            said = f"{said}, {self._the_thing()} is {self._tone(good)}"
        return said, 0.95 if good else 0.05

    def _without_tone(self) -> tuple[str, float]:
        if self._happens(0.15):
            return self._thing(), 0.5
        return self._filled(self._one(_PLAIN)), 0.5
