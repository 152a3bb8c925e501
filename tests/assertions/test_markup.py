from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from urllib3 import HTTPHeaderDict

import ecs_hooks
from ecs_hooks.assertions.markup import MarkupError, find_css, find_xpath
from ecs_hooks.assertions.query import Assertion, Query
from ecs_hooks.core.deadline import Deadline, DeadlinePassedError, limited_by
from ecs_hooks.core.outcome import Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.response import Response
from ecs_hooks.http.url import Url
from tests.checks.asking import ask
from tests.http.fixtures import Serve
from tests.http.servers import replying

PAGE = """<!DOCTYPE html>
<title>Shop &amp; Co</title><meta name=build content="42">
<BODY Class=home>
<p class="a b" class=c>x<b>y</b>z
<ul><li>1<li id=two>2</ul>
<form><input name=csrf value=t0ken><br></form>
<table><tr><td>1<th>2<tr><td>3</table>
<script>if (a < b) { "<p>" }</script>
tail"""
FEED = """<?xml version="1.0" encoding="utf-8"?>
<r xmlns="urn:a" xmlns:b="urn:b"><b:i k="1">&lt;x&gt;</b:i><i>2</i><![CDATA[<&>]]></r>"""


def whole(content: bytes, content_type: str = "text/html") -> Response:
    headers = HTTPHeaderDict({"Content-Type": content_type})
    return Response(200, headers, content, 0.1, "GET http://x/", Url.parse("http://x/"))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("//title", ["Shop & Co"]),
        ("string(/html/head/title)", ["Shop & Co"]),
        ("/html/head/meta[@name='build']/@content", ["42"]),
        ("/html/body/@class", ["home"]),
        ("//p/@class", ["a b"]),
        ("//p/b", ["y"]),
        ("normalize-space(//p)", ["xyz"]),
        ("/html/body/ul/li", ["1", "2"]),
        ("//li[@id='two']/text()", ["2"]),
        ("//tr[1]/*", ["1", "2"]),
        ("count(//tr)", [2]),
        ("count(//li) = 2", [True]),
        ("number(//li[2]) div 4", [0.5]),
        ("1.5", [1.5]),
        ("number(//nowhere)", []),
        ("boolean(//nowhere)", [False]),
        ("//nowhere", []),
        ("//input[@name='csrf']/@value", ["t0ken"]),
        ("//script/p", []),
        ("contains(/html/body, 'tail')", [True]),
    ],
)
def test_xpath_on_html(path: str, values: list[Any]) -> None:
    assert Query.model_validate({"query": "xpath", "path": path}).find(whole(PAGE.encode())).values == values


@pytest.mark.parametrize(
    ("selector", "attribute", "values"),
    [
        ("title", None, ["Shop & Co"]),
        ("UL > LI:nth-child(2)", None, ["2"]),
        ("p.a b, #two", None, ["y", "2"]),
        ("input[name=csrf]", "VALUE", ["t0ken"]),
        ("li", "id", ["two"]),
        ("li:not([id])", None, ["1"]),
        ("ul:has(#two) li:first-child", None, ["1"]),
        (".nowhere", None, []),
    ],
)
def test_css_on_html(selector: str, attribute: str | None, values: list[str]) -> None:
    query = {"query": "css", "selector": selector, **({} if attribute is None else {"attribute": attribute})}
    assert Query.model_validate(query).find(whole(PAGE.encode())).values == values


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("//b:i", ["<x>"]),
        ("//b:i/@k", ["1"]),
        ("/_:r/_:i", ["2"]),
        ("//i", []),
        ("string(/_:r)", ["<x>2<&>"]),
    ],
)
def test_xpath_on_xml(path: str, values: list[Any]) -> None:
    for content_type in ("application/xml", "text/xml; charset=utf-8", "application/atom+xml", "", "application/json"):
        query = Query.model_validate({"query": "xpath", "path": path})
        assert query.find(whole(FEED.encode(), content_type)).values == values


