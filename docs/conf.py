"""The documentation site: `make docs` builds it into `target/site`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_site"))

import sphinx_autosummary_accessors  # noqa: E402
from cache import fingerprint, quiet_kernel  # noqa: E402

import polars_grad  # noqa: E402, F401

# The kernels that run the code of the pages import these too.
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE / "_site"), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ["POLARS_GRAD_ROOT"] = str(HERE.parent)
# Not the settings of who builds it.
os.environ["IPYTHONDIR"] = str(quiet_kernel(HERE.parent / "target" / "site-kernel"))

project = "polars-grad"
author = "the authors of polars-grad"
project_copyright = author
html_title = "polars-grad"

# OWNER-FILLS-IN: the address of the repository, for the link at the top of each page; without one there is none.
REPOSITORY = ""

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_autosummary_accessors",
    "sphinx_design",
    "myst_nb",
    "sphinx_llm.txt",
    "pages",
    "pictures",
    "local_mathjax",
    "complete",
]
exclude_patterns = ["_site", "_static", "_templates"]
templates_path = ["_templates", sphinx_autosummary_accessors.templates_path]
default_role = "code"
nitpicky = False

# Markdown and the code in it.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
suppress_warnings = ["mystnb.unknown_mime_type"]
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "target" / "site-cache" / fingerprint())
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
nb_mime_priority_overrides = [("llms-markdown", "text/plain", 0), ("llms-markdown", "text/html", None)]

# Docstrings.
autosummary_generate = True
autodoc_typehints = "none"
# For the accessors.
autodoc_use_legacy_class_based = True
# Engines that the site describes and does not run.
autodoc_mock_imports = ["dask", "distributed", "pyspark"]
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
html_search_scorer = str(HERE / "_site" / "scorer.js")
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
# The theme complains in the console of a browser that has never been here, unless told.
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "polars-grad"},
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
if REPOSITORY:
    html_theme_options["github_url"] = REPOSITORY

llms_txt_description = (
    "polars-grad: derivatives of tabular data as Polars expressions. numpy.gradient for columns with irregular "
    "timestamps, nulls, gaps and groups; higher derivatives, noise, counters, integrals, fields on a grid."
)
# With the doctrees of the site, after it: no page is executed twice.
llms_txt_build_parallel = False
llms_txt_suffix_mode = "replace"
llms_txt_nested_enabled = False
llms_txt_full_build = True
llms_txt_suppress_unknown_node_warnings = True
