"""What a system.toml may hold, table by table."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictStr

from connectors.manifests.words import Entry, KeyFormEntry, Word

ComparisonName = Literal["eq", "ne", "gt", "gte", "lt", "lte", "contains", "starts_with", "is_null", "is_not_null"]
"""The comparisons of a source as a manifest names them; a list of values is given to `eq` and `ne`."""


class FormFieldEntry(Entry):
    """One thing to ask for when somebody connects the system."""

    name: str
    label: str
    kind: Literal["text", "url"] = "text"
    help: str | None = None
    placeholder: str | None = None
    required: bool = True
    secret: bool = False
    pattern: str | None = None


class LoginEntry(Entry):
    """What all logins share; `fields` replaces the form that the kind of login brings."""

    key: str
    title: str
    description: str | None = None
    fields: list[FormFieldEntry] | None = None


class NoLogin(LoginEntry):
    """No credentials at all."""

    kind: Literal["none"]


class HeaderLogin(LoginEntry):
    """A key in a header of every request, behind a prefix."""

    kind: Literal["header"]
    header: str = "Authorization"
    prefix: str = ""
    secret: str = "api_key"  # noqa: S105 - the name of a form's field


class QueryLogin(LoginEntry):
    """A key in the address of every request, where the logs of everything in between can see it."""

    kind: Literal["query"]
    parameter: str
    secret: str = "api_key"  # noqa: S105 - the name of a form's field


class BasicLoginEntry(LoginEntry):
    """User and password with every request."""

    kind: Literal["basic"]
    username: str = "username"
    password: str = "password"  # noqa: S105 - the name of a form's field


class ClientCredentialsLogin(LoginEntry):
    """OAuth 2 client credentials: a token is fetched when it is first needed."""

    kind: Literal["client-credentials"]
    token_url: str = "token_url"  # noqa: S105 - the name of a form's field
    client_id: str = "client_id"
    client_secret: str = "client_secret"  # noqa: S105 - the name of a form's field
    scope: str = ""


class RefreshTokenLogin(LoginEntry):
    """OAuth 2 refresh token: each token is fetched with the latest refresh token, which may be a new one each time."""

    kind: Literal["refresh-token"]
    token_url: str = "token_url"  # noqa: S105 - the name of a form's field
    client_id: str = "client_id"
    client_secret: str = "client_secret"  # noqa: S105 - the name of a form's field
    refresh_token: str = "refresh_token"  # noqa: S105 - the name of a form's field
    scope: str = ""


TokenLogin = ClientCredentialsLogin | RefreshTokenLogin
"""The logins that fetch a token from an address of its own."""

Login = Annotated[NoLogin | HeaderLogin | QueryLogin | BasicLoginEntry | TokenLogin, Field(discriminator="kind")]


class AddressEntry(Entry):
    """The base address of all calls: the answer to a field of the form, and a path below it."""

    field: str = "url"
    path: str = ""
    placeholder: str | None = None


ShareName = Literal["connection", "user", "account", "host"]
"""Whose calls a system counts together."""


class RateEntry(Entry):
    """At most so many calls in any span of so many seconds; without `methods` all calls count."""

    calls: int = Field(gt=0)
    seconds: float = Field(gt=0)
    share: ShareName = "account"
    methods: list[Literal["GET", "POST", "PUT", "PATCH", "DELETE"]] = []


class LimitsEntry(Entry):
    """What the system's maker says that it bears; `share` is who has to wait when it has had enough."""

    share: ShareName = "account"
    at_once: int | None = Field(default=None, gt=0)
    rates: list[RateEntry] = []


class GuideEntry(Entry):
    """One step of preparing the system."""

    title: str
    body: str


class FixedCondition(Entry):
    """What makes a row of the source a record of the entity."""

    path: str
    is_: StrictStr | StrictBool = Field(alias="is")


class ResourceEntry(Entry):
    """One entity of the system, under the entity's name."""

    source: str
    key: str
    key_form: KeyFormEntry = "text"
    title: str = "number"
    max_keys: int = Field(default=50, gt=0)
    page_size: int = Field(default=200, gt=1)
    unsupported: list[str] = []
    unmapped: list[str] | Literal["others"] = []
    fields: dict[str, Word]


