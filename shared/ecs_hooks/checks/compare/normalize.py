"""Replaces what differs between blue and green by design in texts of responses: addresses, captured values, hashes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks.assertions.patterns import replaced

if TYPE_CHECKING:
    from ecs_hooks.http.request import Request

ORIGIN = "{origin}"
"""Replaces the application's own address: it differs between blue and green."""
IGNORED = "{ignored}"
"""Replaces the match of an ignored pattern."""
HASH = "{hash}"
"""Replaces the hash of a build in the name of an asset."""

Normalize = Callable[[str], str]
"""Replaces what differs by design in a text."""

_COLON = r"(?::|%(?:25)*3a|&#x3a;|&#58;|&colon;)"
_SLASH = r"(?:\\?/|\\u002f|%(?:25)*2f|&#x2f;|&#47;|&sol;)"
"""A slash in a text, in JavaScript, percent-encoded once or several times, or as an entity of HTML."""
_END = r"(?![\w-]|\.\w|:\d)"
_MIN_CAPTURED = 4
"""Characters of the shortest captured text that is replaced. Replacing every `a` would hide differences."""

_EXTENSIONS = "js|mjs|cjs|css|map|json|wasm|png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf|eot|otf|webmanifest"
_SCRIPT = re.compile(r"(?:\.(?:min|chunk|bundle|module|esm))*\.(?:js|mjs|css|map)\b")
_ASSET_HASH = re.compile(
    # app.3f9a2c1b.js, logo-3f9a2c1b.png, main_0b1c2d3e.chunk.css
    rf"(?<=[\w\])-][._~-])(?P<hash1>[A-Za-z0-9_]{{6,64}}?)(?=(?:\.(?:min|chunk|bundle|module|esm))*\.(?:{_EXTENSIONS})\b)"
    # The name of a file is a hash: /assets/9e107d9d372bb682.js
    rf"|(?<=/)(?P<hash2>[A-Za-z0-9]{{8,64}})(?=\.(?:{_EXTENSIONS})\b)"
    # The id of a build: /_next/static/KjX9fQ2bTz8aYp1LmNo4c/_buildManifest.js
    r"|(?<=/static/|/assets/)(?P<hash3>[A-Za-z0-9_-]{8,64})(?=/)"
    # app.js?v=3f9a2c1b
    r"|(?<=[?&]v=)[\w.-]+|(?<=\.css\?)[\w-]{6,64}$|(?<=\.js\?)[\w-]{6,64}$"
    # Content-Security-Policy and subresource integrity.
    r"|(?<=nonce-)[\w+/=-]+|(?<=sha256-)[\w+/=-]+|(?<=sha384-)[\w+/=-]+|(?<=sha512-)[\w+/=-]+"
)
_HEXADECIMAL = re.compile(r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}", re.IGNORECASE)
_OF_SCRIPT = re.compile(r"[0-9a-f]{8,}|(?=.*[A-Z0-9])(?![A-Z]+$|[A-Z]?[a-z_-]+\d*$)[A-Za-z0-9_-]{8}")
"""Hashes of webpack in hexadecimal, perhaps without a letter, and those of Rollup, Vite and esbuild: eight characters of Base64 or
Base32, but not a word."""
_HUMP = re.compile(r"[a-z][A-Z]|[A-Za-z]\d|\d[A-Za-z]")
_LONG, _MIN_HUMPS = 16, 3


def _is_hash(text: str, *, of_script: bool) -> bool:
    """Return whether a part of a name is the hash of a content or the id of a build, and not a word or a version."""
    if _HEXADECIMAL.fullmatch(text) or (of_script and _OF_SCRIPT.fullmatch(text)):
        return True
    return len(text) >= _LONG and any(map(str.isdigit, text)) and len(_HUMP.findall(text)) >= _MIN_HUMPS


