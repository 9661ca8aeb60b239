//! Certificates, made with the `openssl` command.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A CA, and a certificate of its for localhost: files in a folder that goes when this is dropped.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes them. None if there is no `openssl`, which fails the test where every tool has to be there.
    pub fn make() -> Option<Certificates> {
        if Command::new("openssl").arg("version").output().is_err() {
            assert!(std::env::var_os("LIBAE_ALL_TOOLS").is_none(), "openssl is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::write(at.join("names"), "subjectAltName=DNS:localhost").unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(at, &format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=ca"));
        openssl(at, &format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
        openssl(
            at,
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
        );
        Some(Certificates { folder })
    }

    /// The path of `ca.crt`, `ca.key`, `server.crt` or `server.key`.
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
