"""How docs/ becomes a site: `make docs`.

By Sphinx, with MyST for the Markdown and Furo for the look. They are maintained, check every link to a page, a
heading or a file of the repository, and build pages that ask no other site for anything and are searched offline.
MkDocs, which Material for MkDocs stands on, had its last release in 2024; Zensical checks no links out of docs/.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

from textsent import __version__

project = "textsent"
author = "The textsent authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
highlight_language = "text"  # of blocks that name none
smartquotes = False  # two hyphens are two hyphens
default_role = "code"  # docstrings write `names` as Markdown does
autodoc_member_order = "bysource"
autodoc_mock_imports = ["py4j", "pyspark"]  # which need not be installed
napoleon_custom_sections = [("Attributes", "params_style")]  # a list, as of parameters
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"textsent {version}"
html_copy_source = False
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Register what Sphinx's settings don't say."""
    app.connect("source-read", _link_files)
    app.connect("doctree-resolved", _write_dashes)


def _link_files(app: Sphinx, name: str, page: list[str]) -> None:
    """Let a page link to Markdown outside of docs/ as to any other file of the repository: it is copied."""
    page[0] = re.sub(r"\]\((\.\./[^)#]+\.md)\)", r"](path:\1)", page[0])


def _write_dashes(app: Sphinx, tree: nodes.document, name: str) -> None:
    """Write a dash between a parameter's name and what is said of it."""
    for text in list(tree.findall(nodes.Text)):
        if text.startswith(" -- "):
            text.parent.replace(text, nodes.Text(" – " + text.removeprefix(" -- ")))
