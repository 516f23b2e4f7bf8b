//! Loads the trusted certificates: those of `AWS_CA_BUNDLE` or the profile's `ca_bundle`, else the system's. Touches certificate files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::TrustStore;
use aws_smithy_types::base64;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::Error;
use crate::sys::env::Env;
use crate::sys::file;

/// Where Linux systems keep all their roots in one file (Debian, Fedora, openSUSE, Alpine). The folders contain the same ones in more than
/// a hundred files, which take longer to read than a request.
const BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// Where Linux systems without such a file keep them, one or a few to a file.
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// The certificates of this bundle, or of the system. If there are none, no server is trusted.
pub(super) fn store(bundle: Option<PathBuf>, env: &Env) -> Result<TrustStore, Error> {
    if let Some(path) = bundle {
        let shown = path.display();
        let pem =
            file::read(&path).map_err(|error| Error::InvalidSettings(format!("the CA bundle {shown} can't be read: {error}")))?;
        let usable =
            usable(&pem).ok_or_else(|| Error::InvalidSettings(format!("the CA bundle {shown} contains no certificate")))?;
        return Ok(TrustStore::empty().with_pem_certificate(usable));
    }
    if cfg!(not(target_os = "linux")) || env.names_certificates() {
        return Ok(TrustStore::default());
    }
    let bundle = BUNDLES.iter().find_map(|path| usable(&std::fs::read(path).ok()?));
    let system = bundle.or_else(|| FOLDERS.iter().find_map(|folder| usable(&all_files(Path::new(folder)))));
    Ok(system.map_or_else(TrustStore::empty, |pem| TrustStore::empty().with_pem_certificate(pem)))
}

/// The contents of the files in a folder. A file that several names link to is read once.
fn all_files(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files: BTreeSet<PathBuf> = entries.filter_map(|entry| std::fs::canonicalize(entry.path()).ok()).collect();
    let contents = files.iter().filter_map(|file| std::fs::read(file).ok());
    contents.fold(Vec::new(), |mut all, content| {
        all.extend_from_slice(&content);
        all.push(b'\n');
        all
    })
}

/// The usable certificates of a file, as PEM; None if there are none. The SDK's TLS code panics on an unusable one.
fn usable(pem: &[u8]) -> Option<String> {
    let mut roots = RootCertStore::empty();
    let mut text = String::new();
    for certificate in CertificateDer::pem_slice_iter(pem).flatten() {
        if roots.add(certificate.clone()).is_ok() {
            text += "-----BEGIN CERTIFICATE-----\n";
            text += &base64::encode(&certificate);
            text += "\n-----END CERTIFICATE-----\n";
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // Tests write files of their own.
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_certificates_is_read_file_by_file() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = |name: &str| {
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", base64::encode(certificate.der()))
        };
        for name in ["one", "other"] {
            std::fs::write(folder.path().join(name), certificate(name)).unwrap();
        }
        std::fs::write(folder.path().join("README"), "no certificate").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("one", folder.path().join("0123abcd.0")).unwrap();
        let found = usable(&all_files(folder.path())).unwrap();
        assert_eq!(found.matches("BEGIN CERTIFICATE").count(), 2);
        assert_eq!(usable(&all_files(&folder.path().join("missing"))), None);
    }

    #[test]
    fn unusable_certificates_are_left_out() {
        for bad in
            ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n%%%"]
        {
            assert_eq!(usable(bad.as_bytes()), None, "{bad}");
        }
    }
}
