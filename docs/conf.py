"""How Sphinx builds the documentation: `make docs`. Nothing is fetched, then or when it is read."""

from demosaic import __version__

project = "demosaic"
author = "The demosaic authors"
copyright = "2026, The demosaic authors"
release = __version__

extensions = [
    "myst_parser",  # pages are Markdown, which also reads well on the repository's site
    "sphinx.ext.autodoc",  # the Python reference comes from signatures and docstrings
    "sphinx.ext.viewcode",  # each function links to its source
]

html_theme = "furo"  # brings its own fonts and scripts
html_title = f"demosaic {release}"
html_copy_source = False

# Broken links, anchors and references are warnings, and `make docs` makes warnings errors.
nitpicky = True
nitpick_ignore_regex = [
    # Other projects' types: linking them would need their inventories from the network
    (r"py:.*", r"(?!demosaic)[\w.]+(\[.*)?"),
]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_preserve_defaults = True  # `listen=ignore`, not where `ignore` is in memory
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 80
default_role = "code"  # docstrings write names in single backticks, as Markdown does
smartquotes = False  # "--" in an option is two hyphens
