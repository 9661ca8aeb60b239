"""The running of commands."""

import os
import select
import signal
import subprocess
import sys
import tempfile


class Failure(Exception):
    """Something fails, for the reason given."""


class Unavailable(Exception):
    """What is needed cannot be had on this machine; nothing is said about libae."""


# What a make that runs a tool puts into the environment. It is not for other makefiles.
MAKES_OWN = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "LIBAE_ABI")


def say(text):
    print(text, flush=True)


def error(text):
    print(text, file=sys.stderr, flush=True)


def environment(**more):
    """The environment without what a make put there."""
    kept = {name: value for name, value in os.environ.items() if name not in MAKES_OWN}
    kept.update(LC_ALL="C.UTF-8", **more)
    return kept


def run(command, log=None, cwd=None, env=None, timeout=1800):
    """The command's standard output. With `log`, its output goes there instead; the end of it is shown on failure."""
    command = [str(word) for word in command]
    if log is None:
        done = subprocess.run(command, cwd=cwd, env=env or environment(), timeout=timeout, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        output, errors = done.stdout, done.stderr
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w") as file:
            done = subprocess.run(command, cwd=cwd, env=env or environment(), timeout=timeout, stdout=file,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        output, errors = "", log.read_text(errors="replace")
    if done.returncode != 0:
        tail = "\n".join((errors or output).splitlines()[-20:])
        raise Failure(f"{' '.join(command[:6])}: status {done.returncode}\n{tail}")
    return output


def completed(command, **options):
    """The command's end, whatever it is, with its output."""
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


def limited(command, limit, env=None, apart=False, cwd=None):
    """Runs a command in a session of its own, of which nothing is left afterwards: (its status, or None when its time
    in seconds was over, its output, its errors). Unless `apart`, the errors are in the output."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors if apart else output,
                                   env=env, cwd=cwd, start_new_session=True)
        try:
            with open(os.pidfd_open(process.pid), "rb") as ended:
                in_time = bool(select.select([ended], [], [], limit)[0])
        finally:
            # Whatever it started ends with it; its number is not free before it is waited for.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return process.returncode if in_time else None, _text(output), _text(errors)


def _text(file):
    file.seek(0)
    return file.read().decode(errors="replace")
