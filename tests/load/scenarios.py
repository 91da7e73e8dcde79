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
PAGE = "/api/v1/leads?size=25&sort_by=created_at&sort_desc=true"
PAGES = {
    "first page": f"{PAGE}&page=1",
    "middle page": f"{PAGE}&page={{middle}}",
    "last page": f"{PAGE}&page={{last}}",
    "filtered": f"{PAGE}&status=PENDING&page=1",
    "sorted": "/api/v1/leads?size=25&sort_by=last_name&sort_desc=false&page=1",
    "searched": f"{PAGE}&q={SOUGHT}",
}
DASHBOARD = {
    "dashboard, first page": "/dashboard/",
    "dashboard, last page": "/dashboard/?status=&sort_by=created_at&size=25&page={last}",
    "dashboard, filtered": "/dashboard/?status=REACHED_OUT&sort_by=last_name",
    "dashboard, searched": f"/dashboard/?status=&q={SOUGHT}",
    "dashboard, a lead": "/dashboard/leads/{id}?status=&sort_by=email",
}
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
        return Client(self.rival, self.headers)

    def prepare(self, leads: int = 40) -> None:
        """Sign in, and store the leads that the scenarios read and mark."""
        with Client(self.rival) as client:
            if self.rival.name != "limit":
                client.sign_in()
            if self.rival.name == "leadapp":
                client.sign_in_to_pages()
            self.headers = client.headers
            self.stored = client.submit(f"stored{next(new)}@example.com", content(FULL))
            self.pending = [
                client.submit(f"p{next(new)}@example.com", content(50 * KB)) for _ in range(leads)
            ]


Act = Callable[[Client, Site], object]


@dataclass(frozen=True)
class Scenario:
    """One kind of request, its number per measurement, and whether the limit and peer answer it."""

    name: str
    act: Act
    times: int = 100
    limit: bool = False
    peer: bool = True


def _submit(size: int) -> Act:
    return lambda client, site: client.submit(f"new{next(new)}@example.com", content(size))


def _get(path: str) -> Act:
    def act(client: Client, site: Site) -> bytes:
        middle, last = site.leads // 50, site.leads // 25
        return client.ask("GET", path.format(id=site.stored, middle=middle, last=last))

    return act


def _patch(client: Client, site: Site) -> None:
    body = b'{"status": "REACHED_OUT"}'
    client.ask(
        "PATCH", f"/api/v1/leads/{site.pending.pop()}", body, Content_Type="application/json"
    )


ROWS = 1000  # leads in each database before the scenarios begin
LISTS = [Scenario(name, _get(path), 50) for name, path in PAGES.items()]
DASHBOARD_PAGES = [Scenario(name, _get(path), 30, peer=False) for name, path in DASHBOARD.items()]
GROWING = LISTS + DASHBOARD_PAGES
LETTERS = Scenario("submit 50 KB and send both e-mails", _submit(50 * KB), 30)
# The limit needs a third of a millisecond for a list, and the clock ticks every 10 ms. The lists
# take 400 requests so that one tick does not decide the ratio.
_SUBMITS_AND_LISTS = [
    Scenario("submit 50 KB", _submit(50 * KB), 200, limit=True),
    Scenario("submit 1 MB", _submit(MB), 40, limit=True),
    Scenario("submit 5 MB", _submit(FULL), 20, limit=True),
    Scenario(
        "list, a page of 25",
        _get("/dashboard/?size=25&status=PENDING"),
        400,
        limit=True,
        peer=False,
    ),
    Scenario("list, JSON of 25", _get(f"{PAGE}&status=PENDING"), 400, limit=True),
]
_MORE_LISTS = [Scenario(f"list, {one.name}", one.act) for one in LISTS if one.name != "filtered"]
_OTHERS = [
    Scenario("read a lead", _get("/api/v1/leads/{id}")),
    Scenario("mark a lead", _patch, 20),
    Scenario("download 5 MB", _get("/api/v1/leads/{id}/resume"), 40, limit=True),
    Scenario("sign in", lambda client, site: client.token(), 10),
]
SCENARIOS = _SUBMITS_AND_LISTS + _MORE_LISTS + _OTHERS
