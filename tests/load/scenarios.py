"""The scenarios: each repeats one kind of request on a connection that stays open."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count

from tests import samples
from tests.load.client import Client
from tests.load.rivals import Rival
from tests.load.seed import SOUGHT

KB, MB = 1000, 1_000_000
FULL = samples.LIMIT
JSON = "/api/v1/leads?size=25&sort_by=created_at&sort_desc=true"
DASHBOARD = "/dashboard/?sort_by=created_at&size=25"
new = count(1)
content = cache(lambda size: samples.pdf(size=size))


@dataclass
class Site:
    """A rival and the data that the scenarios need."""

    rival: Rival
    leads: int  # number of leads in its database at the start
    stored: str = ""  # id of a lead with a resume of the largest size
    pending: list[str] = field(default_factory=list)  # ids of leads to mark
    headers: dict[str, str] = field(default_factory=dict)

    def client(self) -> Client:
        """Return a client that is signed in."""
        return Client(self.rival.port, self.headers)

    def prepare(self, marks: int) -> None:
        """Sign in, and store the leads that the scenarios read and mark."""
        with Client(self.rival.port) as client:
            if self.rival.has_accounts:
                client.sign_in()
            if self.rival.has_pages:
                client.sign_in_to_pages()
            self.headers = client.headers
            self.stored = client.submit(f"stored{next(new)}@example.com", content(FULL))
            self.pending = [
                client.submit(f"p{next(new)}@example.com", content(50 * KB)) for _ in range(marks)
            ]


Act = Callable[[Client, Site], object]
LIMITS = ("limit", "limit with rows")


@dataclass(frozen=True)
class Scenario:
    """One kind of request, its number per measurement, and the rivals beside leadapp."""

    name: str
    act: Act
    times: int = 100
    beside: tuple[str, ...] = ("peer",)


def submit(size: int) -> Act:
    """Return the submit of a new lead with a resume of that size."""
    return lambda client, site: client.submit(f"new{next(new)}@example.com", content(size))


def get(path: str) -> Act:
    """Return a GET; `{id}` is the lead with a large resume, `{last}` the last page of 25."""

    def act(client: Client, site: Site) -> bytes:
        return client.ask("GET", path.format(id=site.stored, last=site.leads // 25))

    return act


def _mark(client: Client, site: Site) -> None:
    body = b'{"status": "REACHED_OUT"}'
    client.ask(
        "PATCH", f"/api/v1/leads/{site.pending.pop()}", body, Content_Type="application/json"
    )


TERMS = ("a", "ana", "LD-")  # one letter, a common name, the start of every reference
ROWS = 1000  # leads in each database before the requests are compared
MARKS = 30
SUBMIT = Scenario("submit 50 KB", submit(50 * KB), 150, ("limit", "limit with rows", "peer"))
DELIVERED = Scenario("submit 50 KB, both e-mails sent", submit(50 * KB), 50)
LIST = Scenario("list, JSON of 25", get(f"{JSON}&status=PENDING&page=1"), 300, ("limit", "peer"))
COMPARED = [
    SUBMIT,
    Scenario("submit 5 MB", submit(FULL), 15, ("limit", "peer")),
    LIST,
    Scenario("list, page of 25", get("/dashboard/?size=25&status=PENDING"), 150, ("limit",)),
    Scenario("list, searched", get(f"{JSON}&page=1&q={SOUGHT}"), 200),
    Scenario("read a lead", get("/api/v1/leads/{id}"), 200),
    Scenario("mark a lead", _mark, MARKS),
    Scenario("download 5 MB", get("/api/v1/leads/{id}/resume"), 50, ("limit", "peer")),
]
LISTS = [
    Scenario("first page", get(f"{JSON}&page=1"), 60),
    Scenario("last page", get(f"{JSON}&page={{last}}"), 60),
    Scenario("one status", get(f"{JSON}&status=PENDING&page=1"), 60),
    Scenario("by name", get("/api/v1/leads?size=25&sort_by=last_name&sort_desc=false&page=1"), 60),
    Scenario("searched", get(f"{JSON}&q={SOUGHT}"), 60),
    Scenario("dashboard", get("/dashboard/"), 40),
    Scenario("dashboard, last page", get(f"{DASHBOARD}&status=&page={{last}}"), 40),
    Scenario("dashboard, searched", get(f"{DASHBOARD}&status=&q={SOUGHT}"), 40),
]
