//! `daypass configure --convert`, and its offer in the wizard.

use super::wizard::Wizard;
use crate::command::convert::{self, Conversion};
use crate::error::Result;
use crate::profile::index::AccountRole;
use crate::profile::names::Session;
use crate::profile::precedence::Precedence;
use crate::profile::start_url;
use crate::text;

impl Wizard<'_> {
    /// `--convert` without account and role: all profiles with the SDKs' own keys and of other tools, restricted to a session or a name if given.
    pub(super) fn convert_all(&self) -> Result<u8> {
        let flags = &self.args.session;
        let start_url = flags.start_url.as_deref().map(start_url::clean).transpose()?;
        let matches = |name: &str, session: &Session| {
            self.args.profile.as_deref().is_none_or(|given| given == name)
                && flags.session.as_deref().is_none_or(|given| given == session.name)
                && start_url.as_deref().is_none_or(|given| start_url::is_same(given, &session.start_url))
        };
        let precedence = Precedence::new(self.config);
        let mut found = self.conversion(&precedence, None, |name, session, _| matches(name, session))?;
        convert::add_chains(&mut found, &precedence, &self.context.env, &self.program()?, matches);
        self.tell_skipped(&found);
        for (name, lacks) in found.unknown.iter().filter(|(name, _)| self.args.profile.as_ref().is_none_or(|given| given == name)) {
            let next = format!("daypass migrate {}", text::shell_quote(name));
            self.context.tell(&text::clean(&format!("Profile {name} is left alone: {lacks}. To choose its role: {next}")));
        }
        if found.names.is_empty() {
            self.context.tell("No profile with sso_* keys, source_profile or another tool to convert; nothing was written.");
            return Ok(0);
        }
        self.write(&found.changes, &found.names, None)
    }

    /// Profiles with the SDKs' own keys that can be turned into daypass profiles.
    pub(super) fn conversion(
        &self,
        precedence: &Precedence<'_>,
        planned: Option<&Session>,
        matches: impl Fn(&str, &Session, &AccountRole) -> bool,
    ) -> Result<Conversion> {
        if self.args.native {
            return Ok(Conversion::default());
        }
        let own = self.args.profile.as_deref().filter(|_| planned.is_some());
        let matches = |name: &str, session: &Session, role: &AccountRole| own != Some(name) && matches(name, session, role);
        Ok(convert::conversion(precedence, &self.context.env, &self.program()?, planned, true, matches))
    }

    /// All of it with `--convert`; otherwise nothing, and a note.
    pub(super) fn accepted(&self, found: Conversion) -> Conversion {
        if self.args.convert {
            self.tell_skipped(&found);
            return found;
        }
        if !found.names.is_empty() {
            let verb = if found.names.len() == 1 { "uses" } else { "use" };
            let names = found.names.join(", ");
            let what =
                format!("{names} {verb} sso_* keys for the same role; 'daypass configure --convert' converts such profiles.");
            self.context.tell(&text::clean(&what));
        }
        Conversion::default()
    }

    fn tell_skipped(&self, found: &Conversion) {
        for line in &found.skipped {
            self.context.tell(&text::clean(line));
        }
    }
}
