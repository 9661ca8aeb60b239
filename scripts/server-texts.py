#!/usr/bin/env python3
"""server-texts.py SERVER VERSION TEMPLATE: prints the template, a man page (*.1) or a configuration file, with the version
in place of @VERSION@, and in place of the line @DIRECTIVES@ what `SERVER --help` lists: as options, or as lines of a
configuration that are commented out, except for those that the template has itself."""

import pathlib
import re
import subprocess
import sys

# Behind the name come words that stand for values, then what the directive does. The two columns have no more than a
# space between them where the first is long.
LINE = re.compile(r"  --(?P<name>[a-z-]+)(?P<values>(?: (?:[A-Z\[\].]+|[a-z0-9-]+(?:\|[a-z0-9-]+)+))*) +(?P<does>.*)")


def directives(server):
    """Triples of name, values and meaning; none of a server that was built for another system."""
    try:
        text = subprocess.run([server, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    except OSError as error:
        print(f"server-texts.py: without the list of directives: {error}", file=sys.stderr)
        return []
    found = [LINE.fullmatch(line) for line in text.splitlines() if line.startswith("  --")]
    if not found or None in found:
        sys.exit(f"server-texts.py: {server} --help is not as expected")
    return [(match["name"], match["values"].strip(), match["does"]) for match in found]


def man(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")


def options(listed, _):
    if not listed:
        return "\\fB\\-\\-help\\fR lists them.\n"
    return "".join(f".TP\n\\fB\\-\\-{man(name)}\\fR \\fI{man(values)}\\fR\n{man(does)}\n" for name, values, does in listed)


def commented_out(listed, template):
    own = set(re.findall(r"^([a-z-]+) ", template, re.MULTILINE))
    return "\n".join(f"# {does}\n# {name} {values}\n" for name, values, does in listed if name not in own)


def main():
    server, version, path = sys.argv[1:]
    template = pathlib.Path(path).read_text()
    write = options if path.endswith(".1") else commented_out
    print(template.replace("@VERSION@", version).replace("@DIRECTIVES@\n", write(directives(server), template)), end="")


main()
