"""What the browser gets first: the page in its reader's language, one set of tags for previews, and page.js."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from words import ENGLISH, Language

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PARAMETER = "lang"  # of the parameter in the address, and of the cookie
PREVIEWS = re.compile(r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')
HTML = re.compile(r'<html\s+lang="[^"]*"')
CHARSET = '<meta charset="utf-8" />'
STILL = (  # here, as gradio lets no @media rule of a style sheet reach its own frame
    "<style>@media (prefers-reduced-motion: reduce) { *, ::before, ::after { animation-duration: 0.01ms !important; "
    "animation-iteration-count: 1 !important; transition-duration: 0.01ms !important; "
    "scroll-behavior: auto !important } }</style>"
)


# ---- which language ----


def chosen(languages: Collection[str], asked: str, headers: Mapping[str, str]) -> str:
    """The first of these that is one of the languages: asked for in the address, in the cookie, by the browser.

    Args:
        headers: names in small letters.
    """
    wishes = [asked, _cookie(headers.get("cookie", "")), *_accepted(headers.get("accept-language", ""))]
    return next((wish for wish in wishes if wish in languages), ENGLISH)


def _cookie(header: str) -> str:
    try:
        jar = SimpleCookie(header)
    except CookieError:  # of another app on this host
        return ""
    return jar[PARAMETER].value if PARAMETER in jar else ""


def _accepted(header: str) -> list[str]:
    """The languages that a browser accepts, the best first, without their regions."""
    parts = [part.strip().partition(";") for part in header.split(",")]
    weighed = sorted(parts, key=lambda part: -_weight(part[2]))
    return [tag.split("-")[0].strip().lower() for tag, _, _ in weighed]


def _weight(text: str) -> float:
    found = re.fullmatch(r"\s*q=([0-9.]{1,5})\s*", text)
    try:
        return float(found[1]) if found else 1.0
    except ValueError:
        return 0.0


# ---- the page ----


@dataclass(frozen=True)
class Preview:
    """The text that others show of a link to the page."""

    title: str
    description: str

    def within(self, language: Language) -> Preview:
        """The same in a language, as far as it has the words."""
        return Preview(*(language.words.get(text, text) for text in (self.title, self.description)))

    @property
    def tags(self) -> str:
        """One set of tags, as HTML."""
        return "".join(
            f'<meta property="og:{name}" content="{escape(text)}" />'
            for name, text in (("title", self.title), ("description", self.description), ("type", "website"))
        )


class Front:
    """Middleware that changes the one HTML page: its language and direction before anything is painted, its tags.

    Gradio sets `lang` to what the browser says, and no `dir`; so what the browser says is set first.

    Args:
        languages: {code: language} of the page.
        script: JavaScript that is run before gradio starts.
    """

    def __init__(self, app: App, *, languages: Mapping[str, Language], preview: Preview, script: str) -> None:
        self.app, self.languages, self.preview, self.script = app, languages, preview, script

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass on what is asked, and rewrite the answer when it is the page."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        asked = parse_qs(scope["query_string"].decode("latin-1")).get(PARAMETER, [""])[0]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        language = self.languages[chosen(self.languages, asked, headers)]
        start: Message = {}
        body = b""

        async def rewritten(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                keep = language.code if asked == language.code else None
                page = self.page(body.decode(), language).encode() if b"<html" in body[:200] else body
                await send({**start, "headers": _headers(start["headers"], len(page), keep)})
                await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, rewritten)

    def page(self, html: str, language: Language) -> str:
        """The page in a language."""
        html = HTML.sub(f'<html lang="{language.code}" dir="{language.direction}"', html, count=1)
        preview = self.preview.within(language)
        if preview.title != self.preview.title:  # gradio takes the document's title from its settings in the page
            before, after = (f'"title":{json.dumps(title)}' for title in (self.preview.title, preview.title))
            html = html.replace(before, after, 1)
        extra = f"{preview.tags}{STILL}<script>{_speaks(language.code)}</script><script>{self.script}</script>"
        return PREVIEWS.sub("", html).replace(CHARSET, CHARSET + extra, 1)


def _speaks(code: str) -> str:
    """JavaScript that lets the browser say that it speaks this language, and no other."""
    given = f'get: () => "{code}"', f'get: () => ["{code}"]'
    names = zip(("language", "languages"), given, strict=True)
    return "".join(f'Object.defineProperty(navigator, "{name}", {{ {get} }});' for name, get in names)


def _headers(headers: list[tuple[bytes, bytes]], length: int, keep: str | None) -> list[tuple[bytes, bytes]]:
    """The headers of a page of this length; a language that was asked for is kept for the next visit."""
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    cookie = f"{PARAMETER}={keep}; Path=/; Max-Age=31536000; SameSite=Lax"
    own = [(b"content-length", str(length).encode()), (b"vary", b"accept-language, cookie")]
    return [*kept, *own, *([(b"set-cookie", cookie.encode())] if keep else [])]
