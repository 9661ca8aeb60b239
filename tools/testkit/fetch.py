"""Upstream's tarballs out of Debian's source packages, by apt under a configuration of its own in build/forks/apt: the
machine's sources stay as they are. Debian's patches are left out: they are security fixes, Debian's defaults and the
use of Debian's jemalloc, none of which the build needs, and so the fork is what its maintainers released. Hence any
revision of Debian's will do: they share the tarball, which stays in the archive when a revision goes."""

import re
import shutil
import subprocess
import time

from testkit.commands import Failure, Unavailable, environment, run, say
from testkit.paths import BUILD

APT = BUILD / "forks" / "apt"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
HELPER = "/usr/lib/apt/apt-helper"
ATTEMPTS = 3
PAUSE = 10  # seconds


def tarball(package, version, release, near=False):
    """upstream's tarball of the package in that version, from Debian's release or its updates, fetched unless it is
    there. With `near`, another version of the same series does where the archive no longer has this one."""
    found = _find(package, version)
    if found:
        return found
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get, so no Debian source packages")
    reasons = []
    for attempt in range(ATTEMPTS):
        try:
            return _fetch(package, version, release, near)
        except (subprocess.TimeoutExpired, Failure) as reason:
            reasons.append(str(reason))
            if attempt + 1 < ATTEMPTS:
                time.sleep(PAUSE)
    raise Unavailable(f"upstream's tarball of {package} {version} cannot be fetched: " + "\n".join(dict.fromkeys(reasons)))


def unpack(archive, folder):
    """the tarball's content in the folder, unless it is there"""
    mark = folder / ".unpacked"
    if mark.exists() and mark.read_text() == archive.name:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(["tar", "-xf", archive, "-C", folder, "--strip-components=1"])
    mark.write_text(archive.name)


def _find(package, version):
    for pattern in (f"{package}_{version}.orig.tar.*", f"{package}_{version}+dfsg*.orig.tar.*"):
        for path in sorted(APT.glob(pattern)):
            if path.suffix not in (".asc", ".FAILED"):
                return path
    return None


def _fetch(package, version, release, near):
    """from the first of the release's places that has it and gives it out"""
    places, problems, entries = _places(release), [], []
    for place, suite in places:
        options = _configuration(place, suite)
        try:
            run(["apt-get", *options, "-qq", "update"], log=APT / "update.log", timeout=300)
        except Failure as reason:
            problems.append(str(reason))
            continue
        shown = subprocess.run(["apt-cache", *options, "showsrc", "--only-source", package], capture_output=True, text=True,
                               env=environment(), timeout=120).stdout
        entries += [(place, *entry) for entry in tarballs(shown)]
    for place, found, path, checksum in chosen(entries, version, near):
        try:
            target = APT / path.rpartition("/")[2]
            if not target.exists():
                run([HELPER, "-oAPT::Sandbox::User=root", "-oAcquire::Retries=2", "download-file",
                     f"{place.rstrip('/')}/{path}", target, f"SHA256:{checksum}"], log=APT / "fetch.log", timeout=600)
        except Failure as reason:
            problems.append(str(reason))
            continue
        if found != version:
            say(f"the archive no longer has {package} {version}; {found} takes its place")
        return target
    raise Failure("\n".join(problems) or f"the archive no longer has {package} {version}")


def tarballs(shown):
    """(upstream's version, path in the archive, SHA-256) of each package that `apt-cache showsrc` shows"""
    found = []
    for paragraph in shown.split("\n\n"):
        version = re.search(r"^Version: (?:\d+:)?([^-\s]+)", paragraph, re.M)
        folder = re.search(r"^Directory: (\S+)", paragraph, re.M)
        archive = re.search(r"^ ([0-9a-f]{64}) \d+ (\S+\.orig\.tar\.\w+)$", paragraph, re.M)
        if version and folder and archive:
            found.append((version[1].partition("+")[0], f"{folder[1]}/{archive[2]}", archive[1]))
    return found


def chosen(entries, version, near):
    """Those of the version; or, where there is none and `near` allows it, those of its series, the newest first."""
    exact = [entry for entry in entries if entry[1] == version]
    if exact or not near:
        return exact
    series = version.split(".")[:2]
    others = [entry for entry in entries if entry[1].split(".")[:2] == series]
    return sorted(others, key=lambda entry: [int(number) for number in re.findall(r"\d+", entry[1])], reverse=True)


def _places(release):
    """(archive, suite) where the release's packages may be, from the archives that this machine's own packages come
    from"""
    form = "$(ORIGIN)|$(COMPONENT)|$(REPO_URI) $(CODENAME)"
    main, security = None, None
    for line in run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines():
        if line.startswith("Debian|main|"):
            place, _, codename = line.removeprefix("Debian|main|").rpartition(" ")
            if "-" not in codename:
                main = main or place
            elif codename.endswith("-security"):
                security = security or place
    if not main:
        raise Unavailable("none of apt's sources is Debian's main archive")
    places = [(main, release)]
    if release != "sid":
        places.append((main, f"{release}-updates"))
        if security:
            places.append((security, f"{release}-security"))
    return places


def _configuration(place, suite):
    """apt's options for the sources of this suite alone: that another's keys are missing must not matter"""
    lists = APT / "lists" / suite
    for folder in (lists / "partial", APT / "cache/archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
    sources = APT / f"{suite}.list"
    sources.write_text(f"deb-src [signed-by={KEYRING}] {place} {suite} main\n")
    settings = {
        "Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::Lists": lists, "Dir::Cache": APT / "cache", "APT::Sandbox::User": "root", "Acquire::Retries": 2,
        # A signature that does not verify is an error, not the warning that `update` makes of it.
        "APT::Update::Error-Mode": "any",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]
