"""Rules for names, e-mail addresses, usernames and passwords."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadapp import normalize, validation
from leadapp.errors import Refused
from leadapp.formatting import read_reference


def refusal(rule: Callable[[str | None], str], text: str | None) -> str:
    with pytest.raises(Refused) as caught:
        rule(text)
    return caught.value.args[0].code.key


def full_width(text: str) -> str:
    """Convert ASCII to the full-width characters that East Asian keyboards produce."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ana", "Ana"),
        ("  José\u200b ", "José"),
        ("Jose\u0301", "José"),
        ("O'Brien-Ñandú", "O'Brien-Ñandú"),
        ("李", "李"),
        ("نور", "نور"),
        ("x" * 100, "x" * 100),
        ("\u3000\u200b\u3000Li\ufeff\n\x0b\u200c", "Li"),
    ],
)
def test_a_name_is_trimmed_and_composed(typed: str, kept: str) -> None:
    assert validation.first_name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [None, "", "  ", "\u200b\ufeff", "\u3000\u200b\u3000", "\u200e\u00ad\u202e\u2800\u3164"],
)
def test_a_name_is_asked_for(typed: str | None) -> None:
    assert refusal(validation.last_name, typed) == "last_name_missing"


def test_a_name_ends_at_a_hundred_characters() -> None:
    assert refusal(validation.first_name, "x" * 101) == "first_name_too_long"


@pytest.mark.parametrize("character", ["\0", "\r\n", "\x1b", "\x85", "\u2028", "\u2029", "\ud800"])
def test_a_name_holds_no_control(character: str) -> None:
    assert refusal(validation.first_name, f"An{character}a") == "first_name_characters"


@given(st.text(max_size=150))
def test_a_name_that_is_kept_is_kept_again(typed: str) -> None:
    try:
        name = validation.first_name(typed)
    except Refused:
        return
    assert validation.first_name(name) == name
    assert 1 <= len(name) <= validation.NAME_MAX


@pytest.mark.parametrize(
    "typed", ["a" + " " * 400_000 + "a", "\u0301\u0316" * 200_000, "a" * 400_000]
)
def test_what_is_far_too_long_is_refused_at_once(typed: str) -> None:
    before = time.process_time()
    assert refusal(validation.first_name, typed) == "first_name_too_long"
    assert refusal(validation.email, typed) == "email_too_long"
    assert refusal(validation.search, typed) == "query_too_long"
    assert len(normalize.email_key(validation.sign_in_name(typed))) <= validation.EMAIL_MAX
    assert time.process_time() - before < 0.5


def test_an_email_is_kept_as_typed_and_known_by_its_normal_form() -> None:
    assert validation.email(" Ana.Ruiz@Example.COM ") == "Ana.Ruiz@Example.COM"
    assert normalize.email_key("Ana.Ruiz@Example.COM") == normalize.email_key(
        "ana.ruiz@example.com"
    )


@pytest.mark.parametrize(
    "typed",
    [
        "ana",
        "ana@",
        "@example.com",
        "a@localhost",
        "a b@example.com",
        "Ana <a@example.com>",
        "a@example.com\nBcc: b@x.org",
    ],
)
def test_an_email_has_its_form(typed: str) -> None:
    assert refusal(validation.email, typed) == "email_format"


@pytest.mark.parametrize(
    "typed",
    [
        "a.b+c@example.\u2060com",
        "a.\u200bb\u00ad+c@exam\u202eple.com\ufeff",
        "\u202aa.b+c@example.com\u202c",
        "a.b+c\ufe0f@example\U000e0020.com",
        "mailto:a.b+c@example.com",
        " MailTo: a.b+c@example.com",
        "\u200bmailto:a.b+c@example.com",
        full_width("a.b+c@example.com") + "\u3000",
        full_width("mailto:") + "a.b+c@example\u3002com",
    ],
)
def test_an_email_is_cleaned_of_what_copying_and_keyboards_bring(typed: str) -> None:
    assert validation.email(typed) == "a.b+c@example.com"


