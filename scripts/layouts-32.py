#!/usr/bin/env python3
"""Writes src/abi/facts/layouts-32.csv: the offsets and sizes of a profile's structs on 32-bit Linux, as clang has them.

    layouts-32.py PROFILE=FOLDER...

FOLDER has the profile's headers (`make ABI=PROFILE headers` writes target/include/PROFILE; include/ is redis-7.2's).
Their members are upstream's, as tests/headers compares with field-types.csv. The columns of other profiles stay as they
are. The C library's headers are those of 64-bit x86, which know 32 bits as well.
"""

import csv
import pathlib
import re
import subprocess
import sys
import tempfile

FACTS = pathlib.Path(__file__).resolve().parent.parent / "src/abi/facts"
TABLE = FACTS / "layouts-32.csv"
TARGETS = {"i686": "i686-linux-gnu", "arm": "armv7-linux-gnueabihf"}
START = "#include <anet.h>\n#include <connection.h>\n#include <libae.h>\ntypedef char *sds;\n"


def members(profile):
    """Struct and member, "(sizeof)" for the whole."""
    rows = list(csv.reader((FACTS / "layouts.csv").open()))
    column = rows[0].index(f"{profile} offset:size")
    found = [(row[0], row[1]) for row in rows[1:] if row[column]]
    rows = list(csv.reader((FACTS / "tls-config.csv").open()))
    release = re.compile(re.escape(profile) + r"(\.[\d.]+)? offset:size")
    column = max(index for index, heading in enumerate(rows[0]) if release.fullmatch(heading))
    config = [("redisTLSContextConfig", row[0]) for row in rows[1:] if row[column] and row[0] != "(struct name)"]
    return found + config


def measured(folder, target, wanted):
    """The offset and size of each, which the compiler leaves in an array."""
    numbers = []
    for of, member in wanted:
        whole = member == "(sizeof)"
        numbers += ["0", f"sizeof({of})"] if whole else [f"offsetof({of}, {member})", f"sizeof((({of} *)0)->{member})"]
    source = f"{START}const unsigned long numbers[] = {{{', '.join(numbers)}}};\n"
    with tempfile.TemporaryDirectory() as stubs:
        (pathlib.Path(stubs) / "gnu").mkdir()
        for name in "stubs-32.h", "stubs-soft.h", "stubs-hard.h":
            (pathlib.Path(stubs) / "gnu" / name).touch()
        command = ["clang", f"--target={target}", f"-I{folder}", f"-I{stubs}", "-isystem", "/usr/include/x86_64-linux-gnu",
                   "-D__regparm__(count)=unused", "-std=gnu11", "-S", "-o", "-", "-x", "c", "-"]
        text = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
    values = [int(value) for value in re.findall(r"^\s+\.long\s+(\d+)", text.split("numbers:")[1], re.M)]
    assert len(values) >= len(numbers), f"{len(values)} numbers of {len(numbers)}"
    pairs = zip(values[0::2], values[1::2])
    return [str(size) if member == "(sizeof)" else f"{offset}:{size}"
            for (_, member), (offset, size) in zip(wanted, pairs)]


def main():
    columns, names = {}, []
    if TABLE.exists():
        rows = list(csv.reader(TABLE.open()))
        names = [(row[0], row[1]) for row in rows[1:]]
        for index, heading in enumerate(rows[0][2:], 2):
            columns[heading] = {(row[0], row[1]): row[index] for row in rows[1:]}
    for argument in sys.argv[1:]:
        profile, folder = argument.split("=", 1)
        wanted = members(profile)
        names += [name for name in wanted if name not in names]
        for target, triple in TARGETS.items():
            columns[f"{profile} {target}"] = dict(zip(wanted, measured(folder, triple, wanted)))
    order = [tuple(row[:2]) for row in csv.reader((FACTS / "layouts.csv").open())]
    order += [("redisTLSContextConfig", row[0]) for row in csv.reader((FACTS / "tls-config.csv").open())]
    names.sort(key=order.index)
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["struct", "field", *columns])
        writer.writerows([*name, *(cells.get(name, "") for cells in columns.values())] for name in names)


if __name__ == "__main__":
    main()
