"""SVG in which text stays text."""

from demosaic.reporting.svg import as_markup, element

STRANGE = "<script>alert('1')</script> & \"2\""
ESCAPED = "&lt;script&gt;alert('1')&lt;/script&gt; &amp; \"2\""


def test_text_and_attributes_are_never_markup() -> None:
    made = as_markup(element("p", STRANGE, element("b", "x"), STRANGE, title='"> & <b>'))
    assert made == f'<p title="&quot;&gt; &amp; <b&gt;">{ESCAPED}<b>x</b>{ESCAPED}</p>'


def test_attributes_are_named_as_python_can() -> None:
    made = element("a", class_="c", aria_label="l", href=None, tabindex=0)
    assert made.attrib == {"class": "c", "aria-label": "l", "tabindex": "0"}
