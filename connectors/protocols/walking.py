"""How sources are read to their end: what the plan asks for, and a protocol knows how to say."""

from enum import Enum

ROW_NUMBER = "#"
"""Stands for the number of a row, from 1, in questions to a source that is walked by it and not by keys."""


class Walk(Enum):
    """How a source is read to its end."""

    KEYS = "by asking for the rows after a key, so that any place is found again"
    ROWS = "by asking for the rows after so many; an answer that is short is the last"
    WHOLE = "at once: one answer holds every row"
    LINKS = "by following what each answer says of the next one; an answer that says nothing is the last"
