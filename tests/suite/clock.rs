//! A wrong clock: the life of credentials is measured by the service's clock, and a difference is reported.

use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use crate::support::portal::{Answer, Call, Portal, PortalConfig};
use crate::{configured, signed_in};

const ASK: &str = "credential-process --profile dev";

/// The `Date` of a server whose clock is ahead of this machine's by `offset`.
fn date(offset: Duration) -> String {
    (OffsetDateTime::now_utc() + offset).format(&Rfc2822).unwrap().replace("+0000", "GMT")
}

/// The service's answer, if its clock is ahead of this machine's by `offset`, with credentials that expire `earlier`.
fn shifted(offset: Duration, earlier: Duration) -> Answer {
    let milliseconds = i64::try_from((offset - earlier).whole_milliseconds()).unwrap();
    Answer::served().with_header("Date", &date(offset)).edited(move |answer| {
        let expiration = &mut answer["roleCredentials"]["expiration"];
        *expiration = (expiration.as_i64().unwrap() + milliseconds).into();
    })
}

#[test]
fn credentials_are_fresh_for_their_real_life_if_the_clock_is_wrong_and_it_is_reported() {
    for (offset, direction) in [(Duration::hours(13), "13 h 0 min behind"), (Duration::minutes(-90), "1 h 30 min ahead")] {
        let portal = Portal::live(PortalConfig::default());
        let home = signed_in(&portal);
        portal.expect(Call::GetRoleCredentials).answered(shifted(offset, Duration::ZERO));
        let said = home.daypass(ASK).stdout_has("111122223333").any_stderr().go().stderr;
        // A few seconds may pass between the two clocks.
        let minute_less = direction.replace("13 h 0", "12 h 59").replace("30 min", "29 min");
        assert!(said.contains(direction) || said.contains(&minute_less), "{said}");
        home.daypass(ASK).stdout_has("111122223333").go();
        assert_eq!(portal.count(Call::GetRoleCredentials), 1);
        // Credentials that have expired are not fresh for 13 hours more.
        let role = "credential-process --session corp --account 111122223333 --role ReadOnly";
        portal.expect(Call::GetRoleCredentials).times(2).answered(shifted(offset, Duration::hours(2)));
        home.daypass(role).any_output().go();
        home.daypass(role).any_output().go();
        assert_eq!(portal.count(Call::GetRoleCredentials), 3);
    }
}

#[test]
fn login_reports_a_wrong_clock() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    portal.expect(Call::PollForToken).answered(Answer::served().with_header("Date", &date(Duration::hours(13))));
    home.daypass("login corp --no-browser").stderr_has("daypass: this machine's clock is ").stderr_has("Signed in to corp").go();
}

#[test]
fn a_difference_of_a_few_minutes_is_not_reported() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.expect(Call::GetRoleCredentials).answered(shifted(Duration::minutes(4), Duration::ZERO));
    home.daypass(ASK).stdout_has("111122223333").go();
}
