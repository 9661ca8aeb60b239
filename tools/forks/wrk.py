"""wrk, a program that brings a copy of an old ae along: built as it is, and without its ae on libae with libae's header
over its own, as docs/forks.md says; then both beside a local nginx, in pairs."""

import os
import re
import subprocess
import time

from build import JOBS, LIBAE, STOCK
from common import FORKS, WRK_COMMANDS, WRK_HEADERS
from pairs import PAIRS, measure, processors, summary
from symbols import Map, functions, prove
from targets import WRK_VERSION
from testkit import fetch
from testkit.commands import Failure, environment, run, say
from testkit.packages import find_program, require
from testkit.paths import ROOT
from testkit.ports import free_port
from testkit.tcl import remove, scratch

CONNECTIONS = 64
SECONDS = 2
LIBRARY = ROOT / "build/libae-inside.a"
HEADER = ROOT / "include/ae.h"
# What libae-inside.a puts in front of a function's name.
OWN_NAME = re.compile(r"^libae_[a-z]+_\d+_\d+_(?=ae|anet)")
# Debian's LuaJIT: where its headers are, and its name for a type that wrk knows by an older one.
FLAGS = ["-I/usr/include/luajit-2.1", "-DluaL_reg=luaL_Reg"]
LIBRARIES = "-lluajit-5.1 -lpthread -lm -lssl -lcrypto -ldl -Wl,-Map=wrk.map"

NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "hello\\n"; }}
    }}
}}
"""


def folder_of(variant):
    return FORKS / "wrk" / variant


def prepare():
    require(WRK_COMMANDS, WRK_HEADERS)
    archive = fetch.tarball("wrk", WRK_VERSION, "bookworm")
    for variant in (STOCK, LIBAE):
        fetch.unpack(archive, folder_of(variant))


def build():
    run(["make", "lib"], cwd=ROOT, log=FORKS / "libae-default.log")
    _make(STOCK, [], LIBRARIES, None)
    folder = folder_of(LIBAE)
    # Its makefile knows nothing of headers and of the library: everything is made anew.
    for path in [*folder.glob("src/ae*"), *folder.glob("obj/*.o"), *folder.glob("wrk")]:
        path.unlink()
    (folder / "src/ae.h").write_text("#define LIBAE_INSIDE 1\n" + HEADER.read_text())
    sources = run(["make", "-s", "-f", "Makefile", "--eval", "print: ; @echo $(SRC)", "print"], cwd=folder).split()
    _make(LIBAE, [], f"{LIBRARY} {LIBRARIES}", [name for name in sources if name != "ae.c"])


def _make(variant, flags, libraries, sources):
    say(f"building wrk, {variant}")
    command = ["make", JOBS, "WITH_LUAJIT=/usr", "WITH_OPENSSL=/usr", f"VER={WRK_VERSION}", f"LIBS={libraries}"]
    if sources:
        command.append("SRC=" + " ".join(sources))
    run(command, cwd=folder_of(variant), env=environment(CFLAGS=" ".join([*FLAGS, *flags])),
        log=FORKS / "wrk" / f"build-{variant}.log")


def check_symbols():
    folder = folder_of(LIBAE)
    upstream = run(["nm", "-g", "--defined-only", folder_of(STOCK) / "obj/ae.o"])
    problems = [str(path.name) for path in folder.glob("**/ae*") if path.suffix in (".o", ".c")]
    present = {OWN_NAME.sub("", name): address
               for name, address in functions(run(["nm", "--defined-only", folder / "wrk"])).items()}
    counts, contradictions = prove(Map((folder / "wrk.map").read_text(errors="replace")), present,
                                   set(functions(upstream)), ("ae.o",), str(LIBRARY))
    if problems or contradictions:
        raise Failure("\n".join(problems + contradictions))
    return {"wrk": counts}


def check_speed(pairs=PAIRS):
    folder = scratch("forks-wrk-")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    on_one, on_others = processors()
    with open(folder / "nginx.log", "w") as log:
        nginx = subprocess.Popen([find_program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")], stdout=log,
                                 stderr=log, preexec_fn=on_others, env=environment())
    try:
        time.sleep(0.5)
        if nginx.poll() is not None:
            raise Failure("nginx does not start: " + (folder / "nginx.log").read_text()[-500:])
        row = summary(measure(lambda: cost(STOCK, port, on_one), lambda: cost(LIBAE, port, on_one), pairs))
        say(f"  wrk: {row}")
        return {"wrk": row}
    finally:
        nginx.terminate()
        nginx.wait()
        remove(folder)


def cost(variant, port, before):
    """seconds of wrk's CPU time per request"""
    program = folder_of(variant) / "wrk"
    command = [str(program), "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", f"http://127.0.0.1:{port}/"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=before,
                               env=environment())
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    requests = requests_of(output)
    if process.returncode or not requests:
        raise Failure(f"wrk ({variant}): status {process.returncode}\n{output[-500:]}")
    return (usage.ru_utime + usage.ru_stime) / requests


def requests_of(output):
    """how many requests wrk counted; none when some of them went wrong"""
    if "Socket errors" in output or "Non-2xx" in output:
        return 0
    match = re.search(r"^\s*(\d+) requests in ", output, re.MULTILINE)
    return int(match.group(1)) if match else 0
