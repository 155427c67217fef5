"""Payment card numbers in text: issuer, length and check digit, and the words they keep company."""

from __future__ import annotations

import re

#: Undivided, 4-4-4-4, or 4-6-5 with one kind of separator. What stands around it is looked at
#: afterwards: an expression that starts with digits is searched for twice as fast.
_NUMBER = re.compile(
    r"\d{4}(?:\d{10,12}|([ -])\d{4}\1\d{4}\1\d{4}|([ -])\d{6}\2\d{5})(?!\w|[.,+-]\d|[ -]\d)"
)
_ISSUERS = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|6(?:011\d\d|5\d{4}|4[4-9]\d{3}|22\d{3})\d{10}|35(?:2[89]|[3-8]\d)\d{12}"
    r"|3(?:0[0-5]|[68]\d)\d{11}"
)
#: Words that stand near a card number in any note that holds one.
_NEAR = re.compile(
    r"(?i)\b(?:card|visa|master\s?card|amex|american express|discover|diners|jcb|credit|debit"
    r"|cvv2?|cvc2?|expir\w*|exp|valid thru|kreditkarte|karte|carte|tarjeta|carta|pan|cc)\b"
)
_REACH = 120  # characters


def card_numbers(text: str) -> list[tuple[int, int]]:
    """Spans of card numbers.

    One undivided number in ten passes the check digit by chance, so that such a number needs a
    word about cards near it: tables of identifiers are full of them.
    """
    return [match.span() for match in _NUMBER.finditer(text) if _is_card(text, match)]


def _is_card(text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    before = text[max(0, start - 2) : start]
    if before and (re.match(r"[\w.,+-]", before[-1]) or re.match(r"\d[ -]", before)):
        return False
    if not _valid(match[0]):
        return False
    if match[1] or match[2] or text.strip() == match[0]:
        return True
    return _NEAR.search(text, max(0, start - _REACH), end + _REACH) is not None


def _valid(number: str) -> bool:
    digits = number.replace(" ", "").replace("-", "")
    return bool(_ISSUERS.fullmatch(digits)) and len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