class SystemEntry(Entry):
    """What every system says of itself."""

    format: Literal[1]
    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    vendor: str
    category: str
    tier: int = Field(default=3, ge=1, le=3)
    deployments: list[str] = Field(min_length=1)
    address: AddressEntry = AddressEntry()
    logins: list[Login] = Field(min_length=1)
    guide: list[GuideEntry] = []
    limits: LimitsEntry = LimitsEntry()


class ErrorEntry(Entry):
    """Where a refusal says why."""

    message: str = "message"
    code: str = "code"


class RestEntry(Entry):
    """JSON over HTTP; `filters` names the parameter of each comparison, with `{path}` for the field."""

    kind: Literal["rest"]
    headers: dict[str, str] = {}
    moments: Literal["iso", "unix-seconds", "unix-milliseconds"] = "iso"
    zone: str = "UTC"
    error: ErrorEntry = ErrorEntry()
    version: str = ""
    filters: dict[ComparisonName, str] = {}
    several: Literal["repeated", "comma"] | None = None


class NoPaging(Entry):
    """The whole collection comes at once."""

    kind: Literal["none"] = "none"


class OffsetPaging(Entry):
    """A parameter says how many rows to leave out."""

    kind: Literal["offset"]
    offset: str
    limit: str


class PageNumberPaging(Entry):
    """A parameter takes the number of the page; pages are counted from `first`."""

    kind: Literal["page-number"]
    page: str
    limit: str
    first: int = 1


class CursorPaging(Entry):
    """Each answer holds, at the path `next`, what a parameter takes to go on; null or nothing at the end."""

    kind: Literal["cursor"]
    cursor: str
    next: str
    limit: str = ""


class LinkPaging(Entry):
    """Each answer holds, at the path `next`, the address of the next page."""

    kind: Literal["link"]
    next: str
    limit: str = ""


class LinkHeaderPaging(Entry):
    """The header Link of each answer holds the address of the next page."""

    kind: Literal["link-header"]
    limit: str = ""


class AfterKeyPaging(Entry):
    """A parameter takes the last key; the collection has to come in the order of keys."""

    kind: Literal["after-key"]
    after: str
    limit: str


PagingEntry = Annotated[
    NoPaging | OffsetPaging | PageNumberPaging | CursorPaging | LinkPaging | LinkHeaderPaging | AfterKeyPaging,
    Field(discriminator="kind"),
]


class RestReadEntry(Entry):
    """How a collection is read: where its rows are, its pages, and one record by its key."""

    rows: str = ""
    parameters: dict[str, str] = {}
    filters: dict[str, dict[ComparisonName, str]] = {}
    paging: PagingEntry = NoPaging()
    one: str = Field(default="", pattern=r"^$|\{key\}")
    record: str = ""


class RestResourceEntry(ResourceEntry):
    """An entity of a REST source; `source` is the path of its collection, below the address."""

    read: RestReadEntry = RestReadEntry()


class RestManifest(SystemEntry):
    """A whole system.toml for a REST source."""

    protocol: RestEntry
    resources: dict[str, RestResourceEntry] = Field(min_length=1)


class ODataEntry(Entry):
    """OData V4; `supports_in` is for services that know the operator `in`, `ignores_case` for those that compare so."""

    kind: Literal["odata-v4"]
    supports_in: bool = False
    ignores_case: bool = False
    page_size: int | None = Field(default=None, gt=0)
    parameters: dict[str, str] = {}
    headers: dict[str, str] = {}


class ODataResourceEntry(ResourceEntry):
    """An entity of an OData service; `source` is its set.

    `types` names, by path, what is no plain type: "guid", or the qualified name of an enum. `complex` lists the
    properties with parts that are no navigation, `where` what makes a row a record of the entity.
    """

    types: dict[str, str] = {}
    complex: list[str] = []
    where: list[FixedCondition] = []


class ODataManifest(SystemEntry):
    """A whole system.toml for an OData V4 service."""

    protocol: ODataEntry
    resources: dict[str, ODataResourceEntry] = Field(min_length=1)


MANIFESTS: dict[str, type[RestManifest | ODataManifest]] = {"rest": RestManifest, "odata-v4": ODataManifest}
"""The form of a manifest by the kind of its protocol."""

AnyManifest = RestManifest | ODataManifest


def manifest_for(data: dict[str, Any]) -> type[AnyManifest] | None:
    """The form that a manifest has by its protocol; None where it names none that there is."""
    protocol = data.get("protocol")
    kind = protocol.get("kind") if isinstance(protocol, dict) else None
    return MANIFESTS.get(kind) if isinstance(kind, str) else None
