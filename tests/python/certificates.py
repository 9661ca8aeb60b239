"""Certificates for the tests, made anew each time with the openssl command."""

import subprocess
import tempfile
from pathlib import Path

EXTENSIONS = """
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
[either]
subjectAltName = DNS:localhost, IP:127.0.0.1
[elsewhere]
subjectAltName = DNS:elsewhere.example
[client]
extendedKeyUsage = clientAuth
[signing]
default_ca = signing_ca
[signing_ca]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""
EC, RSA = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["rsa", "-pkeyopt", "rsa_keygen_bits:2048"]
PASSPHRASE = "open sesame"


class Certificates:
    """A folder of them: NAME.crt, NAME.key and NAME.pem, which is both.

    ca and other-ca sign themselves, the rest says by its name what it is; the CA has signed all of it, but for
    of-other-ca. Those of the intermediate CA come with its own certificate, as a chain.
    """

    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="libae-tls-")
        self.folder = Path(self.kept.name)
        (self.folder / "conf").write_text(EXTENSIONS)
        (self.folder / "index.txt").touch()
        self.key("ca", EC)
        self.key("other-ca", EC)
        for name in ("ca", "other-ca"):
            self.run("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-days", "30",
                     "-config", "conf", "-extensions", "ca", "-out", f"{name}.crt")
        self.make("server", section="server")
        self.make("rsa-server", section="server", kind=RSA)
        self.make("elsewhere", section="elsewhere")
        self.make("version-1")
        self.make("version-1-of-other-ca", signer="other-ca")
        self.make("version-1-expired", dates=("20200101000000Z", "20200201000000Z"))
        self.make("client", section="client")
        self.make("of-other-ca", section="client", signer="other-ca")
        self.make("intermediate", section="ca")
        for name, section in (("chain-server", "server"), ("chain-client", "client")):
            self.make(name, section=section, signer="intermediate")
            chain = self.read(f"{name}.crt") + self.read("intermediate.crt")
            (self.folder / f"{name}.crt").write_bytes(chain)
        self.make("expired", section="either", dates=("20200101000000Z", "20200201000000Z"))
        self.make("too-new", section="either", dates=("20990101000000Z", "20990201000000Z"))
        for path in list(self.folder.glob("*.crt")):
            path.with_suffix(".pem").write_bytes(path.read_bytes() + path.with_suffix(".key").read_bytes())
        self.run("pkcs8", "-topk8", "-in", "server.key", "-passout", f"pass:{PASSPHRASE}", "-out", "encrypted.key")
        (self.folder / "hashed").mkdir()
        digest = self.run("x509", "-in", "ca.crt", "-noout", "-subject_hash").strip()
        (self.folder / "hashed" / f"{digest}.0").write_bytes(self.read("ca.crt"))
        (self.folder / "no-certificate").write_text("nothing of the kind\n")
        (self.folder / "dh").write_text("-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n")

    def __getitem__(self, name):
        """The path of a file."""
        return str(self.folder / name)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def run(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(args)}: {done.stderr}")
        return done.stdout

    def key(self, name, kind):
        self.run("genpkey", "-algorithm", *kind, "-out", f"{name}.key")

    def make(self, name, section=None, signer="ca", kind=EC, dates=None):
        """A key and a certificate, of version 1 if there is no section of extensions."""
        self.key(name, kind)
        self.run("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        extensions = ["-extfile", "conf", "-extensions", section] if section else []
        if dates:
            self.run("ca", "-batch", "-notext", "-config", "conf", "-name", "signing_ca", "-cert", f"{signer}.crt",
                     "-keyfile", f"{signer}.key", "-startdate", dates[0], "-enddate", dates[1], "-in", f"{name}.csr",
                     "-out", f"{name}.crt", *extensions)
        else:
            self.run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.crt", "-CAkey", f"{signer}.key",
                     "-CAcreateserial", "-days", "30", "-out", f"{name}.crt", *extensions)

    def remove(self):
        self.kept.cleanup()
