import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent.html import DIVIDER, has_images, html_to_text


def words(html, **options):
    return html_to_text(html, **options).split()


def own(html):
    return " ".join(words(html, keep_quotes=False, keep_signatures=False))


PIECES = st.sampled_from(
    [
        *("<div>", "</div>", "<p", "<p>", "<blockquote>", "</blockquote>", "<div class=gmail_quote>", "<title>"),
        *("<style>", "</style>", "<script>", "<!--", "-->", "<![CDATA[", "]]>", "<plaintext>", "<template>"),
        *("<div style=display:none>", "<div id=divRplyFwdMsg>", "<svg>", "<math>", "<table>", "<td>", "<select>"),
        *("border-top:solid #E1E1E1 1.0pt", "&amp", "&#0;", "&#xd800;", "&#x110000;", "\0", "\r\n", "text", "é"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.lists(PIECES, max_size=15).map("".join), st.booleans(), st.booleans())
def test_any_html_becomes_text(html, quotes, signatures):
    html_to_text(html, keep_quotes=quotes, keep_signatures=signatures).encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1)))
def test_paragraphs_are_kept_whole_and_apart(paragraphs):
    assert words("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)) == paragraphs


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("un<i>happy</i>", "unhappy"),
        ("you &amp; me &lt;3 &eacute;", "you & me <3 é"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<b>never <u>closed", "never closed"),
        ("a\nb", "a b"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<a href="https://example.com/x">here</a>', "here"),
        ("", ""),
        ("plain", "plain"),
    ],
)
def test_html_says_what_its_reader_sees(html, text):
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "unseen",
    [
        "<style>p { color: red }</style>",
        "<script>bad()</script>",
        "<title>bad</title>",
        "<!-- bad -->",
        '<img src="https://example.com/bad.gif" alt="bad" width=1 height=1>',
        "<template>bad</template>",
        "<div hidden>bad</div>",
        '<div style="display:none">bad</div>',
        '<div style="font-size:1px; DISPLAY: NONE !important; color:#fff">bad</div>',
        '<span style="mso-hide:all">bad</span>',
        '<p style="visibility:hidden">bad</p>',
    ],
)
def test_what_no_reader_sees_is_left_out(unseen):
    assert words(f"<body>{unseen}<p>So good.") == ["So", "good."]


QUOTES = {
    "blockquote": "<blockquote>theirs</blockquote>",
    "Apple": '<blockquote type="cite"><div>On Tue, Bob wrote:<br>theirs</div></blockquote>',
    "Gmail": '<div class="gmail_quote"><div class="gmail_attr">On Tue, Bob wrote:</div>theirs</div>',
    "Gmail, new": '<div class="gmail_quote gmail_quote_container">theirs</div>',
    "Thunderbird": '<div class="moz-cite-prefix">On Tue, Bob wrote:</div><blockquote>theirs</blockquote>',
    "Thunderbird, forwarded": '<div class="moz-forward-container">theirs</div>',
    "Yahoo": '<div class="yahoo_quoted" id="yahoo_quoted_1">theirs</div>',
    "Proton": '<div class="protonmail_quote">theirs</div>',
    "Outlook on iOS": '<div id="mail-editor-reference-message-container">theirs</div>',
}


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
def test_what_a_program_marks_as_quoted_is_left_out(quote):
    html = f"<p>mine</p>{quote}<p>also mine</p>"
    assert own(html) == "mine also mine"
    assert "theirs" in words(html)


@pytest.mark.parametrize(
    "divider",
    [
        '<hr id="stopSpelling">',
        '<div id="divRplyFwdMsg">',
        "<div id=appendonsend></div>",
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">',
        "<div style='border:none;border-top:solid #B5C4DF 1.0pt'>",
    ],
)
def test_a_divider_of_outlook_becomes_a_line_where_quotes_are_to_go(divider):
    html = f'<p>mine</p>{divider}<p><b>From:</b> Bob<div id="appendonsend"></div><p>theirs'
    assert html_to_text(html, keep_quotes=False).startswith(f"mine\n\n{DIVIDER}\n\n")
    assert DIVIDER not in html_to_text(html)


@pytest.mark.parametrize(
    "signature",
    [
        '<div class="gmail_signature" data-smartmail="gmail_signature">Ann</div>',
        '<pre class="moz-signature">-- \nAnn</pre>',
        '<div id="Signature">Ann</div>',
        '<div id="ms-outlook-mobile-signature">Get Outlook for iOS</div>',
        '<div id="AppleMailSignature">Ann</div>',
    ],
)
def test_what_a_program_marks_as_a_signature_is_left_out(signature):
    html = f"<p>mine</p>{signature}"
    assert own(html) == "mine"
    assert len(words(html)) > 1


@pytest.mark.parametrize(
    "html",
    [
        "<p>The word blockquote, gmail_quote and display:none in a text.</p>",
        "<p>My signature move</p>",
        "<p title='hidden'>so good</p>",
    ],
)
def test_words_about_marks_are_no_marks(html):
    assert own(html) == " ".join(words(html))
    assert own(html)


@pytest.mark.parametrize("tag", ["div", "b", "blockquote", "table><tr><td", "span"])
def test_text_within_thousands_of_tags_is_kept(tag):
    assert words(f"<{tag}>" * 5000 + "deep") == ["deep"]
    assert words(f"<{tag}>" * 50_000 + "deep &amp; wide") == ["deep", "&", "wide"]


def test_text_beside_a_tag_of_a_thousand_attributes_is_kept():
    assert words("<p>one<p " + "a=b " * 50_000 + ">two") == ["one", "two"]


@pytest.mark.parametrize(
    ("html", "shows"),
    [("<img src=x>", True), ("<IMG\nsrc=x>", True), ("<v:imagedata src=x>", True), ("<p>img", False), ("", False)],
)
def test_a_page_may_show_images(html, shows):
    assert has_images(html) == shows
