"""The proof, from the linked program, that the functions of the replaced objects are libae's: the address that a
function has in the program lies in a section which, by the linker's map, came from libae.a or libae-core.a. And of a
server with TLS, from the map's table of cross references, that it uses nothing of OpenSSL."""

import bisect
import re

from build import library, upstream_objects
from targets import TLS
from testkit.commands import Failure, run

FAMILY = re.compile(r"^(ae|anet|conn)[A-Z]")
SECTION = re.compile(r"^ (\.text\S*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", re.MULTILINE)
LOADED = re.compile(r"^LOAD (\S.*)$", re.MULTILINE)
REFERENCES = "\nCross Reference Table\n"
OPENSSL = re.compile(r"^lib(ssl|crypto)\.(so|a)")


class Map:
    """Where the linker took each piece of code from."""

    def __init__(self, text):
        self.loaded = LOADED.findall(text)
        pieces = {}
        for _, address, size, file in SECTION.findall(text):
            start, length = int(address, 16), int(size, 16)
            # Discarded sections have no address.
            if start and length:
                pieces[start] = (start + length, file.strip())
        self.starts = sorted(pieces)
        self.pieces = pieces

    def origin(self, address):
        """the file whose code is at the address; None where there is none"""
        index = bisect.bisect_right(self.starts, address) - 1
        if index < 0:
            return None
        end, file = self.pieces[self.starts[index]]
        return file if address < end else None

    def files(self):
        return {file for _, file in self.pieces.values()} | set(self.loaded)


def functions(nm_output):
    """{name: address} of the functions that other objects see, from nm's output"""
    found = {}
    for line in nm_output.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in "TWi":
            found[words[2].split("@")[0]] = int(words[0], 16)
    return found


def file_name(path):
    """`ae.o` from a path, also from the member of an archive, as in `libx.a(ae.o)`"""
    return re.split(r"[/(]", path.rstrip(")"))[-1]


def references(map_text):
    """{symbol: files} from the table of cross references, the file that defines it first"""
    found = {}
    files = []
    for line in map_text.partition(REFERENCES)[2].splitlines():
        words = line.split(None, 1)
        if line[:1].strip() and words:
            files = found.setdefault(words[0].split("@")[0], [])
            words = words[1:]
        elif words:
            words = [line.strip()]
        files += words
    return found


def openssl_users(map_text):
    """{function of OpenSSL: files of the program that call it}"""
    def in_openssl(path):
        return OPENSSL.match(file_name(path))

    users = {}
    for name, files in references(map_text).items():
        # OpenSSL's libraries stand there with what they take from others, too; `_...` is the compiler's.
        if files and in_openssl(files[0]) and not name.startswith("_"):
            callers = [path for path in files if not in_openssl(path)]
            if callers:
                users[name] = callers
    return users


def prove(map_, present, wanted, replaced, archive, required=frozenset()):
    """Counts, and what contradicts the claim, for one program: `present` are its functions, `wanted` those that
    upstream's replaced objects define, `required` those that libae has to have whatever they are called, `archive` is
    libae's."""
    def of_family(name):
        return name in required or FAMILY.match(name) is not None

    problems = []
    for file in sorted(map_.files()):
        if file_name(file) in replaced:
            problems.append(f"the link has upstream's {file}")
    counts = {"libae": 0, "glue": 0, "own": 0}
    for name in sorted(wanted | required | {name for name in present if FAMILY.match(name)}):
        if name not in present:
            if of_family(name):
                problems.append(f"{name}: upstream has it, the program does not")
            continue
        origin = map_.origin(present[name])
        if origin is not None and origin.startswith(f"{archive}("):
            counts["libae"] += of_family(name)
        elif name not in wanted and name not in required:
            # The server has functions of such names in files that stay, as connectWithMaster.
            counts["own"] += 1
        elif of_family(name):
            problems.append(f"{name} comes from {origin}")
        else:
            counts["glue"] += 1
    if not counts["libae"]:
        problems.append("none of these functions comes from libae")
    return counts, problems


def unexpected_openssl(map_text):
    """what contradicts that the server uses nothing of OpenSSL"""
    if REFERENCES not in map_text:
        return ["the linker's map has no cross references"]
    loaded = [file for file in LOADED.findall(map_text) if OPENSSL.match(file_name(file))]
    return [f"the link has {file}" for file in loaded] + [
        f"{' and '.join(files)} call {name} of OpenSSL" for name, files in sorted(openssl_users(map_text).items())]


def check(tree):
    """For every program of the fork: how many functions come from libae. Failure names what does not."""
    objects = upstream_objects(tree)
    defined = {name: functions(run(["nm", "-g", "--defined-only", path])) for name, path in objects.items()}
    result, problems = {}, []
    for program in tree.fork.programs:
        replaced = tree.replaced(program)
        for name in replaced:
            if (tree.source / name).exists():
                problems.append(f"{name} exists in the copy that is built on libae")
        wanted = {function for name in program.replaced for function in defined[name]}
        required = set(tree.fork.tls_functions) if TLS in replaced else set()
        text = tree.map(program.name).read_text(errors="replace")
        present = functions(run(["nm", "--defined-only", tree.program(program.name)]))
        counts, contradictions = prove(Map(text), present, wanted, replaced, str(library(tree.fork, program)), required)
        if TLS in replaced:
            counts["openssl"] = sorted(openssl_users(text))
            contradictions += unexpected_openssl(text)
        problems += [f"{program.name}: {problem}" for problem in contradictions]
        result[program.name] = counts
    if problems:
        raise Failure("\n".join(problems))
    return result
