"""Documents with measurements in them."""

import os
import platform
from pathlib import Path

BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"


def machine():
    info = Path("/proc/cpuinfo")
    virtual = info.exists() and "hypervisor" in info.read_text()
    kind = platform.machine().replace("_", "-")
    return f"{os.cpu_count()}-core {kind} {'virtual machine' if virtual else 'machine'}"


def between(text):
    """what is between the marks"""
    return _divided(text)[1]


def replaced(text, content):
    """the text with something else between the marks"""
    before, _, after = _divided(text)
    return f"{before}{BEGIN}\n{content}{END}{after}"


def _divided(text):
    before, begin, rest = text.partition(BEGIN)
    content, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no place for the results: {BEGIN} and {END}")
    return before, content.removeprefix("\n"), after
