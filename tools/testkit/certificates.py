"""Certificates and keys for the tests, made with the `openssl` command, each when it is first asked for.

All are of P-256 unless the name says rsa, and signed by ca.crt unless it says otherwise:

    ca.crt rsa-ca.crt other-ca.crt  CAs; all-ca.crt holds the first two
    server.crt                      for localhost and 127.0.0.1; rsa.crt the same, signed by rsa-ca.crt;
                                    rsa-server.crt the same, signed by ca.crt; server-only.crt the same, for no client
    client.crt                      a client's
    user-NAME.crt                   clients' that name a user: user-alice.crt by CN, user-two.crt by two CNs (nobody,
                                    alice), user-nul.crt by the CN "alice\\0evil", user-none.crt by no CN; user-uris.crt
                                    by the URIs urn:unknown urn:off urn:alice urn:carol, user-nul-uri.crt by
                                    urn:alice\\0evil and urn:unknown, both with the CN alice
    expired.crt future.crt          no longer and not yet valid; ends-first.crt holds the first between two CAs
    wrong-host.crt                  for another host; critical.crt the same, whose names must be understood
    other.crt                       signed by other-ca.crt
    self-signed.crt                 signed by itself
    v1.crt                          of X.509 version 1, as `openssl x509 -req` makes it, and so without a host's name;
                                    rsa-v1.crt the same, signed by rsa-ca.crt, other-v1.crt by other-ca.crt;
                                    expired-v1.crt future-v1.crt the same, no longer and not yet valid
    twin-ca.crt                     a CA of ca.crt's name with a key of its own; twin-v1.crt as v1.crt, signed by it
    renamed-ca.crt                  a CA with ca.crt's key and a name of its own; renamed-v1.crt as v1.crt, signed by it
    chain.crt                       signed by intermediate.crt, which ca.crt has signed, with that one behind it;
                                    lone.crt is the same without it; chain-client.crt a client's
    long-chain.crt                  server.crt with 100 certificates behind it, some 40 kB; its key is server.key
    NAME.key                        the key of NAME.crt, as PKCS #8
    sec1.key pkcs1.key              server.key and rsa.key in the formats of their own
    encrypted.key                   server.key with PASSPHRASE
    old-encrypted.key               the same in the old way of PEM
    sha1-encrypted.key              server.key with PASSPHRASE, as OpenSSL encrypted it by default up to 1.0.2
    pbe-encrypted.key               the same in the way of PKCS #12
    pbes1-encrypted.key             the same with PBES1
    ca-dir/                         ca.crt under its hashed name, and files that are no certificate or not there
    empty-dir/                      only the latter
    dh.pem                          DH parameters
    no-cert.pem                     text

`python3 -m testkit.certificates FOLDER [NAME...]` makes those named, or all, in a folder.
"""

import base64
import functools
import shutil
import sys
import tempfile
from pathlib import Path

from testkit.commands import run

