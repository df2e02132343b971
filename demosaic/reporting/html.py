"""Elements of HTML and SVG, in which any text is text: a file name can never become markup."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def element(tag: str, *inside: Element | str, **attributes: object) -> Element:
    """An element with texts and elements inside.

    Of attributes `class_` is `class`, `aria_label` is `aria-label`; True gives one without a
    value, None none.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            text = "" if value is True else str(value)
            made.set(name.rstrip("_").replace("_", "-"), _printable(text))
    for part in inside:
        if isinstance(part, str):
            _append_text(made, _printable(part))
        else:
            made.append(part)
    return made


def _append_text(made: Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def _printable(text: str) -> str:
    """What a file name that is no UTF-8 brings, as `\\udc..`."""
    return text.encode("utf-8", "backslashreplace").decode()


def as_html(made: Element) -> str:
    """The element as HTML. What is inside `script` and `style` is written as it is."""
    return ElementTree.tostring(made, encoding="unicode", method="html")
