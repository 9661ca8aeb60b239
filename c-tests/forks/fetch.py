"""Debian's source packages, by apt-get under a configuration of its own in build/forks/apt: the machine's sources stay as
they are. Only upstream's tarball is used. Debian's patches are left out: they are security fixes, Debian's defaults and
the use of Debian's jemalloc, none of which the build needs, and so the fork is what its maintainers released."""

import shutil
import subprocess

from common import FORKS, Failure, Unavailable, environment, run

APT = FORKS / "apt"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def tarball(package, version, release):
    """upstream's tarball of the package in the version that Debian's release has, fetched unless it is there"""
    found = _find(package, version)
    if found:
        return found
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get, so no Debian source packages")
    options = _configuration(release)
    try:
        run(["apt-get", *options, "-qq", "update"], log=APT / "update.log", timeout=300)
        full = _full_version(options, package, version)
        run(["apt-get", *options, "-qq", "--download-only", "source", f"{package}={full}"], log=APT / "fetch.log",
            cwd=APT, timeout=600)
    except (subprocess.TimeoutExpired, Failure) as reason:
        raise Unavailable(f"Debian's source package of {package} {version} cannot be fetched: {reason}") from reason
    found = _find(package, version)
    if not found:
        raise Unavailable(f"Debian's source package of {package} {version} has no upstream tarball")
    return found


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
            if path.suffix != ".asc":
                return path
    return None


def _archive():
    """the archive that this machine's own packages come from"""
    form = "$(ORIGIN)|$(COMPONENT)|$(REPO_URI) $(CODENAME)"
    for line in run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines():
        place, _, codename = line.removeprefix("Debian|main|").rpartition(" ")
        if line.startswith("Debian|main|") and "-" not in codename:
            return place
    raise Unavailable("none of apt's sources is Debian's main archive")


def _configuration(release):
    """apt's options for the sources of this release alone: that another's keys are missing must not matter"""
    APT.mkdir(parents=True, exist_ok=True)
    for folder in ("lists/partial", "cache/archives/partial"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    place = _archive()
    (APT / "sources.list").write_text(f"deb-src [signed-by={KEYRING}] {place} {release} main\n")
    settings = {
        "Dir::Etc::sourcelist": APT / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::Lists": APT / "lists", "Dir::Cache": APT / "cache", "APT::Sandbox::User": "root", "Acquire::Retries": 2,
        # A signature that does not verify is an error, not the warning that `update` makes of it.
        "APT::Update::Error-Mode": "any",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]


def _full_version(options, package, version):
    """Debian's newest version of the package in upstream's version"""
    shown = subprocess.run(["apt-cache", *options, "showsrc", "--only-source", package], capture_output=True, text=True,
                           env=environment(), timeout=120).stdout
    full = [line.split()[1] for line in shown.splitlines() if line.startswith("Version: ")]
    full = [name for name in full if name.split(":")[-1].split("-")[0].split("+dfsg")[0] == version]
    if not full:
        raise Unavailable(f"the archive has no {package} {version} any more")
    return full[-1]
