#!/usr/bin/env python3
"""man-pages.py VERSION FOLDER HEADER...: writes man pages from the comments of the headers: of each function, and of
each header, with its functions, types and constants. --names HEADER... prints what the pages' files are called."""

import pathlib
import re
import sys

ITEM = re.compile(
    r"/\*\*(?P<comment>(?:(?!\*/).)*)\*/\s*"
    r"(?P<code>#define [^\n]*|typedef (?:struct|enum)[^;{]*\{.*?^\}[^;]*;|(?!/\*)[^;{}#]*;)",
    re.DOTALL | re.MULTILINE)
FUNCTION = re.compile(r"^(?!typedef|#)[^(]*?(\w+)\(")


class Header:
    def __init__(self, path):
        self.name = path.name
        text = path.read_text().replace('#ifdef __cplusplus\nextern "C" {\n#endif /* __cplusplus */\n', "")
        # What is behind the guard repeats it for other names.
        text = text[:text.index(f"#endif  /* LIBAE_{path.stem.upper()}_H */")]
        self.title = re.match(r"/\*\* \S+: (.*?)\. .*\*/", text).group(1)
        items = [(plain(item["comment"]), item["code"]) for item in ITEM.finditer(text, text.index("*/"))]
        functions = [(FUNCTION.match(code), comment, code) for comment, code in items]
        self.functions = [(match.group(1), comment, code) for match, comment, code in functions if match]
        self.constants = [item for item in items if item[1].startswith("#define")]
        self.types = [item for item in items if item[1].startswith("typedef")]


def plain(comment):
    """A comment's text without the stars, as paragraphs."""
    lines = [re.sub(r"^ *\* ?", "", line).strip() for line in comment.strip().splitlines()]
    return [" ".join(paragraph.split("\n")) for paragraph in "\n".join(lines).strip().split("\n\n")]


def escaped(text):
    return text.translate(str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti"}))


class Writer:
    """Writes roff: names of functions that have a page become references."""

    def __init__(self, version, pages):
        self.version, self.pages = version, pages

    def words(self, text):
        def name(match):
            return f"\\fB{match.group(1)}\\fR" + ("(3)" if match.group(1) in self.pages else "")
        return re.sub(r"`([^`]*)`", name, escaped(text))

    def paragraphs(self, texts):
        return "\n.PP\n".join(self.words(text) for text in texts)

    def page(self, name, brief, sections):
        brief = re.split(r"\. |\.$|:\s|; ", brief.replace("`", ""))[0]
        # Without a date: what is built is the same at any time.
        lines = [f'.TH "{escaped(name)}" 3 "" "libae {self.version}" "libae"',
                 ".SH NAME", f"{escaped(name)} \\- {escaped(brief)}"]
        for title, text in sections:
            if text:
                lines += [f".SH {title}", text]
        return "\n".join(lines) + "\n"

    def synopsis(self, header, code=""):
        text = f".nf\n.B #include <{header.name}>\n"
        if code:
            lines = [re.sub(r"[ \t]+$", "", line) for line in code.splitlines()]
            text += ".PP\n" + "".join(f"\\fB{escaped(line)}\\fR\n" for line in lines)
        return text + ".fi"

    def function(self, header, name, comment, code):
        returns = [text for text in comment[1:] if text.startswith("Return")]
        requires = [text.removeprefix("Requires: ") for text in comment if text.startswith("Requires: ")]
        rest = [text for text in comment if text not in returns and not text.startswith("Requires: ")]
        requires = [text[0].upper() + text[1:] if not text.startswith("`") else text for text in requires]
        return self.page(name, comment[0], [
            ("SYNOPSIS", self.synopsis(header, code)),
            ("DESCRIPTION", self.paragraphs(rest)),
            ("RETURN VALUE", self.paragraphs(returns)),
            ("REQUIREMENTS", self.paragraphs(requires)),
            ("SEE ALSO", f".BR {escaped(header.name)} (3)")])

    def header(self, header):
        functions = "".join(f".TP\n.BR {name} (3)\n{self.words(first_sentence(comment))}\n"
                            for name, comment, _ in header.functions)
        constants = "".join(f".TP\n.B {escaped(code.removeprefix('#define '))}\n{self.paragraphs(comment)}\n"
                            for comment, code in header.constants)
        types = "".join(f"{self.paragraphs(comment)}\n.PP\n.nf\n{verbatim(code)}\n.fi\n.PP\n"
                        for comment, code in header.types)
        return self.page(header.name, header.title, [
            ("SYNOPSIS", self.synopsis(header)),
            ("FUNCTIONS", functions.rstrip("\n")),
            ("CONSTANTS", constants.rstrip("\n")),
            ("TYPES", types.removesuffix(".PP\n").rstrip("\n"))])


def verbatim(code):
    return "\n".join(("\\&" if line[:1] in (".", "'") else "") + escaped(line)
                     for line in code.replace("`", "").splitlines() if line.strip())


def first_sentence(comment):
    return re.split(r"(?<=\.) ", comment[0])[0]


def main():
    names = sys.argv[1] == "--names"
    headers = [Header(pathlib.Path(path)) for path in sys.argv[2 if names else 3:]]
    pages = {name for header in headers for name, _, _ in header.functions}
    if names:
        print(*sorted(f"{name}.3" for name in pages | {header.name for header in headers}), sep="\n")
        return
    writer = Writer(sys.argv[1], pages)
    for header in headers:
        texts = {name: writer.function(header, name, comment, code) for name, comment, code in header.functions}
        for name, text in {header.name: writer.header(header), **texts}.items():
            page = pathlib.Path(sys.argv[2], f"{name}.3")
            page.write_text(text)
            page.chmod(0o644)


main()
