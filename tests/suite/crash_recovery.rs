//! Processes killed (SIGKILL) at random instants while they refresh tokens and fetch role credentials. The next call must work.
//!
//! Where the portal rotates strictly, one loss is unavoidable for any client: the portal has replaced the refresh token, and the
//! process is killed before it has stored the new one. Such a loss leaves a refresh at the portal whose tokens no client ever uses,
//! so that both can be counted and compared. Where the portal does not rotate, or keeps the previous refresh token valid until the
//! new tokens are used, nothing may be lost.

use std::time::{Duration, Instant};

use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig, Rotation};
use crate::{configured, number_of, seed, signed_in};

/// Each round starts and kills three processes.
const ROUNDS: usize = 60;

/// Tokens and credentials expire at once, so that every call refreshes and fetches.
fn expire_at_once(rotation: Rotation) -> PortalConfig {
    PortalConfig { token_ttl: Duration::ZERO, role_ttl: Duration::ZERO, rotation, ..PortalConfig::of(1, 3) }
}

fn ask(role: usize) -> String {
    format!("credential-process --session corp --account 000100000001 --role Role{role:03}")
}

/// Kills processes at random instants and checks after each round that the next call works. Under strict rotation the sign-in may be
/// lost instead; each loss must have left one more refresh at the portal whose tokens were never used. Returns the number of losses.
fn kill_at_random(rotation: Rotation) -> usize {
    let (seed, rounds) = (seed(), number_of(ROUNDS));
    let mut random = fastrand::Rng::with_seed(seed);
    let portal = Portal::live(expire_at_once(rotation));
    let home = signed_in(&portal);
    let (mut lost, mut longest) = (0, Duration::from_millis(50));
    for round in 0..rounds {
        let running: Vec<_> = (1..=3).map(|role| home.daypass(&ask(role)).any_output().spawn()).collect();
        let mut delays: Vec<_> = running.into_iter().map(|run| (longest.mul_f64(random.f64()), run)).collect();
        delays.sort_by_key(|(delay, _)| *delay);
        let start = Instant::now();
        for (delay, run) in delays {
            // The kill is meant to be random: nothing depends on the length of this pause.
            std::thread::sleep(delay.saturating_sub(start.elapsed()));
            run.kill();
        }
        let start = Instant::now();
        let after = home.daypass(&ask(round % 3 + 1)).any_output().status_of([0, 3]).go();
        longest = longest.max(start.elapsed().min(Duration::from_millis(400)));
        if after.status.success() {
            assert_eq!(after.json()["Version"], 1, "seed {seed}, round {round}");
            continue;
        }
        assert_eq!(rotation, Rotation::Strict, "seed {seed}, round {round}: a sign-in was lost that could be kept\n{after}");
        lost += 1;
        let unused = portal.unused_refreshes();
        assert!(unused >= lost, "seed {seed}, round {round}: loss {lost}, but only {unused} refreshes were never used\n{after}");
        assert!(after.stderr.ends_with("\nhint: daypass login corp\n"), "seed {seed}, round {round}\n{after}");
        home.daypass("login corp --no-browser").any_stderr().go();
    }
    assert!(portal.count(Call::RefreshToken) > rounds, "seed {seed}: the kills came before any refresh");
    if rotation == Rotation::Strict {
        // The next call uses tokens that were stored, so only a loss leaves a refresh unused.
        assert_eq!(portal.unused_refreshes(), lost, "seed {seed}");
    }
    lost
}

#[test]
fn random_kills_lose_no_sign_in_if_the_portal_does_not_rotate() {
    assert_eq!(kill_at_random(Rotation::Never), 0);
}

#[test]
fn random_kills_lose_no_sign_in_if_the_previous_refresh_token_stays_valid() {
    assert_eq!(kill_at_random(Rotation::Lenient), 0);
}

#[test]
fn random_kills_lose_a_sign_in_only_between_rotation_and_storage() {
    let lost = kill_at_random(Rotation::Strict);
    eprintln!("{lost} of {} kills came between rotation and storage", 3 * number_of(ROUNDS));
}

#[test]
fn a_kill_between_rotation_and_storage_ends_with_3_until_the_next_sign_in() {
    let portal = Portal::live(expire_at_once(Rotation::Strict));
    let home = signed_in(&portal);
    // The portal has rotated the token, but its answer does not arrive before the process is killed.
    portal.expect(Call::RefreshToken).answered(Answer::served().but_hung());
    let killed = home.daypass(&ask(1)).any_output().spawn();
    portal.wait_for(Call::RefreshToken, 1);
    killed.kill();
    home.daypass(&ask(1)).stderr_has("\nhint: daypass login corp\n").status(3).go();
    home.daypass("login corp --no-browser").any_stderr().go();
    home.daypass(&ask(1)).any_output().go();
}

#[test]
fn a_lost_refresh_answer_is_requested_again() {
    for lost in [Answer::served().but_lost(), Answer::served().but_truncated()] {
        let portal = Portal::live(expire_at_once(Rotation::Lenient));
        let home = signed_in(&portal);
        portal.expect(Call::RefreshToken).answered(lost.clone());
        home.daypass(&ask(1)).any_stderr().stdout_has("AccessKeyId").go();
        assert_eq!(portal.count(Call::RefreshToken), 2);
        // A strict portal has replaced the token with the lost answer, so the sign-in is lost.
        portal.change(|config| config.rotation = Rotation::Strict);
        portal.expect(Call::RefreshToken).answered(lost);
        home.daypass(&ask(1)).stderr_has("\nhint: daypass login corp\n").status(3).go();
    }
}

#[test]
fn a_killed_login_can_be_started_again() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let latch = Latch::closed();
    portal.expect(Call::PollForToken).answered(Answer::served().after(&latch));
    let killed = home.daypass("login corp --no-browser").any_output().spawn();
    latch.wait_for_requests(1);
    killed.kill();
    latch.open();
    home.daypass("login corp --no-browser").stderr_has("Signed in to corp").go();
}