def test_css_on_xml_means_every_namespace_and_the_case_of_names() -> None:
    assert find_css("i", None, FEED, xml=True) == ["<x>", "2"]
    assert find_css("r > i", "k", FEED, xml=True) == ["1"]
    assert find_css("I", None, FEED, xml=True) == []


@pytest.mark.parametrize(
    ("content", "content_type", "found"),
    [
        ("<?xml version='1.0' encoding='iso-8859-1'?><a>\u00e9</a>".encode("latin-1"), "application/xml", "\u00e9"),
        ("<meta charset=iso-8859-1><a>\u00e9</a>".encode("latin-1"), "text/html", "\u00e9"),
        ("<meta charset=iso-8859-1><a>\u00e9</a>".encode(), "text/html; charset=utf-8", "\u00e9"),
        ("<meta charset=nonsense><a>\u00e9</a>".encode(), "text/html", "\u00e9"),
        ("\ufeff<?xml version='1.0'?><a>\u00e9</a>".encode(), "application/xml", "\u00e9"),
        (b"<?xml version='1.0'?><a>&#233;", "text/html", "\u00e9"),
    ],
)
def test_the_charset_is_the_declared_one(content: bytes, content_type: str, found: str) -> None:
    assert Query.model_validate({"query": "xpath", "path": "string(//a)"}).find(
        whole(content, content_type)
    ).values == [found]


@pytest.mark.parametrize(
    ("document", "path", "values"),
    [
        ("<p>a", "/html/body/p", ["a"]),
        ("a<p>b</p>c", "string(/html/body)", ["abc"]),
        ("<title>t</title>a", "/html/head/title", ["t"]),
        ("<p>a<title>t</title>", "/html/body/p/title", ["t"]),
        (
            "<html lang=en><head><title>t</title></head><body id=b>a</body></html>",
            "/html/@lang | /html/body/@id",
            ["en", "b"],
        ),
        ("<html lang=en><html lang=de><p>a", "/html/@lang", ["en"]),
        ("<body>a<p>b</p>c</body>d<title>t</title>", "string(/html/body)", ["abcdt"]),
        ("  <!-- c --> <p>a", "/html/body/p", ["a"]),
        ("<p>a<div>b</div>", "/html/body/div", ["b"]),
        ("<div><p>a</div>b", "/html/body/div/p", ["a"]),
        ("<dl><dt>a<dd>b<dt>c</dl>", "/html/body/dl/*", ["a", "b", "c"]),
        ("<p>a</b></nowhere>b", "//p", ["ab"]),
        ("<p>a<b", "//p", ["a<b"]),
        ("<img src=x>a", "//img/@src", ["x"]),
        ("<input disabled>", "//input/@disabled", [""]),
        ("", "//p", []),
    ],
)
def test_the_tree_of_html(document: str, path: str, values: list[str]) -> None:
    assert find_xpath(path, document, xml=False) == values


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "the document declares entities, which are not read"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "the document declares entities"),
        ('<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/x">%b;]><a/>', "the document declares entities"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x"><a>&b;</a>', "the document has an entity that is unknown"),
        ("<a>", "the document is not well-formed XML: no element found in line 1"),
        ("<a>&b;</a>", "the document is not well-formed XML: undefined entity in line 1"),
        ("", "the document is not well-formed XML"),
        ("<a>" * 200 + "</a>" * 200, "the document is nested too deeply"),
        (f"<a>{'<b/>' * 50_001}</a>", "the document has more than 50000 elements and attributes"),
        (f"<a>{'<b/>' * 10_001}</a>", "finds more than 10000 values"),
    ],
)
def test_xml_that_is_not_read(document: str, problem: str) -> None:
    with pytest.raises(MarkupError, match=problem):
        find_xpath("//*", document, xml=True)


