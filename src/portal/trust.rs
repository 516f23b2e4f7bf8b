//! Which certificates are trusted: those of `AWS_CA_BUNDLE` or the profile's `ca_bundle`, else the system's. Touches the files that hold
//! them.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::TrustStore;
use aws_smithy_types::base64;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::Error;
use crate::sys::env::Env;
use crate::sys::file;

/// Where Linux systems keep all their roots in one file (Debian, Fedora, openSUSE, Alpine). The folders beside it hold the same ones
/// in a hundred and more files, and reading those takes longer than the call that they are for.
const BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// The certificates of this bundle, or of the system.
pub(super) fn store(bundle: Option<PathBuf>, env: &Env) -> Result<TrustStore, Error> {
    if let Some(path) = bundle {
        let shown = path.display();
        let pem =
            file::read(&path).map_err(|error| Error::InvalidSettings(format!("the CA bundle {shown} can't be read: {error}")))?;
        let usable = usable(&pem).ok_or_else(|| Error::InvalidSettings(format!("the CA bundle {shown} holds no certificate")))?;
        return Ok(TrustStore::empty().with_pem_certificate(usable));
    }
    let of_system = || BUNDLES.iter().find_map(|path| usable(&std::fs::read(Path::new(path)).ok()?));
    let bundle = if cfg!(target_os = "linux") && !env.names_certificates() { of_system() } else { None };
    Ok(bundle.map_or_else(TrustStore::default, |pem| TrustStore::empty().with_pem_certificate(pem)))
}

/// What of a file can be trusted, again as PEM; None if nothing. The TLS library behind the SDK ends the program over a bad one.
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
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_not_handed_on() {
        for bad in
            ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n%%%"]
        {
            assert_eq!(usable(bad.as_bytes()), None, "{bad}");
        }
    }
}
