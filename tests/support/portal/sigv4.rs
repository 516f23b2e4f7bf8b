//! Verifies the signatures of requests (AWS Signature Version 4), with the keys that were issued.

use std::time::{Duration, SystemTime};

use ring::{digest, hmac};

use super::http1::Request;

/// How far the date of a request may be from the service's clock.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

/// What the `Authorization` header of a request contains.
pub(super) struct Signature {
    pub key_id: String,
    pub region: String,
    service: String,
    date: String,
    signed: Vec<String>,
    value: String,
}

impl Signature {
    /// Parses the header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of(request: &Request) -> Result<Self, String> {
        let header = request.header("authorization").ok_or("the request is not signed")?;
        let parts = header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("the signature is not one of version 4")?;
        let part = |name: &str| {
            let found = parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| format!("the Authorization header has no {name}"))
        };
        let scope: Vec<&str> = part("Credential")?.split('/').collect();
        let [key_id, date, region, service, "aws4_request"] = scope.as_slice() else {
            return Err(format!("the scope of the signature is {}", scope.join("/")));
        };
        Ok(Self {
            key_id: (*key_id).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
            date: (*date).to_owned(),
            signed: part("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            value: part("Signature")?.to_owned(),
        })
    }

    /// Checks it against a recomputed one.
    ///
    /// # Errors
    /// How it differs from what a client with this secret access key would send to this service.
    pub(super) fn verify(&self, request: &Request, service: &str, secret: &str) -> Result<(), String> {
        if self.service != service {
            return Err(format!("signed for {} and not for {service}", self.service));
        }
        let amz_date = request.header("x-amz-date").ok_or("x-amz-date is missing")?;
        if amz_date.get(..8) != Some(&self.date) {
            return Err(format!("x-amz-date is {amz_date}, and the scope's date {}", self.date));
        }
        for name in ["host", "x-amz-date", "x-amz-security-token"] {
            if request.header(name).is_some() && !self.signed.iter().any(|signed| signed == name) {
                return Err(format!("{name} is not signed"));
            }
        }
        if !request.query.is_empty() {
            return Err("a query where the fields belong in the body".to_owned());
        }
        let headers: Vec<String> = self
            .signed
            .iter()
            .map(|name| {
                let value = request.header(name).unwrap_or_default();
                format!("{name}:{}\n", value.split_whitespace().collect::<Vec<_>>().join(" "))
            })
            .collect();
        let canonical = [
            &request.method,
            &request.path,
            "",
            &headers.concat(),
            &self.signed.join(";"),
            &hex(digest::digest(&digest::SHA256, &request.body).as_ref()),
        ]
        .join("\n");
        let scope = [&self.date, &self.region, &self.service, "aws4_request"].map(|part: &str| part.to_owned());
        let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let text = ["AWS4-HMAC-SHA256", amz_date, &scope.join("/"), &hash].join("\n");
        let key = scope.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
        if hex(&hmac(&key, &text)) == self.value { Ok(()) } else { Err("the signature does not match".to_owned()) }
    }
}

/// Whether the request was signed at about this time.
pub(super) fn is_current(request: &Request, now: SystemTime) -> bool {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = request.header("x-amz-date").and_then(|date| time::PrimitiveDateTime::parse(date, format).ok());
    let difference = |date: time::PrimitiveDateTime| (date.assume_utc() - time::OffsetDateTime::from(now)).unsigned_abs();
    date.is_some_and(|date| difference(date) < CLOCK_TOLERANCE)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
