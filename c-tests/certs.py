"""Makes the certificates and keys of the TLS tests with the `openssl` command.

All are of P-256 unless the name says rsa, and signed by ca.crt unless it says otherwise:

    ca.crt rsa-ca.crt other-ca.crt  CAs; all-ca.crt holds the first two
    server.crt                      for localhost and 127.0.0.1; rsa.crt the same, signed by rsa-ca.crt
    client.crt                      a client's
    user-NAME.crt                   clients' that name a user: user-alice.crt by CN, user-two.crt by two CNs (nobody,
                                    alice), user-nul.crt by the CN "alice\\0evil", user-none.crt by no CN; user-uris.crt
                                    by the URIs urn:unknown urn:off urn:alice urn:carol, user-nul-uri.crt by
                                    urn:alice\\0evil and urn:unknown, both with the CN alice
    expired.crt future.crt          no longer and not yet valid; ends-first.crt holds the first between two CAs
    wrong-host.crt                  for another host
    other.crt                       signed by other-ca.crt
    self-signed.crt                 signed by itself
    v1.crt                          of X.509 version 1, as `openssl x509 -req` makes it, and so without a host's name;
                                    rsa-v1.crt the same, signed by rsa-ca.crt
    chain.crt                       signed by an intermediate CA, with that one's certificate behind it; lone.crt is the
                                    same without it
    long-chain.crt                  server.crt with 100 certificates behind it, some 40 kB; its key is server.key
    NAME.key                        the key of NAME.crt, as PKCS #8
    sec1.key pkcs1.key              server.key and rsa.key in the formats of their own
    encrypted.key                   server.key with the passphrase "secret"
    old-encrypted.key               the same in the old way of PEM
    sha1-encrypted.key              server.key with the passphrase "secret", as OpenSSL encrypted it by default up to 1.0.2
    pbe-encrypted.key               the same in the way of PKCS #12
    pbes1-encrypted.key             the same with PBES1
    ca-dir/                         ca.crt under its hashed name, and files that are no certificate or not there
    empty-dir/                      only the latter
    dh.pem                          DH parameters
    no-cert.pem                     text
"""

import base64
import pathlib
import shutil
import subprocess

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

# Not every `openssl` makes such any more: pbeWithMD5AndDES-CBC, passphrase "secret".
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


