"""Make sure that the built documentation loads nothing from elsewhere: it reads offline and tells nobody.

python tools/check_site.py site
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
HARMLESS = {"canonical", "next", "prev", "edit", "license"}


class Loads(HTMLParser):
    """Collects what a page fetches from another host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        values = dict(attrs)
        address = values.get(LOADING.get(tag, ""), "") or ""
        if address.startswith(("http:", "https:", "//")) and values.get("rel") not in HARMLESS:
            self.found.append(address)


def loads(page: str) -> list[str]:
    """The addresses that a page fetches from another host."""
    parser = Loads()
    parser.feed(page)
    return parser.found


def main(arguments: list[str]) -> int:
    """Check every page below a folder; 1 when one loads from elsewhere, or when there is none."""
    pages = sorted(Path(arguments[0]).rglob("*.html"))
    said = [f"{path}: {one}" for path in pages for one in loads(path.read_text(encoding="utf-8"))]
    print("\n".join(said) if said else f"{len(pages)} pages, nothing is loaded from elsewhere")
    return 1 if said or not pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
