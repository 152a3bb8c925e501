"""Names of members: which are keys of a map, such as ids, and which belong to values of one process.

A map whose keys are ids has no member that every response has. Its values share a path, `$.users.*.age`, and where blue and
green have other ids in all responses, only the shapes of the values can be compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

RARE = 2
"""A name in at most so many responses is a key, such as an id, and not a name that the application always uses."""

_NEARLY_ALL = 0.9
_SELDOM = 0.5
_MANY = 20
"""Number of names, each in fewer than half of the responses, from which on they are the keys of a map."""
_FAMILY = 5
"""Number of names that differ only in a number or at their end, such as `u1` and `u17`, or `worker-ab` and `worker-cd`, from which
on they are keys of a map."""
_ID = re.compile(
    r"[A-Za-z_.:-]*\d{3,}[\w.:-]*"  # 1042, user_1042, ord-2026-001
    r"|(?=[\w-]*\d)[0-9a-fA-F-]{8,}"  # a UUID, a hash
    r"|(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{12,}"  # a random text
    r"|[^@\s]+@[^@\s]+\.[^@\s]+"  # an e-mail address
    r"|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|(?:ip|host|i|task|pod|worker)-[\w.-]*\d[\w.-]*"
)
_DIGITS = re.compile(r"\d+")
_PREFIX = re.compile(r".+[-_:./](?=[^-_:./]+$)")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LOCAL = re.compile(
    r"(?:\w+ )?uptime(?: \w+)?|p?pid|process id|(?:num |active |live )?(?:goroutines?|threads)(?: count)?"
    r"|(?:\w+ )?rss(?: \w+)?|heap(?: \w+)*|gc(?: \w+)*|load (?:avg|average)|loadavg|cpu(?: \w+)?"
    r"|(?:mem|memory)(?: (?:used|usage|free|bytes|percent|mb|kb|rss))"
    r"|(?:\w+ )?(?:queue|backlog)(?: (?:depth|length|len|size|items|count))?|(?:\w+ )?(?:in flight|inflight)(?: \w+)?"
    r"|(?:(?:open|active|idle|current|total|db|client|pool|used) )*(?:connections?|conns?)(?: (?:count|open|active|idle|used|total))?"
    r"|(?:active|pending|queued|running|current|open) (?:requests|sessions|jobs|tasks|workers|users|sockets|files|handles)"
    r"|rps|qps|tps|throughput|requests per (?:second|minute)|open fds|fds|file descriptors|pool (?:size|idle|active|used|in use)|(?:requests|req) (?:total|served|handled|count)"
    r"|(?:total|served|handled) requests|cache (?:hits|misses|size|entries|evictions)|hits|misses|evictions"
)
_LOCAL_PARENT = re.compile(
    r"(?:[a-z]+ )*(?:queues?|pools?|connections|conns|threads|workers|cache|event ?loop|metrics|gauges|counters|runtime|process"
    r"|jvm|heap|gc|mem|memory|cpu)"
)
"""Names of objects whose numbers all belong to one process."""
_LOCAL_TIME = re.compile(
    r"(?:\w+ )?uptime(?: \w+)?|(?:process |server |app )?(?:started(?: at)?|start(?:up)? time|boot(?:ed)?(?: time| at)?)"
)


def map_keys(found: Sequence[Sequence[Mapping[str, Any]]], of_blue: int) -> frozenset[str]:
    """Return the names that are keys of a map.

    Parameters
    ----------
    found
        By response, the objects at one path; those of blue first.
    of_blue
        Number of responses of blue.
    """
    blue, green = (Counter(_names(side)) for side in (found[:of_blue], found[of_blue:]))
    blue_size, green_size = (sum(map(bool, side)) for side in (found[:of_blue], found[of_blue:]))
    names = blue + green
    keys = {name for name, times in names.items() if times <= RARE} if len(found) > 2 * RARE else set()
    changing = [
        name for name in names if blue[name] < _NEARLY_ALL * blue_size or green[name] < _NEARLY_ALL * green_size
    ]
    keys |= {name for name in changing if _ID.fullmatch(name)}
    families = Counter(family for name in changing for family in _families(name))
    keys |= {name for name in changing if any(families[family] >= _FAMILY for family in _families(name))}
    seldom = {name for name in changing if names[name] < _SELDOM * (blue_size + green_size)}
    return frozenset(keys | seldom if len(seldom) >= _MANY else keys)


def have_noise(found: Sequence[Sequence[Mapping[str, Any]]], keys: frozenset[str]) -> bool:
    """Return whether the keys vary between responses of one side, so that their values vary, too."""
    sets = {frozenset(name for each in objects for name in each if name in keys) for objects in found}
    return len(sets) > 2  # noqa: PLR2004 - a map may change once


def is_local(name: str, parent: str, kinds: set[str]) -> bool:
    """Return whether a member belongs to one process, such as a queue's depth: its value says nothing about another one.

    Parameters
    ----------
    name
        The name of the member; empty if it is none.
    parent
        The name of the object that it belongs to.
    kinds
        The kinds of its values.
    """
    if not kinds <= {"number", "null", "string", "absent"}:
        return False
    words, of_parent = (" ".join(_WORDS.findall(each)).lower() for each in (name, parent))
    if _LOCAL_TIME.fullmatch(words):
        return True
    return "string" not in kinds and bool(
        _LOCAL.fullmatch(words) or _LOCAL.fullmatch(f"{of_parent} {words}") or _LOCAL_PARENT.fullmatch(of_parent)
    )


def _families(name: str) -> set[str]:
    """Return what a name has in common with the names of its kind."""
    found = {_DIGITS.sub("0", name)} if _DIGITS.search(name) else set()
    prefix = _PREFIX.match(name)
    return found | {prefix[0]} if prefix else found


def _names(found: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    for objects in found:
        yield from {name: None for each in objects for name in each}
