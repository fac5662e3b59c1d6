"""What a browser loads of a page that follows something (`dashboards.stream`), before it asks for anything of anybody.

It holds no data, so nobody needs a token for it.  Style and scripts are inlined, allowed by their hashes, so that one
request paints the page; the data comes over `/events`, and the scripts write it as text only.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from dataclasses import dataclass
from importlib import resources

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M1 12 4 5l3 5 3-7 5 9z' fill='%230072b2'/%3E%3C/svg%3E"
)


@dataclass(frozen=True, slots=True)
class Document:
    """What a browser loads first: elements, and the style and scripts that are inlined in it.

    Attributes:
        body: the elements.
        styles: the files of the style, in order.
        scripts: the files of the scripts, in order.
        paths: under which paths it is served.
    """

    body: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    paths: tuple[str, ...] = ("/",)

    @property
    def html(self) -> str:
        """The whole HTML document."""
        styles = "\n".join(f"<style>{_part(name)}</style>" for name in self.styles)
        scripts = "\n".join(f"<script>{_part(name)}</script>" for name in self.scripts)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">\n'
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
            '<meta name="mobile-web-app-capable" content="yes">\n'
            f'<link rel="icon" href="{html.escape(ICON)}">\n<title>rowsync</title>\n'
            f"{styles}\n</head>\n{self.body}{scripts}\n</body>\n</html>\n"
        )

    @property
    def policy(self) -> str:
        """The content security policy: the page's own style and scripts, and nobody to talk to but its own server."""
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src {' '.join(map(_hash, self.scripts))}",
                f"style-src {' '.join(map(_hash, self.styles))}",
                "connect-src 'self'",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types 'none'",
            )
        )


@functools.cache
def _hash(name: str) -> str:
    digest = hashlib.sha256(_part(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@functools.cache
def _part(name: str) -> str:
    return resources.files("dashboards").joinpath(name).read_text("utf-8")
