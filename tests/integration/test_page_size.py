"""The list of leads is small after the proxy has compressed it."""

import gzip
import re

import pytest

from tests.clients import Client
from tests.crowd import gather
from tests.integration.desk import LIST
from tests.servers import ROOT

KB = 1000


@pytest.mark.databases("sqlite")
def test_a_compressed_list_of_25_leads_is_small(signed_in: Client) -> None:
    gather(3000)
    configuration = (ROOT / "deploy" / "nginx.conf").read_text()
    [level] = re.findall(r"gzip_comp_level (\d);", configuration)
    page = signed_in.get(f"{LIST}?size=25")
    assert page.text.count('id="lead-') == 25
    assert len(gzip.compress(page.data, int(level))) <= 6 * KB