class Maker:
    def __init__(self, folder):
        self.folder = folder

    def openssl(self, *arguments):
        result = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )
        if result.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {result.stderr}")
        return result.stdout.strip()

    def key(self, name, rsa=False):
        kind = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048") if rsa else ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.openssl("genpkey", "-algorithm", *kind, "-out", f"{name}.key")

    def request(self, name, **key):
        self.key(name, **key)
        self.openssl(
            "req", "-config", "config", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr",
        )

    def self_signed(self, name, extensions, **key):
        self.key(name, **key)
        self.openssl(
            "req", "-config", "config", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-days", "3650",
            "-extensions", extensions, "-out", f"{name}.crt",
        )

    def signed(self, name, extensions="server", by="ca", valid=LONG, **key):
        self.request(name, **key)
        self.openssl(
            "ca", "-config", "config", "-batch", "-notext", "-in", f"{name}.csr", "-out", f"{name}.crt",
            "-cert", f"{by}.crt", "-keyfile", f"{by}.key", "-extensions", extensions,
            "-startdate", valid[0], "-enddate", valid[1],
        )

    def of_version_1(self, name, by, **key):
        self.request(name, **key)
        self.openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-set_serial", "77",
            "-days", "3650", "-out", f"{name}.crt",
        )

    def user(self, name, subject, extensions="client"):
        """A client's with any subject, `@` in it and in the URIs for a NUL, which `openssl` does not write."""
        name = f"user-{name}"
        self.key(name)
        self.openssl("req", "-config", "config", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
        self.openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", "77",
            "-days", "3650", "-extfile", "config", "-extensions", extensions, "-out", f"{name}.crt",
        )
        text = self.text(f"{name}.crt")
        certificate = base64.b64decode("".join(text.splitlines()[1:-1]))
        if b"alice@evil" not in certificate:
            return
        signed, algorithm, _ = elements(certificate[4:])
        signed = signed.replace(b"alice@evil", b"alice\0evil")
        (self.folder / "signed").write_bytes(signed)
        self.openssl("dgst", "-sha256", "-sign", "ca.key", "-out", "signature", "signed")
        signature = (self.folder / "signature").read_bytes()
        certificate = element(0x30, signed, algorithm, element(0x03, b"\0", signature))
        encoded = base64.encodebytes(certificate).decode()
        self.write(f"{name}.crt", f"-----BEGIN CERTIFICATE-----\n{encoded}-----END CERTIFICATE-----\n")

    def make(self):
        (self.folder / "config").write_text(CONFIG)
        (self.folder / "index.txt").touch()
        for name in "issued", "ca-dir", "empty-dir":
            (self.folder / name).mkdir()
        self.self_signed("ca", "is_ca")
        self.self_signed("rsa-ca", "is_ca", rsa=True)
        self.self_signed("other-ca", "is_ca")
        self.write("all-ca.crt", self.text("ca.crt") + self.text("rsa-ca.crt"))
        self.signed("server")
        self.signed("rsa", by="rsa-ca", rsa=True)
        self.signed("client", "client")
        self.user("alice", "/CN=alice")
        self.user("two", "/CN=nobody/CN=alice")
        self.user("nul", "/CN=alice@evil")
        self.user("none", "/O=alice")
        self.user("uris", "/CN=alice", "uris")
        self.user("nul-uri", "/CN=alice", "nul_uri")
        self.signed("expired", valid=("20200101000000Z", "20200201000000Z"))
        self.write("ends-first.crt", self.text("ca.crt") + self.text("expired.crt") + self.text("rsa-ca.crt"))
        self.signed("future", valid=("20480101000000Z", "20490101000000Z"))
        self.signed("wrong-host", "other_host")
        self.signed("other", by="other-ca")
        self.self_signed("self-signed", "server")
        self.of_version_1("v1", "ca")
        self.of_version_1("rsa-v1", "rsa-ca", rsa=True)
        self.signed("intermediate", "is_ca")
        self.signed("lone", by="intermediate")
        self.write("chain.crt", self.text("lone.crt") + self.text("intermediate.crt"))
        self.write("chain.key", self.text("lone.key"))
        self.write("long-chain.crt", self.text("server.crt") + 100 * self.text("intermediate.crt"))
        self.openssl("ec", "-in", "server.key", "-out", "sec1.key")
        self.openssl("rsa", "-in", "rsa.key", "-traditional", "-out", "pkcs1.key")
        self.openssl("pkcs8", "-topk8", "-in", "server.key", "-out", "encrypted.key", "-passout", "pass:secret")
        self.openssl("ec", "-in", "server.key", "-aes256", "-out", "old-encrypted.key", "-passout", "pass:secret")
        for name, cipher in (
            ("sha1", ("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1")), ("pbe", ("-v1", "PBE-SHA1-3DES")),
        ):
            self.openssl(
                "pkcs8", "-topk8", "-in", "server.key", "-out", f"{name}-encrypted.key", "-passout", "pass:secret", *cipher,
            )
        self.write("pbes1-encrypted.key", PBES1)
        self.write(f"ca-dir/{self.openssl('x509', '-in', 'ca.crt', '-noout', '-hash')}.0", self.text("ca.crt"))
        for folder in "ca-dir", "empty-dir":
            self.write(f"{folder}/readme", "There is no certificate here.\n")
            self.write(f"{folder}/00000000.0", "Nor here.\n")
            self.write(f"{folder}/00000000.1", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            (self.folder / folder / "00000000.2").symlink_to("nowhere")
            (self.folder / folder / "00000000.3").mkdir()
        self.write("no-cert.pem", "There is no certificate here.\n")
        self.openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", "dh.pem")

    def text(self, name):
        return (self.folder / name).read_text()

    def write(self, name, text):
        (self.folder / name).write_text(text)


def make(folder):
    """Makes them anew; returns the folder, or None without the `openssl` command."""
    if shutil.which("openssl") is None:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    Maker(folder).make()
    return folder


if __name__ == "__main__":
    import sys

    print(make(pathlib.Path(sys.argv[1]).resolve()))
