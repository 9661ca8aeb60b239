"""Makes a program smaller that shows something."""

import re


def shrunk(lines, shows):
    """The fewest of the lines that were found with which `shows` still holds, and then with smaller numbers in them."""
    lines = _fewer(lines, shows)
    while True:
        simpler = _simpler(lines, shows)
        fewer = _fewer(simpler, shows)
        if fewer == lines:
            return lines
        lines = fewer


def _fewer(lines, shows):
    size = max(len(lines) // 2, 1)
    while size:
        begin = 0
        while begin < len(lines):
            without = lines[:begin] + lines[begin + size:]
            if shows(without):
                lines = without
            else:
                begin += size
        size //= 2
    return lines


def _simpler(lines, shows):
    for number in range(len(lines)):
        for match in reversed(list(re.finditer(r"=(-?\d+)", lines[number]))):
            for value in _simpler_values(int(match[1])):
                changed = lines[number][:match.start(1)] + str(value) + lines[number][match.end(1):]
                if shows(lines[:number] + [changed] + lines[number + 1:]):
                    lines = lines[:number] + [changed] + lines[number + 1:]
                    break
    return lines


def _simpler_values(value):
    """Those that are simpler, the simplest first."""
    return [simple for simple in (0, 1, 2, 3, 1000) if simple < abs(value)]
