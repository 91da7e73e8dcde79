"""The metrics of several workers, including one that died, are added up."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.site import Site

BEARER = {"Authorization": "Bearer for the monitor"}
COUNT = re.compile(r'_seconds_count\{method="GET",route="/auth/login",status="200"\} ([0-9.]+)')


def test_workers_count_together(start_site: Callable[..., Site]) -> None:
    site = start_site(METRICS_TOKEN="for the monitor")

    def look(_number: int) -> None:
        httpx.get(f"{site.url}/auth/login").raise_for_status()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(60)))
    [folder] = site.server.instance.glob("metrics-*")
    assert len(list(folder.glob("histogram_*.db"))) == 2, "both workers have answered"
    seen = set()
    for _ in range(20):
        metrics = httpx.get(f"{site.url}/metrics", headers=BEARER).text
        count = COUNT.search(metrics)
        assert count
        seen.add(count[1])
    assert seen == {"60.0"}
    site.server.stop()
    site.server.start()
    metrics = httpx.get(f"{site.url}/metrics", headers=BEARER).text
    assert not COUNT.search(metrics), "a restart begins at zero"