@pytest.mark.parametrize("typed", ["mailto:", "\u200b\u2060", "\u3000"])
def test_an_email_with_nothing_left_is_missing(typed: str) -> None:
    assert refusal(validation.email, typed) == "email_missing"


@pytest.mark.parametrize(
    ("key", "mailbox"),
    [
        ("ana@example.com", "ana@example.com"),
        ("ana+cv@example.com", "ana@example.com"),
        ("ana+cv+2@example.com", "ana@example.com"),
        ("+cv@example.com", "+cv@example.com"),
    ],
)
def test_a_mailbox_has_no_tag(key: str, mailbox: str) -> None:
    assert validation.mailbox(key) == mailbox


def test_an_email_is_asked_for_and_ends_at_254() -> None:
    assert refusal(validation.email, " ") == "email_missing"
    assert refusal(validation.email, "a" * 250 + "@example.com") == "email_too_long"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "password_missing"),
        ("Short7a", "password_length"),
        ("Aa1" + "é" * 35, "password_length"),
        ("alllowercase1", "password_characters"),
        ("NoDigitsHere", "password_characters"),
        ("Password1", "password_common"),
    ],
)
def test_a_weak_password_is_refused(typed: str, code: str) -> None:
    assert refusal(validation.password, typed) == code


def test_a_password_may_take_72_bytes() -> None:
    assert validation.password("Aa1" + "x" * 69)


@pytest.mark.parametrize("typed", ["ab", "x" * 51, "ana ruiz", "ana@firm", "añá"])
def test_a_username_has_its_form(typed: str) -> None:
    assert refusal(validation.username, typed) == "username_format"


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("José ÁLVAREZ", "jose alvarez"),
        ("Łukasz Øst", "lukasz ost"),
        ("Đặng Ǿrsted", "dang orsted"),
        ("ÆŒþ ðI\u0131İ Weiß", "aeoeth diii weiss"),
        ("李 明", "李 明"),
    ],
)
def test_folding_forgets_case_and_accents(typed: str, folded: str) -> None:
    assert normalize.fold(typed) == folded


def test_what_is_searched_for_is_cleaned_and_has_an_end() -> None:
    assert validation.search(" jo\0sé ") == "josé"
    assert validation.search("Ana\tRuiz\r\n") == "Ana Ruiz"
    assert refusal(validation.search, "x" * 101) == "query_too_long"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("Conan", "O'Brien-Núñez", ["conan", "obriennunez", "briennunez", "nunez"]),
        ("Jean  Claude", "van Dijk", ["jeanclaude", "claude", "vandijk", "dijk"]),
        ("小明", "王", ["王小明", "小明王"]),
        ("Ana", "Ana-Maria", ["anamaria", "maria"]),
        ("-", "★", ["-", "★"]),
    ],
)
def test_a_lead_has_a_word_for_each_part_of_its_name(
    first: str, last: str, expected: list[str]
) -> None:
    found = normalize.lead_words(first, last, "ana@example.com")
    assert found == [*expected, "@example.com"]


def test_a_word_has_an_end() -> None:
    longest = normalize.WORD_MAX
    # Folding makes three letters of this one.
    [word, _] = normalize.lead_words("\ufb03" * 40, "", "a@b.example")
    assert len(word) == longest
    assert normalize.query_words("x" * 200) == ["x" * longest]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("jsbhm2tz", "LD-JSBH-M2TZ"),
        ("ld jsbh m2tz", "LD-JSBH-M2TZ"),
        ("LD\u2010JSBH\u2011M2", "LD-JSBH-M2"),
        ("\uff2c\uff24JSBH", "LD-JSBH"),
        ("JSBH", "LD-JSBH"),
        ("ld", "LD-"),
        ("LD-7", "LD-7"),
        ("Ng", None),
        ("Ana", None),
        ("LD-1000", None),
        ("jsbhm2tzz", None),
        ("", None),
    ],
)
def test_a_reference_is_read_as_people_type_it(typed: str, stored: str | None) -> None:
    assert read_reference(typed) == stored
