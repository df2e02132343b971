"""Elements of SVG in which text stays text: a file name can never become markup."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def element(tag: str, *inside: Element | str, **attributes: object) -> Element:
    """An element that contains texts and other elements.

    Attribute names are spelled as Python allows: `class_` is `class`, `text_anchor` is
    `text-anchor`. An attribute of value None is left out.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_").replace("_", "-"), str(value))
    for part in inside:
        if isinstance(part, str):
            _append_text(made, part)
        else:
            made.append(part)
    return made


def _append_text(made: Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def as_markup(made: Element) -> str:
    """The element as markup inside an HTML page, its texts and attributes escaped."""
    return ElementTree.tostring(made, encoding="unicode", method="html")
