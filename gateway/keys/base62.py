"""Base62: numbers and random text in digits and letters, sorting as text the way the numbers sort."""

import secrets

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The digits in the order of their ASCII codes, so that equally long texts sort like their numbers."""


def encode(number: int, width: int) -> str:
    """Write a non-negative number with exactly `width` digits; a number that does not fit is a ValueError."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    if number:
        raise ValueError(f"the number does not fit into {width} digits")
    return "".join(reversed(digits))


def decode(text: str) -> int | None:
    """The number that was written; None where the text is not one."""
    number = 0
    for letter in text:
        digit = ALPHABET.find(letter)
        if digit < 0:
            return None
        number = number * 62 + digit
    return number if text else None


def random(length: int) -> str:
    """Draw `length` digits from the system's secure source, 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
