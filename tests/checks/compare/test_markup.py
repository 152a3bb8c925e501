from __future__ import annotations

import time

import pytest

from ecs_hooks.checks.compare import markup
from ecs_hooks.checks.compare.json_diff import Value
from ecs_hooks.checks.compare.markup import Markup, markup_of


def parsed(text: str, *, is_xml: bool = False) -> Markup:
    found = markup_of(text, str, is_xml=is_xml)
    assert found is not None
    return found


def texts(text: str) -> dict[str, list[object]]:
    return {
        path: [each.content for each in values]
        for path, values in parsed(text).values.items()
        if values[0].kind != "elements"
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<ul><li>a<li>b</ul>c", {"/ul/li/text()": ["a", "b"], "/text()": ["c"]}),
        ("<ul><li><ul><li>a</ul><li>b</ul>", {"/ul/li/ul/li/text()": ["a"], "/ul/li/text()": ["b"]}),
        ("<b><li>a<i><li>b", {"/b/li/text()": ["a", "b"]}),
        ("<b><li>a", {"/b/li/text()": ["a"]}),
        ("<div><p>a<p>b</div>", {"/div/p/text()": ["a", "b"]}),
        ("<p>a<br>b<img src=x>", {"/p/text()": ["a", "b"], "/p/img/@src": ["x"]}),
        ("<p>a</b></p>b", {"/p/text()": ["a"], "/text()": ["b"]}),
        ("<p>a &amp;\n b</p>", {"/p/text()": ["a & b"]}),
        ("<p> \n</p><p/>", {}),
        ("<a data-v-7ba5bd90 class='b a'>", {"/a/@data-v-{hash}": [""], "/a/@class": ["a b"]}),
        ("<a class='css-1a2b3c x_y__a1B2c'>", {"/a/@class": ["css-{hash} x_y__{hash}"]}),
        ("<a class='sc-bdVaJa kZQvWq'>", {"/a/@class": ["sc-{hash} {hash}"]}),
        ("<a class='kZQvWq nav__link'>", {"/a/@class": ["kZQvWq nav__link"]}),
        ("<script>a=1;b=2</script>", {"/script/text()": ["a=1;", "b=2"]}),
        ("<script>{oops</script>", {"/script/text()": ["{", "oops"]}),
        ("<p>a<!-- b", {"/p/text()": ["a", "<!-- b"]}),
        ("<p>a <b x='", {"/p/text()": ["a", "<b x='"]}),
    ],
)
def test_values_have_the_path_of_their_element(text: str, expected: dict[str, list[object]]) -> None:
    assert texts(text) == expected


def test_elements_are_counted_and_json_is_kept() -> None:
    found = parsed('<p></p><p></p><script>window.x = {"a": 1};</script><script>[2]</script>')
    assert found.values["/p"] == (Value("elements", 2),)
    assert found.embedded == {"/script": [{"a": 1}, [2]]}


def test_xml_elements_are_as_they_are() -> None:
    found = parsed("<a><link>x</link><b/><![CDATA[c & d]]></a>", is_xml=True)
    assert found.values["/a/link/text()"] == (Value("text", "x"),)
    assert found.values["/a/text()"] == (Value("text", "c & d"),)


def test_values_of_secret_names_are_secret() -> None:
    found = parsed("<input name=csrf value=x><input name=q value=y><meta name=csrf-token content=z><p data-token=t>")
    assert found.secret_paths >= {"/input[csrf]/@value", "/meta[csrf-token]/@content", "/p/@data-token"}
    assert "/input/@value" not in found.secret_paths


def test_too_deep_elements_share_a_path() -> None:
    assert len(parsed("<b>" * 300).values) == 101


def test_documents_that_cannot_be_read_have_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    assert markup_of("<p>" * 10_001, str, is_xml=False) is None
    assert markup_of("<![foo[x]]>", str, is_xml=False) is None
    monkeypatch.setattr(markup, "MAX_VALUES", 3)
    assert markup_of("<p>a</p>", str, is_xml=False) is not None
    assert markup_of("<p>a</p><p>b</p>", str, is_xml=False) is None


@pytest.mark.parametrize("text", ["<!--", "<a ", '<a b="', "&", "<?", "</p>", "<script>"])
def test_hostile_markup_takes_no_time(text: str) -> None:
    """The parser's `close` takes minutes for the first of them."""
    began = time.process_time()
    markup_of(text * (400_000 // len(text)), str, is_xml=False)
    assert time.process_time() - began < 10
