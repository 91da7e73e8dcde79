"""The text of times, waits, sizes and references."""

import re
from datetime import timedelta

import pytest

from leadapp import accent, formatting


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=2, hours=4, minutes=50), "2 d 4 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(hours=18), "18 h"),
        (timedelta(minutes=30), "30 min"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_a_wait_reads_in_its_largest_units(length: timedelta, words: str) -> None:
    assert formatting.span(length) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (3, "3 bytes"),
        (122_880, "120 KB"),
        (1_258_291, "1.2 MB"),
        (5_242_880, "5 MB"),
    ],
)
def test_a_size_reads_as_people_say_it(size: int, words: str) -> None:
    assert formatting.filesize(size) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (11, "11th"),
        (22, "22nd"),
        (113, "113th"),
    ],
)
def test_ordinals(number: int, words: str) -> None:
    assert formatting.ordinal(number) == words


def test_an_address_is_masked() -> None:
    assert formatting.masked("ana.ruiz@example.com") == "a***@example.com"


def test_a_reference_has_no_characters_that_look_alike() -> None:
    references = {formatting.new_reference() for _ in range(200)}
    assert len(references) == 200
    assert all(
        re.fullmatch(r"LD-[2-9B-DF-HJKMNP-TV-Z]{4}-[2-9B-DF-HJKMNP-TV-Z]{4}", text)
        for text in references
    )


@pytest.mark.parametrize("typed", ["http://evil.example/now", "www.evil.example", "a@evil.example"])
def test_typed_text_never_becomes_a_link(typed: str) -> None:
    assert not re.search(r"\w[.:/@]+\w", formatting.unlinked(typed))
    assert formatting.unlinked(typed).replace("\u2060", "") == typed


@pytest.mark.parametrize(
    "name",
    [
        "Ana",
        "José",
        "Jose\u0301",
        "Mary-Jane",
        "O\u2019Neil",
        "D'Arcy",
        "María del Carmen",
        "李",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "अनिता",
        "Gal·la",
        "x" * 40,
    ],
)
def test_a_name_is_greeted(name: str) -> None:
    assert formatting.greeting(name) == f"Hello {name},"


@pytest.mark.parametrize(
    "name",
    [
        "x" * 41,
        "evil.example",
        "http://evil",
        "Call 555 0100",
        "Ana!",
        "<b>Ana</b>",
        "$$$",
        "-'-",
        "Ana\u2028Luz",
        "\u202eAna",
        "😀",
        "a@b",
        "You have won visit our site now",
    ],
)
def test_what_may_be_more_than_a_name_is_left_out(name: str) -> None:
    assert formatting.greeting(name) == "Hello,"


def test_contrast_is_the_standards() -> None:
    assert accent.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert accent.contrast("#1f4e5f", "#ffffff") == pytest.approx(9.1, abs=0.1)


@pytest.mark.parametrize("colour", ["#1f4e5f", "#000000", "#7a0000"])
def test_an_accent_can_be_read_on_dark_paper_too(colour: str) -> None:
    assert accent.contrast(accent.on_dark(colour), accent.DARK_PAPER) >= 4.5


@pytest.mark.parametrize("colour", ["teal", "#fff", "#ffff00", "#1f4e5f;}"])
def test_an_accent_that_cannot_be_read_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match=re.escape(colour)):
        accent.parse(colour)