def test_entities_of_html_are_known_in_xhtml() -> None:
    document = '<!DOCTYPE html PUBLIC "x" "http://127.0.0.1:9/x.dtd"><p>a&nbsp;b</p>'
    assert find_xpath("string(/p)", document, xml=True) == ["a\u00a0b"]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("<div>" * 200, "the document is nested too deeply"),
        ("<p>" * 50_001, "the document has more than 50000 elements"),
        ("<![foo[x]]>", "the document is not HTML"),
    ],
)
def test_html_that_is_not_read(document: str, problem: str) -> None:
    for condition in ({"exists": False}, {"not": {"contains": "x"}}):
        for query in ({"query": "xpath", "path": "//b"}, {"query": "css", "selector": "b"}):
            assertion = Assertion.model_validate({**query, **condition})
            assert (assertion.problem_in(whole(document.encode()), Redactor()) or "").startswith(problem)


@pytest.mark.parametrize("path", ["//*[count(//*) > 1]", "//*[//*[//*]]", "count(//p/following::p)"])
def test_an_expensive_path_ends_at_the_deadline(path: str) -> None:
    with limited_by(Deadline.after(0.3)), pytest.raises(DeadlinePassedError):
        find_xpath(path, "<p>x" * 5000, xml=False)


@pytest.mark.parametrize("document", ["<" * 300_000, "<p>" * 40_000])
def test_a_document_is_read_until_the_deadline(document: str) -> None:
    with limited_by(Deadline.after(-1)), pytest.raises(DeadlinePassedError):
        find_xpath("//p", document, xml=False)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"query": "xpath", "path": "//p["}, "is not a valid XPath 1.0: unexpected end of source"),
        ({"query": "xpath", "path": "matches(., 'a')"}, "is not a valid XPath 1.0: unknown function 'matches'"),
        ({"query": "xpath", "path": "$x"}, "is not a valid XPath 1.0: unknown variable 'x'"),
        ({"query": "xpath", "path": "//p | 1"}, "is not a valid XPath 1.0"),
        ({"query": "xpath", "path": "id('a')/b"}, r"is not a valid XPath 1.0: id\(\) requires a document type"),
        ({"query": "xpath", "path": f"{'-' * 990}1"}, "is not a valid XPath 1.0: it is nested too deeply"),
        ({"query": "css", "selector": "p["}, "is not a valid CSS selector: Expected"),
        (
            {"query": "css", "selector": "a:hover"},
            "is not a valid CSS selector: :hover matches nothing without a browser",
        ),
        ({"query": "css", "selector": "p::before"}, "is not a valid CSS selector: Pseudo-elements are not supported"),
        ({"query": "css", "selector": "p:nope"}, "is not a valid CSS selector: The pseudo-class :nope is unknown"),
        ({"query": "css", "selector": "svg|a"}, "is not a valid CSS selector: prefix 'svg' is not declared"),
    ],
)
def test_invalid_queries_are_refused(query: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Query.model_validate(query)


@pytest.mark.parametrize("path", ["//a:b/c:*[@d:e='f:g']", "a::b" and "child::b", "//*[@id = 'id(']"])
def test_valid_paths_with_prefixes_are_accepted(path: str) -> None:
    Query.model_validate({"query": "xpath", "path": path})


def test_a_prefix_that_the_document_does_not_declare_does_not_pass() -> None:
    assertion = Assertion.model_validate({"query": "xpath", "path": "//c:i", "exists": False})
    problem = assertion.problem_in(whole(FEED.encode(), "text/xml"), Redactor())
    assert problem == "cannot be evaluated: prefix 'c' is not declared"


def test_a_value_that_cannot_be_computed_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def select(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr("elementpath.xpath1.XPath1Parser.parse", select)
    with pytest.raises(MarkupError, match="nested too deeply"):
        find_xpath("//p", PAGE, xml=False)


@pytest.mark.parametrize(
    ("assertion", "problem"),
    [
        ({"query": "xpath", "path": "//li", "filters": ["count"], "equals": 2}, None),
        ({"query": "xpath", "path": "//li", "filters": [{"nth": 1}, "to_int"], "equals": 2}, None),
        ({"query": "xpath", "path": "string(//li)", "filters": ["to_int"], "equals": 1}, None),
        ({"query": "xpath", "path": "//li", "min": 1}, None),
        ({"query": "xpath", "path": "//li", "min": 2}, 'is "1", expected at least 2 (value 1 of 2)'),
        ({"query": "xpath", "path": "number(//nowhere)", "not_equals": 5}, "is missing"),
        ({"query": "css", "selector": "li", "filters": ["count"], "equals": 2}, None),
        ({"query": "css", "selector": "title", "equals": "Shop & Co"}, None),
        ({"query": "css", "selector": "input", "attribute": "value", "equals": "x"}, 'is "t0ken", expected "x"'),
        ({"query": "css", "selector": "input[name=csrf_token]", "attribute": "value", "exists": True}, "is missing"),
    ],
)
def test_assertions(assertion: dict[str, Any], problem: str | None) -> None:
    assert Assertion.model_validate(assertion).problem_in(whole(PAGE.encode()), Redactor()) == problem


def test_labels() -> None:
    assert Query.model_validate({"query": "xpath", "path": "//p"}).label == "xpath //p"
    assert Query.model_validate({"query": "css", "selector": "a"}).label == "css a"
    assert Query.model_validate({"query": "css", "selector": "a", "attribute": "href"}).label == "css a href"


def test_a_page_of_a_server(serve: Serve) -> None:
    server = serve(replying(PAGE.encode(), "Content-Type: text/html"))
    asserts = [{"query": "css", "selector": "li", "filters": ["count"], "equals": 2}]
    assert ask(server.url, expect={"asserts": asserts}).status is Status.PASS
    failed = ask(server.url, expect={"asserts": [{"query": "xpath", "path": "//h1", "exists": True}]})
    assert failed.reason.endswith("xpath //h1 is missing")


PIECES = [
    *(
        "<",
        ">",
        "</",
        "/>",
        "<!",
        "<!--",
        "-->",
        "<?xml version='1.0'?>",
        "<![CDATA[",
        "]]>",
        "&",
        "&amp;",
        "&#x0;",
        "&nbsp;",
        "'",
        '"',
        "=",
    ),
    *(
        "<p>",
        "</p>",
        "<html>",
        "</html>",
        "<head>",
        "<body a=b>",
        "<table>",
        "<tr>",
        "<td>",
        "<a b:c='d'>",
        "<script>",
        "</script>",
        "<br/>",
    ),
    *("<!DOCTYPE a [", "]>", "<!ENTITY b 'c'>", "xmlns:b='u'", "x", " ", "\x00", "\ud800", "\u00e9"),
]
PATHS = [
    "//*",
    "string(/)",
    "count(//@*)",
    "//p[2]",
    "/html/body/*",
    "//b:c",
    "//text()",
    "sum(//p)",
    "//p | //a",
    "//p/following::*",
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from(PATHS), st.booleans())
def test_every_document_is_read_or_refused(text: str, path: str, xml: bool) -> None:
    for find in (lambda: find_xpath(path, text, xml=xml), lambda: find_css("p, [b] > *", "b", text, xml=xml)):
        try:
            values: list[Any] = find()
        except MarkupError:
            continue
        assert all(isinstance(each, str | float | int) for each in values)


def test_other_queries_do_not_load_the_evaluation_of_markup() -> None:
    program = (
        "import sys; from ecs_hooks.plan.model import Plan;"
        "Plan.parse({'checks': [{'type': 'http', 'expect': {'asserts': [{'query': 'body', 'min': 1}]}}]});"
        "print({'elementpath', 'cssselect', 'html.parser', 'xml.parsers.expat'} & set(sys.modules))"
    )
    environment = {"PYTHONPATH": str(Path(ecs_hooks.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "set()"
