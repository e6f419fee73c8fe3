"""The words for fields as a manifest writes them; each mirrors one of `connectors.fields` and its neighbours."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, StrictStr, Tag, model_validator

Ability = Literal["eq", "range", "text", "null"]
"""Which conditions the source itself can apply to a field."""


class Entry(BaseModel):
    """A table of a manifest; a name that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Padded(Entry):
    """Keys of text of at most this length, kept with leading zeros and shown without."""

    padded: int = Field(gt=0)


KeyFormEntry = Literal["text", "number", "guid"] | Padded


class AtEntry(Entry):
    """The value at a path; a plain text means the same.

    `resolution` is for moments that the source compares coarser or finer than it shows them.
    """

    at: str
    filter: list[Ability] = []
    sort: bool = False
    required: bool = False
    finds_more: bool = False
    resolution: Literal["seconds", "milliseconds"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, given: Any) -> Any:
        return {"at": given} if isinstance(given, str) else given


class CodesEntry(Entry):
    """An enum value by the code at a path; `numbers` says that the codes are numbers there."""

    codes: str
    values: dict[str, str]
    numbers: bool = False
    filter: list[Literal["eq"]] = []


class CaseEntry(Entry):
    """One case: where the value at a path is this, the result is that."""

    path: str
    is_: StrictStr | StrictBool = Field(alias="is")
    gives: str


class FirstEntry(Entry):
    """An enum value by the first case that holds."""

    first: list[CaseEntry]
    filter: list[Literal["eq"]] = []


class FlagEntry(Entry):
    """True where the text at a path is this one."""

    flag: str
    is_: str = Field(alias="is")
    filter: list[Literal["eq"]] = []


class RefEntry(Entry):
    """The key of a linked record."""

    ref: str
    form: KeyFormEntry = "text"
    filter: list[Literal["eq", "null"]] = []


class AlwaysEntry(Entry):
    """A value that every record has: one of the field's enum, or a text such as the only currency of a source."""

    always: str = Field(min_length=1)


class JoinedEntry(Entry):
    """The texts at several paths, joined by a space."""

    joined: list[str] = Field(min_length=1)


class FirstTextEntry(Entry):
    """The first of several texts that is not empty."""

    first_text: list[str] = Field(min_length=1)


class LookupEntry(Entry):
    """A text by the code at a path."""

    lookup: str
    table: dict[str, str]


class MoneyParts(Entry):
    """Where the parts of money are."""

    amount: "Word"
    currency: "Word"


class MoneyEntry(Entry):
    """Money by amount and currency."""

    money: MoneyParts


class QuantityParts(Entry):
    """Where the parts of a quantity are; `source_unit` is the unit as the source writes it."""

    value: "Word"
    source_unit: "Word"
    unit: "Word | None" = None


class QuantityEntry(Entry):
    """A quantity by number and unit."""

    quantity: QuantityParts


class PartsEntry(Entry):
    """A value object by its parts."""

    parts: dict[str, "Word"]


class EachEntry(Entry):
    """A value object for each child row; for a field that is no list, that of the first."""

    each: str
    parts: dict[str, "Word"]


class CountEntry(Entry):
    """How many child rows there are; `key` is the path of a child's own key."""

    count: str
    key: str


class ManyEntry(Entry):
    """Child rows with words of their own; `key_form` puts them in the order of their keys."""

    many: str
    key: str
    key_form: KeyFormEntry | None = None
    fields: dict[str, "Word"]
    unsupported: list[str] = []
    unmapped: list[str] | Literal["others"] = []


WORDS: dict[str, type[Entry]] = {
    "at": AtEntry,
    "codes": CodesEntry,
    "first": FirstEntry,
    "flag": FlagEntry,
    "ref": RefEntry,
    "always": AlwaysEntry,
    "joined": JoinedEntry,
    "first_text": FirstTextEntry,
    "lookup": LookupEntry,
    "money": MoneyEntry,
    "quantity": QuantityEntry,
    "each": EachEntry,
    "parts": PartsEntry,
    "count": CountEntry,
    "many": ManyEntry,
}
"""Each word by the name that tells it from the others."""


def _tell(given: Any) -> str | None:
    if isinstance(given, str):
        return "at"
    return next((name for name in WORDS if name in given), None) if isinstance(given, dict) else None


Word = Annotated[
    Annotated[AtEntry, Tag("at")]
    | Annotated[CodesEntry, Tag("codes")]
    | Annotated[FirstEntry, Tag("first")]
    | Annotated[FlagEntry, Tag("flag")]
    | Annotated[RefEntry, Tag("ref")]
    | Annotated[AlwaysEntry, Tag("always")]
    | Annotated[JoinedEntry, Tag("joined")]
    | Annotated[FirstTextEntry, Tag("first_text")]
    | Annotated[LookupEntry, Tag("lookup")]
    | Annotated[MoneyEntry, Tag("money")]
    | Annotated[QuantityEntry, Tag("quantity")]
    | Annotated[EachEntry, Tag("each")]
    | Annotated[PartsEntry, Tag("parts")]
    | Annotated[CountEntry, Tag("count")]
    | Annotated[ManyEntry, Tag("many")],
    Discriminator(
        _tell,
        custom_error_type="no_word",
        custom_error_message="needs one of the words " + ", ".join(WORDS),
    ),
]

for _entry in (MoneyParts, QuantityParts, PartsEntry, EachEntry, ManyEntry, MoneyEntry, QuantityEntry):
    _entry.model_rebuild()
