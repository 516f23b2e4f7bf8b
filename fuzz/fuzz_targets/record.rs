//! Reads any vault contents: nothing panics, and credentials that can be read keep their values when they are written and read again.
#![no_main]

use std::cell::Cell;

use daypass::credentials::{Registration, RoleCredentials};
use daypass::profile::names::Session;
use daypass::secret::Secret;
use daypass::vault::error::Result;
use daypass::vault::key::{Key, Kind};
use daypass::vault::parked::ParkedKey;
use daypass::vault::record::{Record, SignIn};
use daypass::vault::split;
use daypass::vault::store::{Backend, Bytes, Item};
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;

/// Answers each read with the next piece.
struct Pieces<'a> {
    pieces: Vec<&'a [u8]>,
    next: Cell<usize>,
}

impl Pieces<'_> {
    fn next(&self) -> Option<Bytes> {
        let next = self.next.get();
        self.next.set(next + 1);
        self.pieces.get(next).map(|piece| Bytes::new(piece.to_vec()))
    }
}

impl Backend for Pieces<'_> {
    fn name(&self) -> &'static str {
        "pieces"
    }

    fn get(&self, _: &Item<'_>) -> Result<Option<Bytes>> {
        Ok(self.next())
    }

    fn put(&self, _: &Item<'_>, _: &[u8], _: Option<OffsetDateTime>) -> Result<()> {
        Ok(())
    }

    fn delete(&self, _: &Item<'_>) -> Result<()> {
        Ok(())
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        Ok(self.pieces.iter().map(|piece| Bytes::new(piece.to_vec())).collect())
    }
}

fn round_trip<R: Record>(text: &Secret) {
    if let Some(read) = R::from_text(text)
        && let Ok(written) = read.to_text()
    {
        let again = R::from_text(&written).expect("what was written can be read");
        assert_eq!(again.to_text().expect("what was read can be written").expose(), written.expose());
    }
}

fuzz_target!(|data: &[u8]| {
    let session = Session {
        name: "corp".to_owned(),
        start_url: "https://corp.awsapps.com/start".to_owned(),
        region: "us-east-1".to_owned(),
        scopes: Vec::new(),
    };
    let store = Pieces { pieces: data.split(|byte| *byte == 0).collect(), next: Cell::new(0) };
    let _ = split::get(&store, &Key::new(&session, Kind::Token));
    let _ = split::list(&store);
    if let Ok(text) = std::str::from_utf8(data) {
        let text = Secret::new(text);
        round_trip::<Registration>(&text);
        round_trip::<SignIn>(&text);
        round_trip::<RoleCredentials>(&text);
        round_trip::<ParkedKey>(&text);
    }
});
