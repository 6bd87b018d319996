"""The door: hashes of passwords, who is let in from where, and what guessing costs."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest
from timing import least_seconds

from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.parties import Application, Upstream
from mm7zeep.gateway.mm7.auth import WAITING, GatewayAuthenticator
from mm7zeep.gateway.security.auth_queue import UNLIMITED, AuthQueue, Guess
from mm7zeep.gateway.security.password_hash import Cost, derive, hashed, parsed
from mm7zeep.gateway.security.rate_limit import Throttle
from mm7zeep.messages import RSErrorRsp
from mm7zeep.receiver import Endpoint, Refusal

CHEAP = Cost(4, 8, 1)
HOME, AWAY, PROXY = "192.0.2.7", "203.0.113.9", "10.0.0.1"


class Work:
    """scrypt that counts; ``costs`` are those it was asked for."""

    def __init__(self) -> None:
        self.costs: list[Cost] = []

    def __call__(self, password: bytes, salt: bytes, cost: Cost, size: int) -> bytes:
        self.costs.append(cost)
        return derive(password, salt, cost, size)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def basic(credentials: str | bytes) -> str:
    """The Authorization field of these credentials."""
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return f"Basic {base64.b64encode(raw).decode()}"


def asked(authorization: str | None, *forwarded: str) -> Wire:
    """The head of a request."""
    fields = [("Content-Type", "text/xml"), *(("X-Forwarded-For", one) for one in forwarded)]
    fields += [("Authorization", authorization)] if authorization is not None else []
    return Wire(method="POST", headers=tuple(fields), body=b"")


PLAIN = Application(name="plain", password="secret", vaspid="P")
HASHED = Application(name="hashed", password_hash=hashed("geheim", CHEAP), vaspid="H")
INSIDER = Application(name="insider", password="inside", vaspid="I", allow=("192.0.2.0/24", "2001:db8::/32"))
BOTH_WAYS = Upstream(
    name="optus", url="https://mmsc.example/", callback_username="opt", callback_password="bring", allow=(HOME,)
)
SILENT = Upstream(name="silent", url="https://other.example/")


class Busy(GatewayAuthenticator):
    """A door that works out as many hashes as it is asked for."""

    HASHES = (10_000, 10_000.0)


def keeper(*applications: Application, **options: Any) -> GatewayAuthenticator:
    """A door for these, or for one of each kind."""
    options.setdefault("clock", Clock())
    kind = options.pop("kind", GatewayAuthenticator)
    made: GatewayAuthenticator = kind(applications or (PLAIN, HASHED, INSIDER), [BOTH_WAYS, SILENT], [PROXY], **options)
    return made


# --- hashes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["secret", "", "zoë:paß", "x" * 5000])
def test_hash_of_a_password(password: str) -> None:
    """A hash fits its password only, tells its cost, and never comes out the same twice."""
    text = hashed(password, CHEAP)
    assert text.startswith("$scrypt$ln=4,r=8,p=1$")
    assert parsed(text).fits(password.encode())
    assert not parsed(text).fits(f"{password}x".encode())
    assert hashed(password, CHEAP) != text
    assert password == "" or password not in text


def test_default_cost() -> None:
    """By default a hash costs 16 MiB."""
    assert hashed("a").startswith("$scrypt$ln=14,r=8,p=1$")


def test_hash_made_elsewhere() -> None:
    """RFC 7914 12: the vector for "pleaseletmein", in PHC form."""
    key = bytes.fromhex(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )
    salt, text = (base64.b64encode(one).decode().rstrip("=") for one in (b"SodiumChloride", key))
    assert parsed(f"$scrypt$ln=14,r=8,p=1${salt}${text}").fits(b"pleaseletmein")


GOOD_HASH = hashed("a", CHEAP)
BAD_HASHES = {
    "empty": "",
    "a password": "hunter2",
    "bcrypt": "$2b$12$abcdefghijklmnopqrstuv",
    "argon2": "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA",
    "cut short": GOOD_HASH[:-30],
    "one character of base64": GOOD_HASH[: GOOD_HASH.rindex("$") + 1] + "A" * 29,
    "a short salt": "$scrypt$ln=4,r=8,p=1$c2FsdA$" + "A" * 43,
    "white space": GOOD_HASH + "\n",
    "costs nothing": GOOD_HASH.replace("ln=4", "ln=0"),
    "costs 1 GiB": GOOD_HASH.replace("ln=4", "ln=20"),
    "costs more than numbers": GOOD_HASH.replace("ln=4", "ln=99"),
    "r is 0": GOOD_HASH.replace("r=8", "r=0"),
    "p is 99": GOOD_HASH.replace("p=1", "p=99"),
}


@pytest.mark.parametrize("text", BAD_HASHES.values(), ids=BAD_HASHES)
def test_unreadable_hash(text: str) -> None:
    """What is no hash is refused with what to do, and is not repeated."""
    with pytest.raises(ValueError, match=r"make|copy") as caught:
        parsed(text)
    assert not text or text.strip() not in str(caught.value)


# --- who is let in ----------------------------------------------------------------------------------------------------

LET_IN: list[tuple[str, str | None, str]] = [
    ("plain:secret", AWAY, "plain"),
    ("plain:secret", None, "plain"),
    ("hashed:geheim", AWAY, "hashed"),
    ("insider:inside", HOME, "insider"),
    ("insider:inside", f"::ffff:{HOME}", "insider"),
    ("insider:inside", "2001:db8::5", "insider"),
    ("opt:bring", HOME, "upstream:optus"),
]


@pytest.mark.parametrize(("credentials", "peer", "user"), LET_IN)
def test_let_in(credentials: str, peer: str | None, user: str) -> None:
    """The right name and password, from where the account may call, are whose they are, each time."""
    door = keeper()
    assert [door.user(asked(basic(credentials)), peer) for _ in range(3)] == [user] * 3


def test_through_a_proxy() -> None:
    """Behind a trusted proxy the hop it names counts; a stranger's X-Forwarded-For does not."""
    door, right = keeper(), basic("insider:inside")
    assert door.user(asked(right, HOME), PROXY) == "insider"
    assert door.user(asked(right, f"{HOME}, {AWAY}"), PROXY) is None
    assert door.user(asked(right, HOME), AWAY) is None
    assert door.user(asked(right, AWAY), HOME) == "insider"
    assert door.user(asked(basic("plain:secret"), "garbage"), PROXY) is None
    assert door.user(asked(basic("plain:secret"), ""), PROXY) is None


