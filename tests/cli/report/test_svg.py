from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from ecs_hooks_cli.report.svg import axis_label, chart, element, line, percent, rectangle, text


def test_elements_have_attributes_and_children() -> None:
    made = element(
        "g", "a < b", element("path", d="M0,0"), class_="x", stroke_width=1.5, viewBox="0 0 1 1", left_out=None
    )

    assert made == '<g class="x" stroke-width="1.5" viewBox="0 0 1 1">a &lt; b<path d="M0,0"></path></g>'


@given(st.text())
def test_text_is_escaped(words: str) -> None:
    found: list[tuple[str, list[tuple[str, str | None]]]] = []
    texts: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            texts.append(data)

    reader = Reader()
    reader.feed(element("text", words, title=words))
    reader.close()

    assert [tag for tag, _ in found] == ["text"]
    assert [name for name, _ in found[0][1]] == ["title"]
    assert "".join(texts) == words


def test_markup_is_not_escaped_again() -> None:
    assert chart(5, "a & b", Markup("<g></g>")) == (
        '<svg width="100%" height="5" role="img" aria-label="a &amp; b"><g></g></svg>'
    )


def test_lengths() -> None:
    assert [percent(each) for each in (0, 5.0, 12.345, 100)] == ["0%", "5%", "12.35%", "100%"]
    assert line(0, 1, 100, "100%", "grid") == '<line x1="0%" y1="1" x2="100%" y2="100%" class="grid"></line>'
    assert rectangle(10, 30, 1, 2, "bar", "<b>") == (
        '<rect x="10%" width="20%" y="1" height="2" class="bar"><title>&lt;b&gt;</title></rect>'
    )
    assert text(5, 6, "a") == '<text x="5%" y="6" text-anchor="start">a</text>'


def test_labels_stay_inside() -> None:
    anchors = [axis_label(at, 0, "a", narrow=True).split('text-anchor="')[1].partition('"')[0] for at in (0, 50, 100)]

    assert anchors == ["start", "middle", "end"]