PASSPHRASE = "secret"
LONG = ("20200101000000Z", "20491231000000Z")

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = libae test
[ca]
default_ca = own
[own]
dir = .
new_certs_dir = issued
database = index.txt
rand_serial = yes
unique_subject = no
policy = any
default_md = sha256
email_in_dn = no
[any]
commonName = supplied
[is_ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:false
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[server_only]
basicConstraints = CA:false
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
[critical]
basicConstraints = CA:false
subjectAltName = critical, DNS:critical.invalid
[other_host]
basicConstraints = CA:false
subjectAltName = DNS:elsewhere.invalid, IP:192.0.2.1
[client]
basicConstraints = CA:false
extendedKeyUsage = clientAuth
[uris]
basicConstraints = CA:false
subjectAltName = DNS:urn, URI:urn:unknown, URI:urn:off, URI:urn:alice, URI:urn:carol
[nul_uri]
basicConstraints = CA:false
subjectAltName = URI:urn:alice@evil, URI:urn:unknown
"""

# Not every `openssl` still makes such: pbeWithMD5AndDES-CBC, with PASSPHRASE.
PBES1 = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGwMBsGCSqGSIb3DQEFAzAOBAgriifm69IvRQICCAAEgZCAwMgufqLzwCEKHn5V
c9vJFPXKZ4lO3jJAchBWCqxbCJcheIket6dVLRmMfaN3q6jpGpdWmVIU1tE4oncO
yRCcGoDaN4zXaChJrTa94hhG5AOpYDiCxto7W9f8/OWida3po8DIXThye2j5kmQL
Ki/rgVsuJKSSzAss0OUB4Xi1KyzDt1RqRIK0OmSQpuqyV38=
-----END ENCRYPTED PRIVATE KEY-----
"""


def element(tag, *contents):
    """An element of DER."""
    content = b"".join(contents)
    size = len(content).to_bytes(2, "big")
    length = b"\x82" + size if len(content) > 255 else b"\x81" + size[1:] if len(content) > 127 else size[1:]
    return bytes([tag]) + length + content


def elements(content):
    """The elements in the contents of another."""
    while content:
        start, length = 2, content[1]
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(content[2:start], "big")
        yield content[: start + length]
        content = content[start + length :]


class Certificates:
    """A folder of them, of its own unless one is given: `certificates["server.crt"]` is the path of a file."""

    def __init__(self, folder=None):
        if folder is None:
            self._kept = tempfile.TemporaryDirectory(prefix="libae-certificates-")
            folder = self._kept.name
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.missing = str(self.folder / "missing")
        self._made = set()
        self._write("config", CONFIG)
        self._write("index.txt", "")
        (self.folder / "issued").mkdir()

    def __getitem__(self, name):
        stem = name.partition(".")[0]
        if stem not in self._made:
            self._made.add(stem)
            RECIPES[stem](self)
        return str(self.folder / name)

    def read(self, name):
        return Path(self[name]).read_bytes()

    def text(self, name):
        return Path(self[name]).read_text()

    def make_all(self):
        for stem in RECIPES:
            self[stem]

    # How they are made.

    def _openssl(self, *arguments):
        return run(["openssl", *arguments], cwd=self.folder).strip()

    def _write(self, name, text):
        (self.folder / name).write_text(text)

    def key(self, name, rsa=False):
        kind = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048") if rsa else ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        self._openssl("genpkey", "-algorithm", *kind, "-out", f"{name}.key")

    def request(self, name, subject=None, rsa=False):
        self.key(name, rsa)
        self._openssl("req", "-config", "config", "-new", "-key", f"{name}.key", "-subj", subject or f"/CN={name}",
                      "-out", f"{name}.csr")

    def self_signed(self, name, extensions, rsa=False, called=None):
        self.key(name, rsa)
        self._openssl("req", "-config", "config", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={called or name}",
                      "-days", "3650", "-extensions", extensions, "-out", f"{name}.crt")

    def renamed(self, name, ca):
        """A CA with the key of another."""
        self._write(f"{name}.key", self.text(f"{ca}.key"))
        self._openssl("req", "-config", "config", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}",
                      "-days", "3650", "-extensions", "is_ca", "-out", f"{name}.crt")

    def signed(self, name, extensions="server", by="ca", valid=LONG, rsa=False):
        """Without `extensions`, of X.509 version 1."""
        self.request(name, rsa=rsa)
        self._openssl("ca", "-config", "config", "-batch", "-notext", "-in", f"{name}.csr", "-out", f"{name}.crt",
                      "-cert", self[f"{by}.crt"], "-keyfile", self[f"{by}.key"], "-startdate", valid[0], "-enddate", valid[1],
                      *(("-extensions", extensions) if extensions else ()))

    def simply_signed(self, name, by="ca", subject=None, extensions=(), rsa=False):
        """By `openssl x509 -req`, and without extensions of X.509 version 1."""
        self.request(name, subject, rsa)
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", self[f"{by}.crt"], "-CAkey", self[f"{by}.key"],
                      "-set_serial", "77", "-days", "3650", "-out", f"{name}.crt", *extensions)

    def user(self, name, subject, extensions="client"):
        """A client's with any subject, `@` in it and in the URIs for a NUL, which `openssl` does not write."""
        self.simply_signed(name, subject=subject, extensions=("-extfile", "config", "-extensions", extensions))
        certificate = base64.b64decode("".join(self.text(f"{name}.crt").splitlines()[1:-1]))
        if b"alice@evil" not in certificate:
            return
        signed, algorithm, _ = elements(certificate[4:])
        signed = signed.replace(b"alice@evil", b"alice\0evil")
        (self.folder / "signed").write_bytes(signed)
        self._openssl("dgst", "-sha256", "-sign", self["ca.key"], "-out", "signature", "signed")
        signature = (self.folder / "signature").read_bytes()
        certificate = element(0x30, signed, algorithm, element(0x03, b"\0", signature))
        encoded = base64.encodebytes(certificate).decode()
        self._write(f"{name}.crt", f"-----BEGIN CERTIFICATE-----\n{encoded}-----END CERTIFICATE-----\n")

    def chain(self, name, key, *certificates):
        """Certificates one after the other, with the key of one if it is one's own chain."""
        self._write(f"{name}.crt", "".join(self.text(certificate) for certificate in certificates))
        if key:
            self._write(f"{name}.key", self.text(key))

    def chain_client(self, name):
        self.signed(name, "client", by="intermediate")
        self._write(f"{name}.crt", self.text(f"{name}.crt") + self.text("intermediate.crt"))

    def server_key(self, name, *arguments):
        """server.key in another form."""
        self._openssl(*arguments, "-in", self["server.key"], "-out", f"{name}.key")

    def directory(self, name, *certificates):
        folder = self.folder / name
        folder.mkdir()
        for certificate in certificates:
            digest = self._openssl("x509", "-in", self[certificate], "-noout", "-hash")
            self._write(f"{name}/{digest}.0", self.text(certificate))
        self._write(f"{name}/readme", "There is no certificate here.\n")
        self._write(f"{name}/00000000.0", "Nor here.\n")
        self._write(f"{name}/00000000.1", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        self._write(f"{name}/00000000.", "Without a number.\n")
        self._write(f"{name}/0000000.0", "Not eight digits.\n")
        self._write(f"{name}/0000000g.0", "Not hexadecimal.\n")
        (folder / "00000000.2").symlink_to("nowhere")
        (folder / "00000000.3").mkdir()

    def pbes1(self, name):
        self._write(f"{name}.key", PBES1)

    def pkcs1(self, name):
        self._openssl("rsa", "-in", self["rsa.key"], "-traditional", "-out", f"{name}.key")

    def dh(self, name):
        self._openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", f"{name}.pem")

    def no_cert(self, name):
        self._write(f"{name}.pem", "There is no certificate here.\n")


def _recipes():
    made = Certificates
    past = ("20200101000000Z", "20200201000000Z")
    to_pkcs8 = ("pkcs8", "-topk8", "-passout", f"pass:{PASSPHRASE}")
    found = {
        "ca": (made.self_signed, "is_ca"),
        "rsa-ca": (made.self_signed, "is_ca", True),
        "other-ca": (made.self_signed, "is_ca"),
        "all-ca": (made.chain, None, "ca.crt", "rsa-ca.crt"),
        "server": (made.signed,),
        "rsa": (made.signed, "server", "rsa-ca", LONG, True),
        "rsa-server": (made.signed, "server", "ca", LONG, True),
        "server-only": (made.signed, "server_only"),
        "client": (made.signed, "client"),
        "user-alice": (made.user, "/CN=alice"),
        "user-two": (made.user, "/CN=nobody/CN=alice"),
        "user-nul": (made.user, "/CN=alice@evil"),
        "user-none": (made.user, "/O=alice"),
        "user-uris": (made.user, "/CN=alice", "uris"),
        "user-nul-uri": (made.user, "/CN=alice", "nul_uri"),
        "expired": (made.signed, "server", "ca", past),
        "future": (made.signed, "server", "ca", ("20480101000000Z", "20490101000000Z")),
        "ends-first": (made.chain, None, "ca.crt", "expired.crt", "rsa-ca.crt"),
        "wrong-host": (made.signed, "other_host"),
        "critical": (made.signed, "critical"),
        "other": (made.signed, "server", "other-ca"),
        "self-signed": (made.self_signed, "server"),
        "v1": (made.simply_signed,),
        "rsa-v1": (made.simply_signed, "rsa-ca", None, (), True),
        "other-v1": (made.simply_signed, "other-ca"),
        "expired-v1": (made.signed, None, "ca", past),
        "future-v1": (made.signed, None, "ca", ("20480101000000Z", "20490101000000Z")),
        "twin-ca": (made.self_signed, "is_ca", False, "ca"),
        "twin-v1": (made.simply_signed, "twin-ca"),
        "renamed-ca": (made.renamed, "ca"),
        "renamed-v1": (made.simply_signed, "renamed-ca"),
        "intermediate": (made.signed, "is_ca"),
        "lone": (made.signed, "server", "intermediate"),
        "chain": (made.chain, "lone.key", "lone.crt", "intermediate.crt"),
        "chain-client": (made.chain_client,),
        "long-chain": (made.chain, None, "server.crt", *100 * ("intermediate.crt",)),
        "sec1": (made.server_key, "ec"),
        "pkcs1": (made.pkcs1,),
        "encrypted": (made.server_key, *to_pkcs8),
        "old-encrypted": (made.server_key, "ec", "-aes256", "-passout", f"pass:{PASSPHRASE}"),
        "sha1-encrypted": (made.server_key, *to_pkcs8, "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"),
        "pbe-encrypted": (made.server_key, *to_pkcs8, "-v1", "PBE-SHA1-3DES"),
        "pbes1-encrypted": (made.pbes1,),
        "ca-dir": (made.directory, "ca.crt"),
        "empty-dir": (made.directory,),
        "dh": (made.dh,),
        "no-cert": (made.no_cert,),
    }
    return {name: functools.partial(_make, name, *how) for name, how in found.items()}


def _make(name, how, *arguments_and_folder):
    *arguments, certificates = arguments_and_folder
    how(certificates, name, *arguments)


RECIPES = _recipes()


def make(folder):
    """Makes all of them anew; returns the folder, or None without the `openssl` command."""
    if shutil.which("openssl") is None:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    certificates = Certificates(folder)
    certificates.make_all()
    return certificates.folder


if __name__ == "__main__":
    wanted = Certificates(sys.argv[1])
    for file in sys.argv[2:]:
        wanted[file]
    if not sys.argv[2:]:
        wanted.make_all()
