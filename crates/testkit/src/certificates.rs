//! Certificates, made with the `openssl` command.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A CA, and a certificate of its for localhost: files in a folder that goes when this is dropped.
pub struct Certificates {
    folder: TempDir,
}

/// A key as certificates have it, for `openssl req`.
const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

impl Certificates {
    /// Makes them. None if there is no `openssl`, which fails the test where every tool has to be there.
    pub fn make() -> Option<Certificates> {
        if Command::new("openssl").arg("version").output().is_err() {
            assert!(std::env::var_os("LIBAE_ALL_TOOLS").is_none(), "openssl is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        openssl(at, &format!("req -x509 {KEY} -keyout ca.key -out ca.crt -days 2 -subj /CN=ca"));
        let made = Certificates { folder };
        made.issue("server", "DNS:localhost");
        Some(made)
    }

    /// Makes another one: `NAME.crt` and `NAME.key`, for these alternative names.
    pub fn issue(&self, name: &str, alternative_names: &str) {
        let at = self.folder.path();
        std::fs::write(at.join("names"), format!("subjectAltName={alternative_names}")).unwrap();
        openssl(at, &format!("req {KEY} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        let signed = "-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names";
        openssl(at, &format!("x509 -req -in {name}.csr {signed} -out {name}.crt"));
    }

    /// The path of `ca.crt`, `ca.key`, or of one that has been made: `server.crt`, `server.key`.
    pub fn path(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        assert!(path.exists(), "{name} is not one of the files");
        path.to_str().unwrap().into()
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