MIB = 1024 * 1024
KEPT_OUT: dict[str, tuple[str | None, str | None]] = {
    "missing": (None, HOME),
    "empty": ("", HOME),
    "another scheme": ("Bearer secret", HOME),
    "no base64": ("Basic ???", HOME),
    "not ASCII": ("Basic öäü", HOME),
    "no colon": (basic("plain"), HOME),
    "nothing at all": (basic(":"), HOME),
    "Latin-1": (basic("zoë:x".encode("latin-1")), HOME),
    "1 MB": (basic("plain:" + "s" * MIB), HOME),
    "unknown user": (basic("nobody:secret"), HOME),
    "wrong password": (basic("plain:Secret"), HOME),
    "wrong password, hashed": (basic("hashed:Geheim"), HOME),
    "another's password": (basic("plain:geheim"), HOME),
    "the hash itself": (basic(f"hashed:{HASHED.password_hash}"), HOME),
    "an upstream's own name": (basic("optus:bring"), HOME),
    "an upstream's user": (basic("upstream:optus"), HOME),
    "an upstream that brings nothing": (basic("silent:"), HOME),
    "not from here": (basic("insider:inside"), AWAY),
    "an upstream, not from here": (basic("opt:bring"), AWAY),
    "from nowhere": (basic("insider:inside"), None),
    "from a place that is none": (basic("plain:secret"), "somewhere"),
}


