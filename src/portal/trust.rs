//! Loads the trusted certificates: those of `AWS_CA_BUNDLE` or the profile's `ca_bundle`, else the system's. Touches certificate files.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::TrustStore;
use aws_smithy_types::base64;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::Error;
use crate::sys::env::Env;
use crate::sys::file;

/// Where Linux systems keep all their roots in one file (Debian, Fedora, openSUSE, Alpine). The folders beside it contain the same ones in
/// more than a hundred files, which take longer to read than a request.
const BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// The certificates of this bundle, or of the system.
pub(super) fn store(bundle: Option<PathBuf>, env: &Env) -> Result<TrustStore, Error> {
    if let Some(path) = bundle {
        let shown = path.display();
        let pem =
            file::read(&path).map_err(|error| Error::InvalidSettings(format!("the CA bundle {shown} can't be read: {error}")))?;
        let usable =
            usable(&pem).ok_or_else(|| Error::InvalidSettings(format!("the CA bundle {shown} contains no certificate")))?;
        return Ok(TrustStore::empty().with_pem_certificate(usable));
    }
    let system = || BUNDLES.iter().find_map(|path| usable(&std::fs::read(Path::new(path)).ok()?));
    let bundle = if cfg!(target_os = "linux") && !env.names_certificates() { system() } else { None };
    Ok(bundle.map_or_else(TrustStore::default, |pem| TrustStore::empty().with_pem_certificate(pem)))
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
mod tests {
    use super::*;

    #[test]
    fn unusable_certificates_are_left_out() {
        for bad in
            ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n%%%"]
        {
            assert_eq!(usable(bad.as_bytes()), None, "{bad}");
        }
    }
}
