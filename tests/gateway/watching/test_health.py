"""How a connection is, decided from stories of what happened; the clock is simulated."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import (
    AddressRefused,
    BadAnswer,
    LoginRefused,
    NoSuchRecords,
    NotFound,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    RefreshFailed,
    Refusal,
    Rejected,
    Sent,
    TimedOut,
    Trouble,
    Unavailable,
    WrongSystem,
)
from gateway.watching.health import Change, Health, HealthMachine
from schema.events import EventType
from schema.health import ConnectionHealth, EntityHealthStatus, StatusReasonCode
from schema.model import EntityType

ORDERS, VENDORS = EntityType.PURCHASE_ORDER, EntityType.VENDOR
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOWN = Unavailable("Nothing answers at the system's address.", sent=Sent.NOT_SENT, stage="TCP")
BROKEN = Unavailable("The connection to the system broke off.")


class Story:
    """A machine with a clock; what it proposes is adopted at once, and every event is kept with its second."""

    def __init__(self, health: ConnectionHealth = ConnectionHealth.OK) -> None:
        self.machine = HealthMachine(frozenset((ORDERS, VENDORS)), Health(health))
        self.second = 0.0
        self.events: list[tuple[float, str]] = []

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.second)

    @property
    def health(self) -> str:
        return self.machine.health.health.name

    def wait(self, seconds: float) -> None:
        self.second += seconds

    def good(self, entity: EntityType = ORDERS) -> None:
        self._adopt(self.machine.succeeded(entity, self.now))

    def bad(self, trouble: Trouble, entity: EntityType | None = ORDERS) -> None:
        self._adopt(self.machine.failed(entity, trouble, self.now))

    def open(self, trouble: Trouble = BROKEN) -> None:
        self._adopt(self.machine.opened(trouble, self.now))

    def renewed(self, trouble: Trouble | None = None) -> None:
        self._adopt(self.machine.renewed(trouble, self.now))

    def examined(self) -> None:
        self._adopt(self.machine.examined(self.now))

    def passes(self) -> None:
        self._adopt(self.machine.passed(self.now))

    def _adopt(self, change: Change | None) -> None:
        if change is not None:
            self.events += [(self.second, event.name.removeprefix("CONNECTION_")) for event in change.events]
            self.machine.adopt(change.after)


def test_the_first_good_answer_makes_it_well_without_a_word() -> None:
    story = Story(ConnectionHealth.UNKNOWN)
    story.good()
    assert (story.health, story.events) == ("OK", [])


def test_an_outage_of_five_minutes() -> None:
    story = Story()
    story.bad(DOWN)
    story.open(DOWN)
    for _ in range(30):
        story.wait(10)
        story.bad(DOWN)
    assert story.health == "UNREACHABLE"
    reason = story.machine.health.reason
    assert reason is not None
    assert (reason.code, story.machine.health.lost_at) == (StatusReasonCode.CONNECTION_REFUSED, NOON)
    story.good()
    story.wait(4.9)
    story.good()
    assert story.health == "UNREACHABLE"
    story.wait(0.1)
    story.good()
    assert story.events == [(0, "DEGRADED"), (60, "UNREACHABLE"), (305, "RECOVERED")]
    assert (story.machine.health.lost_at, story.machine.health.reason) == (None, None)


@pytest.mark.parametrize(
    ("stage", "code"), [("DNS", "NAME_NOT_FOUND"), ("TCP", "CONNECTION_REFUSED"), ("TLS", "TLS_FAILED")]
)
def test_what_keeps_it_out_of_reach_is_named(stage: str, code: str) -> None:
    story = Story(ConnectionHealth.DEGRADED)
    trouble = Unavailable("no line", sent=Sent.NOT_SENT, stage=stage)
    story.bad(trouble)
    story.wait(60)
    story.bad(trouble)
    assert story.machine.health.reason is not None
    assert story.machine.health.reason.code.name == code


def test_a_system_that_answers_with_failures_is_not_out_of_reach() -> None:
    story = Story(ConnectionHealth.DEGRADED)
    for trouble in (DOWN, BROKEN, DOWN, DOWN):
        story.bad(trouble)
        story.wait(40)
    assert story.health == "DEGRADED"


def test_flapping_tells_one_thing_once() -> None:
    """Every second call fails; the breaker opens again and again."""
    story = Story()
    for _ in range(200):
        story.wait(1)
        story.bad(BROKEN)
        story.open()
        story.wait(1)
        story.good()
    assert (story.health, story.events) == ("DEGRADED", [(1, "DEGRADED")])


def test_one_refusal_of_credentials_is_no_proof() -> None:
    story = Story()
    story.bad(Reauthorize("no"))
    story.bad(Reauthorize("no"))
    assert story.events == []
    story.good()
    story.wait(60)
    story.bad(Reauthorize("no"))
    assert story.health == "OK"
    story.wait(2)
    story.bad(Reauthorize("no"))
    story.bad(Reauthorize("no"))
    assert story.events == [(62, "REAUTHORIZATION_REQUIRED")]


def test_credentials_that_work_again_are_believed() -> None:
    story = Story(ConnectionHealth.REAUTHORIZATION_REQUIRED)
    story.good()
    story.wait(5)
    story.good()
    assert story.events == [(5, "RECOVERED")]


@pytest.mark.parametrize("health", ["DEGRADED", "UNREACHABLE", "REAUTHORIZATION_REQUIRED", "MISCONFIGURED"])
def test_a_test_that_finds_nothing_wrong_is_believed_at_once(health: str) -> None:
    story = Story(ConnectionHealth[health])
    story.examined()
    assert (story.health, story.events) == ("OK", [(0, "RECOVERED")])


@pytest.mark.parametrize("health", ["OK", "RATE_LIMITED", "PERMISSION_DENIED"])
def test_a_test_leaves_what_its_calls_have_told_already(health: str) -> None:
    story = Story(ConnectionHealth[health])
    story.examined()
    assert (story.health, story.events) == (health, [])


@pytest.mark.parametrize(
    ("trouble", "code"), [(WrongSystem("no SAP"), "WRONG_SYSTEM"), (AddressRefused("private"), "SETTINGS_INVALID")]
)
def test_another_system_at_the_address_means_wrong_settings(trouble: Trouble, code: str) -> None:
    story = Story()
    story.bad(trouble, None)
    story.wait(3)
    story.bad(trouble, None)
    assert story.events == [(3, "MISCONFIGURED")]
    assert story.machine.health.reason is not None
    assert story.machine.health.reason.code.name == code


def test_a_storm_of_refusals_for_too_many_calls_is_told_once_and_ends_by_itself() -> None:
    story = Story()
    for _ in range(50):
        story.bad(RateLimited("slow down", retry_after=10))
        story.open()
        story.wait(0.1)
    assert story.health in ("RATE_LIMITED", "DEGRADED")
    story = Story()
    for _ in range(50):
        story.bad(RateLimited("slow down", retry_after=10))
        story.wait(0.1)
    story.good()
    assert story.health == "RATE_LIMITED"
    story.wait(9)
    story.passes()
    assert story.health == "RATE_LIMITED"
    story.wait(1)
    story.passes()
    assert [name for _, name in story.events] == ["RATE_LIMITED", "RATE_LIMIT_CLEARED"]


def test_a_limit_without_a_time_lasts_half_a_minute() -> None:
    story = Story()
    story.bad(RateLimited("slow down"))
    story.wait(29)
    story.passes()
    story.wait(1)
    story.passes()
    assert story.events == [(0, "RATE_LIMITED"), (30, "RATE_LIMIT_CLEARED")]


def test_one_forbidden_kind_of_record_leaves_the_others() -> None:
    story = Story()
    story.good(VENDORS)
    story.bad(PermissionDenied("no orders"), ORDERS)
    story.bad(PermissionDenied("no orders"), ORDERS)
    assert story.health == "OK"
    assert story.machine.health.entities == {
        ORDERS: EntityHealthStatus.PERMISSION_DENIED,
        VENDORS: EntityHealthStatus.OK,
    }
    story.wait(1)
    story.bad(PermissionDenied("no vendors"), VENDORS)
    assert story.health == "PERMISSION_DENIED"
    story.wait(1)
    story.good(ORDERS)
    assert story.events == [(0, "PERMISSIONS_CHANGED"), (1, "PERMISSIONS_CHANGED"), (2, "PERMISSIONS_CHANGED")]
    assert story.health == "OK"


def test_kinds_of_record_that_the_system_lacks_do_not_count() -> None:
    story = Story()
    story.bad(NoSuchRecords("no module"), VENDORS)
    assert story.machine.health.entities[VENDORS] is EntityHealthStatus.UNSUPPORTED
    story.bad(PermissionDenied("no orders"), ORDERS)
    assert story.health == "PERMISSION_DENIED"


def test_a_login_that_cannot_be_renewed_for_a_while() -> None:
    story = Story()
    for _ in range(5):
        story.renewed(RefreshFailed("no answer"))
        story.good()
        story.wait(30)
    assert (story.health, story.events) == ("OK", [(0.0, "TOKEN_REFRESH_FAILED")])
    assert story.machine.health.is_refresh_failing
    story.renewed()
    story.renewed()
    assert story.events[1:] == [(150.0, "RECOVERED")]
    assert (story.machine.health.reason, story.machine.health.is_refresh_failing) == (None, False)


def test_a_renewed_login_does_not_make_a_system_well() -> None:
    story = Story()
    story.renewed(RefreshFailed("no answer"))
    story.open()
    story.renewed()
    assert (story.health, [name for _, name in story.events]) == ("DEGRADED", ["TOKEN_REFRESH_FAILED", "DEGRADED"])
    assert story.machine.health.reason is not None
    assert not story.machine.health.is_refresh_failing


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal.REVOKED, StatusReasonCode.CREDENTIALS_REVOKED),
        (Refusal.REJECTED, StatusReasonCode.CREDENTIALS_REJECTED),
        (Refusal.EXHAUSTED, StatusReasonCode.TOKEN_REFRESH_FAILED),
    ],
)
def test_a_refused_login_needs_no_second_look(refusal: Refusal, code: StatusReasonCode) -> None:
    story = Story()
    story.renewed(RefreshFailed("no answer"))
    story.bad(LoginRefused("no", refusal=refusal))
    story.renewed(LoginRefused("no", refusal=refusal))
    story.renewed(RefreshFailed("no answer"))
    assert [name for _, name in story.events] == ["TOKEN_REFRESH_FAILED", "REAUTHORIZATION_REQUIRED"]
    assert story.machine.health.reason is not None
    assert story.machine.health.reason.code is code
    assert not story.machine.health.is_refresh_failing
    story.good()
    story.wait(10)
    story.good()
    assert (story.health, story.events[-1]) == ("OK", (10.0, "RECOVERED"))


@pytest.mark.parametrize("trouble", [Rejected("bad date"), NotFound("gone"), RefreshFailed("no answer")])
def test_what_is_refused_about_one_request_says_nothing_of_the_system(trouble: Trouble) -> None:
    story = Story()
    for _ in range(10):
        story.wait(10)
        story.bad(trouble)
    assert (story.health, story.events) == ("OK", [])


troubles = st.sampled_from(
    [
        DOWN,
        BROKEN,
        TimedOut("slow"),
        BadAnswer("garbage"),
        RateLimited("much", retry_after=7),
        RateLimited("much"),
        Reauthorize("no"),
        PermissionDenied("no"),
        WrongSystem("no"),
        NoSuchRecords("none"),
        Rejected("no"),
        RefreshFailed("no"),
        LoginRefused("no", refusal=Refusal.REVOKED),
    ]
)
steps = st.lists(
    st.tuples(
        st.sampled_from([0.1, 1.0, 3.0, 20.0, 61.0]),
        st.one_of(st.just("good"), st.just("open"), st.sampled_from(["passes", "renewed", "unrenewed"]), troubles),
        st.sampled_from([ORDERS, VENDORS]),
    ),
    max_size=40,
)


@given(steps)
def test_every_change_has_its_event_and_every_loss_its_reason(
    story_steps: list[tuple[float, object, EntityType]],
) -> None:
    """Whatever happens: no event without a change, no silent loss, and everything good in the end makes it well."""
    story = Story()
    for seconds, step, entity in story_steps:
        story.wait(seconds)
        before, told = story.machine.health, len(story.events)
        match step:
            case "good":
                story.good(entity)
            case "open":
                story.open()
            case "passes":
                story.passes()
            case "renewed":
                story.renewed()
            case "unrenewed":
                story.renewed(RefreshFailed("no"))
            case Trouble():
                story.bad(step, entity)
        after = story.machine.health
        has_changed = before.health is not after.health
        assert has_changed <= (len(story.events) > told)
        is_bad = after.health is not ConnectionHealth.OK
        assert is_bad <= (after.reason is not None) <= (is_bad or after.is_refresh_failing)
    story.renewed()
    for _ in range(12):
        story.wait(10)
        story.passes()
        story.good(ORDERS)
        story.good(VENDORS)
    assert (story.health, story.machine.health.reason) == ("OK", None)
    statuses = {EventType[f"CONNECTION_{name}"] for _, name in story.events}
    assert statuses <= set(EventType)


# The clock is set back by an hour


def test_a_clock_that_was_set_back_does_not_hold_up_a_recovery() -> None:
    story = Story()
    story.open()
    story.good()
    story.wait(-3600)
    story.good()
    story.wait(5)
    story.good()
    assert story.health == "OK"


def test_a_clock_that_was_set_back_does_not_hide_a_refusal() -> None:
    story = Story()
    story.bad(Reauthorize("The system refuses the credentials."))
    story.wait(-3600)
    story.bad(Reauthorize("The system refuses the credentials."))
    story.wait(2)
    story.bad(Reauthorize("The system refuses the credentials."))
    assert story.health == "REAUTHORIZATION_REQUIRED"


def test_a_clock_that_was_set_back_does_not_hide_that_nothing_answers() -> None:
    story = Story()
    story.open(DOWN)
    story.bad(DOWN)
    story.wait(-3600)
    story.bad(DOWN)
    story.wait(60)
    story.bad(DOWN)
    assert story.health == "UNREACHABLE"


def test_a_clock_that_was_set_back_makes_no_limit_longer() -> None:
    story = Story()
    story.bad(RateLimited("Too many calls.", retry_after=10))
    story.wait(-3600)
    story.passes()
    assert story.health == "OK"


def test_a_process_whose_clock_is_a_little_behind_keeps_to_a_limit() -> None:
    story = Story()
    story.bad(RateLimited("Too many calls.", retry_after=10))
    story.wait(-2)
    story.passes()
    assert story.health == "RATE_LIMITED"


# A login that cannot be renewed, and what comes between


@pytest.mark.parametrize("begins", [ConnectionHealth.OK, ConnectionHealth.UNKNOWN])
def test_what_comes_between_does_not_hide_that_the_login_cannot_be_renewed(begins: ConnectionHealth) -> None:
    story = Story(begins)
    story.renewed(RefreshFailed("The token address does not answer."))
    if begins is ConnectionHealth.OK:
        story.bad(RateLimited("Too many calls.", retry_after=1))
        story.wait(2)
        story.passes()
    story.good()
    reason = story.machine.health.reason
    assert (story.health, reason and reason.code) == ("OK", StatusReasonCode.TOKEN_REFRESH_FAILED)
    story.renewed()
    assert (story.health, story.machine.health.reason) == ("OK", None)