@pytest.mark.parametrize(("authorization", "peer"), KEPT_OUT.values(), ids=KEPT_OUT)
def test_kept_out(authorization: str | None, peer: str | None) -> None:
    """All others get the same octets in answer, whatever was wrong."""
    endpoint = Endpoint({}, error=RSErrorRsp, auth=keeper())
    answer = endpoint.answer(asked(authorization), peer=peer)
    expected = endpoint.answer(asked(None), peer=HOME)
    assert (answer.status, answer.headers, answer.read()) == (401, expected.headers, expected.read())


def test_two_fields() -> None:
    """Two Authorization fields prove nothing."""
    head = asked(basic("plain:secret"))
    assert (
        keeper().user(Wire(headers=(*head.headers, ("authorization", basic("plain:secret"))), body=b""), HOME) is None
    )


BAD_ACCOUNTS: dict[str, tuple[Callable[[], GatewayAuthenticator], str]] = {
    "a colon": (lambda: keeper(Application(name="a:b", password="c", vaspid="V")), "colon"),
    "twice": (lambda: keeper(PLAIN, PLAIN), "two accounts"),
    "an application and an upstream": (lambda: keeper(Application(name="opt", password="c", vaspid="V")), "'opt'"),
    "no password": (lambda: keeper(Application(name="a", vaspid="V")), "the application 'a' needs a password"),
    "two passwords": (lambda: keeper(Application(name="a", password="b", password_hash=GOOD_HASH, vaspid="V")), "both"),
    "no hash": (lambda: keeper(Application(name="a", password_hash="b", vaspid="V")), "the application 'a': the pass"),
    "no range": (lambda: keeper(Application(name="a", password="b", vaspid="V", allow=("10.0.0.1/8",))), "'a': '10"),
    "no proxy": (lambda: GatewayAuthenticator([PLAIN], [], ["proxy.example"]), "'proxy.example'"),
    "an upstream without a password": (
        lambda: GatewayAuthenticator([], [Upstream(name="u", url="https://a/", callback_username="u")]),
        "the upstream 'u'"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "words"), BAD_ACCOUNTS.values(), ids=BAD_ACCOUNTS)
def test_bad_account(make: Callable[[], GatewayAuthenticator], words: str) -> None:
    """An account that could never be used right is refused when the door is made, by name."""
    with pytest.raises(ValueError, match=words):
        make()


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_a_hash_is_worked_out_once() -> None:
    """The right password costs one hash check, and none for any later request, from wherever."""
    work = Work()
    door = keeper(derive=work)
    for peer in (HOME, HOME, AWAY, "2001:db8::1"):
        assert door.user(asked(basic("hashed:geheim")), peer) == "hashed"
    assert work.costs == [CHEAP]
    assert door.user(asked(basic("hashed:wrong")), HOME) is None  # what was proven does not excuse a guess
    assert work.costs == [CHEAP] * 2


GUESSES = ["hashed:wrong", "plain:wrong", "nobody:wrong", "insider:inside", "opt:bring", ":", "hashed:"]


@pytest.mark.parametrize("guess", GUESSES)
def test_a_guess_costs_the_same(guess: str) -> None:
    """Unknown user, wrong password, and the wrong address cost the same hash work, whoever has a hash."""
    dear = Application(name="dear", password_hash=hashed("x", Cost(5, 8, 1)), vaspid="D")
    work = Work()
    assert keeper(PLAIN, HASHED, INSIDER, dear, derive=work).user(asked(basic(guess)), AWAY) is None
    assert work.costs == [CHEAP, Cost(5, 8, 1)]


def test_no_hash_no_work() -> None:
    """Where nobody has a hash, none is worked out; nor for what cannot be read."""
    work = Work()
    door = keeper(PLAIN, derive=work)
    assert door.user(asked(basic("nobody:x")), AWAY) is None
    for authorization in (None, "Basic ???", basic("plain:" + "s" * MIB)):
        assert keeper(derive=work).user(asked(authorization), AWAY) is None
    assert work.costs == []


