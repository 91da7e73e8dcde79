"""Accept the maximum length, and refuse one character more."""

import pytest

from leadapp import validation
from leadapp.errors import Refused

# 64 characters before the @ (RFC 5321, 4.5.3.1.1), and labels of at most 63 after it.
LONGEST = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.net"


def test_an_e_mail_address_has_at_most_254_characters() -> None:
    assert len(LONGEST) == 254
    assert validation.email(LONGEST) == LONGEST
    with pytest.raises(Refused, match="254 characters or fewer"):
        validation.email(LONGEST.replace("d.net", "dd.net"))


@pytest.mark.parametrize(("length", "fits"), [(100, True), (101, False)])
def test_a_name_has_at_most_100_characters(length: int, fits: bool) -> None:
    if fits:
        assert validation.first_name("é" * length) == "é" * length
        return
    with pytest.raises(Refused, match="100 characters or fewer"):
        validation.first_name("é" * length)
