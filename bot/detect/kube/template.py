"""Which files are Helm templates.

Source: Helm documentation, "The Chart File Structure" (templates/, values.yaml) and "Chart
Template Guide".
"""

import re

from bot.detect.patterns import pattern

_FOLDER = pattern(r"(?:^|/)templates/.*\.(?:ya?ml|tpl|gotmpl|txt)\Z", re.IGNORECASE)
# Values may hold templates for `tpl`: they are values all the same.
_VALUES = pattern(r"(?:^|/)values(?:[._-][^/]*)?\.ya?ml\Z", re.IGNORECASE)
_TYPICAL = pattern(
    r"\{\{-?\s*(?:define|include|template|with|range|if|end|toYaml|tpl|/\*|\$|\.(?:Values|Release"
    r"|Chart|Capabilities|Files|Template))"
)


def is_template(path: str, text: str) -> bool:
    """Tell whether a file is a template of a Helm chart."""
    if "{{" not in text:
        return False
    if _FOLDER.search(path) and _TYPICAL.search(text):
        return True
    return ".Values." in text and not _VALUES.search(path)