def test_slow_is_what_needs_a_hash() -> None:
    """Only where a hash has to be worked out is the door slow, so that it is asked in a thread."""
    door = keeper()
    slow = {one: door.slow(asked(basic(one)), AWAY) for one in ("plain:secret", "plain:x", "hashed:geheim", "no:x")}
    assert slow == {"plain:secret": False, "plain:x": True, "hashed:geheim": True, "no:x": True}
    assert not door.slow(asked(None), AWAY)
    assert door.user(asked(basic("hashed:geheim")), AWAY) == "hashed"
    assert not door.slow(asked(basic("hashed:geheim")), AWAY)
    assert not door.slow(asked(basic("hashed:geheim")), HOME)
    assert not keeper(PLAIN).slow(asked(basic("no:x")), AWAY)


def test_judged_before_anybody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess that is judged while it is still being handed in is judged once, and those behind it, too."""
    register = Future.add_done_callback

    def late(self: Future[Any], function: Callable[[Future[Any]], object]) -> None:
        time.sleep(0.02)
        register(self, function)

    monkeypatch.setattr(Future, "add_done_callback", late)
    queue = AuthQueue(per_name=UNLIMITED, per_source=UNLIMITED, most=10, kept=10)
    for n in range(5):
        guess = Guess(source=HOME, name=f"n{n}", judge=lambda n=n: f"user{n}")  # type: ignore[misc]
        assert queue.submit(guess).result(5) == f"user{n}"
    assert len(queue) == 0


def waiting(door: GatewayAuthenticator, guess: Wire, peer: str | None, count: int = 1) -> list[Future[str | None]]:
    """So many of these guesses, as far as they may wait."""
    futures = []
    for _ in range(count):
        with suppress(Refusal):
            futures.append(door.decide(guess, peer))
    return futures


def judged(door: GatewayAuthenticator) -> int:
    """How many that wait are judged now."""
    count = 0
    while door.queue.run_once() == 0.0:
        count += 1
    return count


def test_throttled_by_name() -> None:
    """20 guesses at a name, then 5 a second; what is beyond waits, in order, and the right one with it."""
    clock, work = Clock(), Work()
    door = keeper(clock=clock, derive=work, threads=False)
    guesses = waiting(door, asked(basic("hashed:wrong")), AWAY, 40)
    [right] = waiting(door, asked(basic("hashed:geheim")), AWAY)
    assert judged(door) == 20
    assert len(work.costs) == 20
    clock.now += 1.0
    assert judged(door) == 5
    assert door.slow(asked(basic("hashed:geheim")), AWAY)
    clock.now += 3.0
    assert judged(door) == 15
    assert not right.done()
    clock.now += 0.25
    assert judged(door) == 1
    assert right.result(0) == "hashed"
    assert [one.result(0) for one in guesses] == [None] * 40
    assert door.user(asked(basic("hashed:geheim")), AWAY) == "hashed"  # from now on without waiting


def test_throttled_by_address() -> None:
    """100 guesses from an address, then 20 a second, whatever names it tries; of IPv6 a /64 is one address."""
    clock, work = Clock(), Work()
    door = keeper(clock=clock, derive=work, kind=Busy, threads=False)
    counts = []
    for second in range(2):
        seen = len(work.costs)
        for n in range(1000):
            waiting(door, asked(basic(f"user{second}-{n}:wrong")), f"2001:db9::{n:x}")
            judged(door)
        counts.append(len(work.costs) - seen)
        clock.now += 1.0
    assert counts == [100, 20]
    [right] = waiting(door, asked(basic("hashed:geheim")), "2001:db9:0:1::1")
    judged(door)
    assert right.result(0) == "hashed"


def test_hash_work_is_bounded_in_all() -> None:
    """20 hash checks, two for each account that has a hash, then 10 a second, from wherever and at whatever name."""
    clock, work = Clock(), Work()
    door = keeper(clock=clock, derive=work, threads=False)
    for second in range(3):
        for n in range(400):
            waiting(door, asked(basic(f"user{n}:{second}")), f"198.51.{n % 100}.{second}")
        judged(door)
        clock.now += 1.0
    assert len(work.costs) == 20 + 2 + 2 * 10


def test_right_password_in_a_flood_from_elsewhere() -> None:
    """After a restart, while 200 addresses guess without end, the right password of a new address is soon judged."""
    clock, work = Clock(), Work()
    door = keeper(clock=clock, derive=work, threads=False)
    flood = {n: waiting(door, asked(basic(f"hashed:{n}")), f"198.51.100.{n}") for n in range(200)}
    for _ in range(300):  # each guesses again as soon as it was answered
        clock.now += 0.1
        judged(door)
        for n, futures in flood.items():
            if all(one.done() for one in futures):
                flood[n] = waiting(door, asked(basic(f"hashed:{n}-{clock.now}")), f"198.51.100.{n}")
    [right] = waiting(door, asked(basic("hashed:geheim")), HOME)
    clock.now += 0.3
    judged(door)
    assert right.result(0) == "hashed"
    assert len(door.queue) == 200 - 3 + 1


def test_right_password_in_a_flood_from_the_same_address() -> None:
    """While its own address guesses without end, with as many as may wait, the right password waits 13 s at most."""
    clock = Clock()
    door = keeper(clock=clock, threads=False)
    guesses = itertools.count()

    def fill(room: int) -> None:
        while len(door.queue) < WAITING - room:
            waiting(door, asked(basic(f"hashed:{next(guesses)}")), AWAY)

    fill(0)
    for _ in range(100):
        clock.now += 0.1
        judged(door)
        fill(1)
    [right] = waiting(door, asked(basic("hashed:geheim")), AWAY)
    waited = 0.0
    while not right.done():
        clock.now += 0.1
        waited += 0.1
        judged(door)
        fill(0)
    assert right.result(0) == "hashed"
    assert waited < 14


def test_who_is_known_goes_first() -> None:
    """A name proven from its address before, and an address that an account lists, do not wait behind strangers."""
    clock = Clock()
    door = keeper(clock=clock, threads=False)
    [first] = waiting(door, asked(basic("hashed:geheim")), AWAY)
    judged(door)
    assert first.result(0) == "hashed"
    for n in range(100):
        waiting(door, asked(basic(f"user{n}:x")), f"198.51.100.{n}")
    judged(door)
    [again] = waiting(door, asked(basic("hashed:changed")), AWAY)
    [listed] = waiting(door, asked(basic("nobody:x")), HOME)
    clock.now += 0.45
    assert judged(door) == 4
    assert again.done()
    assert listed.done()


def test_nobody_waits_for_ever() -> None:
    """Even an address with many wrong guesses has its turn while new ones come without end."""
    clock = Clock()
    door = keeper(clock=clock, threads=False)
    for n in range(30):
        waiting(door, asked(basic(f"user{n}:x")), AWAY)
    clock.now += 60.0
    judged(door)
    [late] = waiting(door, asked(basic("hashed:geheim")), AWAY)
    for n in range(200):
        waiting(door, asked(basic("u:x")), f"198.51.{n}.1")
    for _ in range(100):
        clock.now += 0.1
        judged(door)
    assert late.result(0) == "hashed"


def test_who_no_longer_waits() -> None:
    """A guess whose sender hung up costs no hash and gives its place to others; more than 48 of an address is 503."""
    work = Work()
    door = keeper(derive=work, threads=False)
    futures = waiting(door, asked(basic("hashed:wrong")), AWAY, 1000)
    assert len(futures) == WAITING
    with pytest.raises(Refusal, match="too many wait") as caught:
        door.decide(asked(basic("hashed:geheim")), AWAY)
    assert caught.value.status == 503
    for one in futures:
        assert one.cancel()
    assert len(door.queue) == 0
    [right] = waiting(door, asked(basic("hashed:geheim")), AWAY)
    judged(door)
    assert right.result(0) == "hashed"
    assert work.costs == [CHEAP]


def test_who_was_let_in_passes_always() -> None:
    """Guesses from the same address, at the same name, do not shut out who has proven himself from there."""
    door = keeper(threads=False)
    right = asked(basic("plain:secret"))
    assert door.user(right, AWAY) == "plain"
    for n in range(500):
        waiting(door, asked(basic(f"plain:{n}")), AWAY)
    judged(door)
    assert door.user(right, AWAY) == "plain"
    assert door.user(right, HOME) == "plain"  # where nobody guessed


def test_right_credentials_are_not_counted() -> None:
    """A busy application is never throttled."""
    door = keeper(kept=1)  # nothing stays remembered for long
    others = [asked(basic("insider:inside")), asked(basic("hashed:geheim"))]
    for _ in range(200):
        assert door.user(asked(basic("plain:secret")), HOME) == "plain"
        assert door.user(others[0], HOME) == "insider"


def test_missing_credentials_are_no_guess() -> None:
    """A client that asks without credentials first, each time, is not throttled for it."""
    door = keeper()
    for _ in range(500):
        assert door.user(asked(None), HOME) is None
    assert door.user(asked(basic("plain:secret")), HOME) == "plain"


def test_tables_are_bounded() -> None:
    """However many names and addresses are tried, only so many are remembered."""
    door = keeper(PLAIN, kept=50)
    for n in range(300):
        door.user(asked(basic(f"user{n}:x")), f"198.51.100.{n % 250}")
        door.user(asked(basic("plain:secret")), f"198.51.{n % 250}.1")
    assert door.queue.remembered() <= 50
    assert len(door._proven) <= 50


def test_no_password_is_kept() -> None:
    """Neither the door nor what it remembers shows a password or a hash."""
    door = keeper()
    door.user(asked(basic("plain:secret")), HOME)
    door.user(asked(basic("hashed:geheim")), HOME)
    shown = repr([vars(door), vars(door._right), vars(door._proven), vars(door.queue)])
    assert "secret" not in shown.replace("_secret", "")
    assert "geheim" not in shown


def test_flood_costs_little() -> None:
    """2,000 tries beyond the rate cost less than 0.5 s of processor."""
    guess = asked(basic("hashed:wrong"))
    doors = iter([keeper(clock=time.monotonic) for _ in range(3)])
    futures: list[Future[str | None]] = []
    assert least_seconds(lambda: futures.extend(waiting(next(doors), guess, AWAY, 2000))) < 0.5
    for one in futures:
        one.cancel()


def test_from_many_threads() -> None:
    """The door may be asked from many threads, and works one hash out at a time."""
    at_once: list[int] = []
    inside = itertools.count()
    busy = threading.Lock()

    def careful(password: bytes, salt: bytes, cost: Cost, size: int) -> bytes:
        assert busy.acquire(blocking=False)
        at_once.append(next(inside))
        try:
            time.sleep(0.005)  # long enough for the others to come
            return derive(password, salt, cost, size)
        finally:
            busy.release()

    door = keeper(derive=careful)
    users: list[str | None] = []

    def ask(password: str) -> None:
        users.append(door.user(asked(basic(f"hashed:{password}")), HOME))

    threads = [threading.Thread(target=ask, args=("geheim" if n % 2 else str(n),)) for n in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(str(one) for one in users) == ["None"] * 6 + ["hashed"] * 6
    assert 7 <= len(at_once) <= 12


# --- token buckets ----------------------------------------------------------------------------------------------------


def test_bucket() -> None:
    """A bucket empties, fills by its rate and no further, and takes back what was not used."""
    clock = Clock()
    throttle = Throttle(2, 0.5, kept=10, clock=clock)
    assert throttle.left("a") == 2
    throttle.take("a")
    throttle.take("a")
    assert throttle.left("a") == 0
    clock.now += 1
    assert throttle.left("a") == 0.5
    throttle.take("a", -1)
    assert throttle.left("a") == 1.5
    clock.now += 100
    assert throttle.left("a") == 2
    assert throttle.left("b") == 2


def test_bucket_that_was_not_asked_for_is_forgotten() -> None:
    """Beyond ``kept`` the one that was longest not taken from goes."""
    throttle = Throttle(1, 0.0, kept=2, clock=Clock())
    for key in ("a", "b", "a", "c"):
        throttle.take(key)
    assert len(throttle) == 2
    assert (throttle.left("b"), throttle.left("c")) == (1, 0)