def without_hashes(text: str) -> str:
    """Return a text with the hashes in the names of assets replaced."""

    def replace(found: re.Match[str]) -> str:
        of_script = found.lastgroup == "hash1" and _SCRIPT.match(text, found.end()) is not None
        return HASH if found.lastgroup is None or _is_hash(found[0], of_script=of_script) else found[0]

    return _ASSET_HASH.sub(replace, text) if "/" in text or "." in text or "-" in text else text


def normalizers(
    blue: Request,
    green: Request,
    blue_prefix: str,
    green_prefix: str,
    patterns: Sequence[str] = (),
) -> tuple[Normalize, Normalize]:
    """Return the functions that normalize texts of blue, and texts of green.

    If both have the same address, a difference in it is the application's, and addresses stay as they are.

    Parameters
    ----------
    blue, green
        The same request to both.
    blue_prefix, green_prefix
        The path of each base URL; empty without one.
    patterns
        Regular expressions (RE2) whose matches are not compared.
    """
    if (blue.url.origin, blue.server_name, blue_prefix) == (green.url.origin, green.server_name, green_prefix):
        return _with_patterns(str, patterns), _with_patterns(str, patterns)
    of_blue, of_green = _own_address(blue, blue_prefix), _own_address(green, green_prefix)
    return _with_patterns(of_blue, patterns), _with_patterns(of_green, patterns)


def with_captured(normalize: Normalize, captured: Mapping[str, Any]) -> Normalize:
    """Return a function that also replaces the values that a login has captured by their names."""
    known = {text: name for name, value in captured.items() if len(text := _text(value)) >= _MIN_CAPTURED}
    if not known:
        return normalize
    # The longest first, because one may begin with another.
    found = re.compile("|".join(re.escape(each) for each in sorted(known, key=len, reverse=True)))
    return lambda text: found.sub(lambda match: f"{{{known[match[0]]}}}", normalize(text))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def _with_patterns(normalize: Normalize, patterns: Sequence[str]) -> Normalize:
    if not patterns:
        return normalize

    def without(text: str) -> str:
        for pattern in patterns:
            text = "".join(replaced(pattern, IGNORED, text))
        return normalize(text)

    return without


def _own_address(request: Request, prefix: str) -> Normalize:
    hosts = sorted({request.server_name, request.url.host}, key=len, reverse=True)
    names = "|".join(map(re.escape, hosts))
    ports = {str(request.url.port), *re.findall(r":(\d+)$", request.host)}
    bracket, end_bracket = r"(?:\[|%(?:25)*5b)?", r"(?:\]|%(?:25)*5d)?"
    # The application may know its address by the Host header, or by the load balancer's headers for protocol and port.
    url = rf"(?:\b(?:https?|wss?){_COLON})?{_SLASH}{_SLASH}{bracket}(?:{names}){end_bracket}(?:{_COLON}\d+)?{_END}"
    bare = rf"(?<![\w.@-]){bracket}(?:{names}){end_bracket}{_COLON}(?:{'|'.join(sorted(ports))}){_END}"
    # A name without a port is an address only if it cannot be a word.
    dotted = "|".join(re.escape(each) for each in hosts if "." in each or ":" in each)
    alone = rf"|(?<![\w.@/-]){bracket}(?:{dotted}){end_bracket}{_END}" if dotted else ""
    own = re.compile(rf"{url}|{bare}{alone}", re.IGNORECASE)
    encoded_prefix = "".join(_SLASH if each == "/" else re.escape(each) for each in prefix)
    path = (
        re.compile(rf"(^|{re.escape(ORIGIN)}){encoded_prefix}(?={_SLASH}|[?#\"'\s]|%(?:25)*(?:3f|23)|$)", re.IGNORECASE)
        if prefix
        else None
    )
    lowered = [each.lower() for each in hosts]

    def normalize(text: str) -> str:
        within = text.lower()
        if any(each in within for each in lowered):
            text = own.sub(ORIGIN, text)
        return path.sub(r"\1", text) if path is not None else text

    return normalize
