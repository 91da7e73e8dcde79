"""Link targets in the docs exist, and pictures are small."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
PAGES.insert(0, ROOT / "README.md")
PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())
PICTURE_MAX = 300 * 1024


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_light_and_stands_in_a_page(picture: Path) -> None:
    assert picture.stat().st_size <= PICTURE_MAX
    assert any(f"pictures/{picture.name})" in page.read_text() for page in PAGES)


def test_every_picture_says_in_words_what_it_shows() -> None:
    without_words = re.compile(r"!\[\s*\]")
    assert [page.name for page in PAGES if without_words.search(page.read_text())] == []
