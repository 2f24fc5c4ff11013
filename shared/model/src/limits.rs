//! How often something may be done, and how long who has done it too often must wait.
//!
//! A limit counts within windows of time that begin at the multiples of their length since 1970. So
//! in a window it lets through what it says, and in any other span of that length at most twice as
//! much: all of it at the end of one window, and all of it at the beginning of the next.

use std::net::{IpAddr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// How often something may be done, by one account, for one address or from one source.
#[derive(Debug)]
pub struct Limit {
    /// What is counted. Counters of different things never meet.
    pub what: &'static str,
    /// How often it may be done in a window.
    pub most: u32,
    /// The length of a window, in seconds.
    pub window: i64,
    /// How long who has done it so often must wait before doing it once more, in seconds: first, the
    /// next time, and so on. The last one holds from then on. Without any it is over until the next
    /// window.
    pub delays: &'static [i64],
}

/// The growing delay of those who guess passwords: 2^n seconds, and at most 5 minutes, so that
/// nobody is locked out.
const GUESS_DELAYS: &[i64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 300];

/// Wrong passwords for one name or address from one source.
pub const GUESSES_OF_NAME_FROM_SOURCE: Limit =
    Limit { what: "guesses_of_name_from_source", most: 10, window: DAY, delays: GUESS_DELAYS };

/// The same while many sources guess: see [`guesses_from_source`].
const GUESSES_OF_GUESSED_NAME_FROM_SOURCE: Limit = Limit { most: 1, ..GUESSES_OF_NAME_FROM_SOURCE };

/// Wrong passwords for one name or address from all sources together. Alone it refuses nobody, or
/// strangers could lock an account.
pub const GUESSES_OF_NAME: Limit =
    Limit { what: "guesses_of_name", most: 100, window: DAY, delays: &[0] };

/// Wrong passwords from one source, whatever the names.
pub const GUESSES_FROM_SOURCE: Limit =
    Limit { what: "guesses_from_source", most: 100, window: HOUR, delays: &[] };

/// Wrong passwords from one browser that has logged in to the account before, whatever others do.
pub const GUESSES_FROM_DEVICE: Limit =
    Limit { what: "guesses_from_device", ..GUESSES_OF_NAME_FROM_SOURCE };

/// Wrong passwords of somebody logged in, who is asked for the password again, with one session.
/// Whoever has stolen the session guesses no faster; the owner logs in once more, and has another one.
pub const GUESSES_IN_SESSION: Limit =
    Limit { what: "guesses_in_session", ..GUESSES_OF_NAME_FROM_SOURCE };

/// Wrong codes of the second factor of one account. Only who knows its password can try any.
pub const GUESSES_OF_CODE: Limit = Limit { what: "guesses_of_code", ..GUESSES_OF_NAME_FROM_SOURCE };

/// Unknown tokens from one source: of links, verifications and invitations.
pub const TOKENS_FROM_SOURCE: Limit =
    Limit { what: "tokens_from_source", most: 100, window: HOUR, delays: &[] };

/// Sign-ups from one source.
pub const SIGNUPS_FROM_SOURCE: Limit =
    Limit { what: "signups_from_source", most: 20, window: HOUR, delays: &[] };

/// Links that one account makes.
pub const LINKS: Limit = Limit { what: "links", most: 10_000, window: DAY, delays: &[] };

/// Uploads and imports that one account begins.
pub const UPLOADS: Limit = Limit { what: "uploads", most: 10_000, window: DAY, delays: &[] };

/// Mails to one address because somebody signs up with it. Anybody can.
pub const SIGNUP_MAILS: Limit = Limit { what: "signup_mails", most: 3, window: DAY, delays: &[] };

/// Mails to one address because somebody has forgotten a password. Anybody can cause them.
///
/// After three of them one is sent every 45 minutes, and its link is good for an hour. So whatever
/// strangers do, the owner of the address has a link that works, or gets one.
pub const RESET_MAILS: Limit = Limit { what: "reset_mails", delays: &[45 * 60], ..SIGNUP_MAILS };

/// Mails to one address because somebody wants the link of a sign-up once more. Anybody can.
pub const VERIFICATION_MAILS: Limit = Limit { what: "verification_mails", ..SIGNUP_MAILS };

/// Mails to one address because an account is to have it.
pub const EMAIL_CHANGE_MAILS: Limit = Limit { what: "email_change_mails", ..SIGNUP_MAILS };

/// Changes of its address that one account asks for, each of which mails an address of its choice.
pub const EMAIL_CHANGES: Limit = Limit { what: "email_changes", most: 5, window: DAY, delays: &[] };

/// Requests for a reset or for another verification link, from one source.
pub const MAILS_FROM_SOURCE: Limit = Limit { what: "mails_from_source", ..SIGNUPS_FROM_SOURCE };

/// Invitations to one address because a file is for it.
pub const INVITATION_MAILS: Limit = Limit { what: "invitation_mails", ..SIGNUP_MAILS };

/// Mails to one Client about files that are for it. Only Ops cause them, and several may on a busy
/// day; the list of files has those of which no mail tells.
pub const FILE_MAILS: Limit = Limit { what: "file_mails", most: 20, ..SIGNUP_MAILS };

/// Mails to one uploader about downloads. Each file for many Clients causes many; the receipts have
/// those of which no mail tells.
pub const DOWNLOAD_MAILS: Limit = Limit { what: "download_mails", most: 100, ..SIGNUP_MAILS };

/// The limit of wrong passwords for a name from one source, of which there have been `of_name` from
/// all sources.
///
/// When many sources guess, each of them has one guess before it must wait, and not ten. So the owner
/// of the name, from a source that has not guessed, gets in at once whatever others do.
#[must_use]
pub fn guesses_from_source(of_name: u32) -> &'static Limit {
    if of_name > GUESSES_OF_NAME.most {
        &GUESSES_OF_GUESSED_NAME_FROM_SOURCE
    } else {
        &GUESSES_OF_NAME_FROM_SOURCE
    }
}

/// What has been counted in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// How often it was done.
    pub taken: u32,
    /// When it was done last, in seconds since 1970.
    pub last_at: i64,
}

/// When something may be done once more: fewer than so many times were counted, and the last time is
/// so long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// More than the count.
    pub above: u32,
    /// Seconds since the last time, at least.
    pub rest: i64,
}

/// That something was done too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitReached {
    /// After how many seconds it can be done again.
    pub retry_after: i64,
}

impl Limit {
    /// The key of the counter of `whom` in the window of `now`. It does not name `whom`.
    #[must_use]
    pub fn key(&self, whom: &str, now: Timestamp) -> String {
        let whom = URL_SAFE_NO_PAD.encode(Sha256::digest(whom));
        format!("{}#{whom}#{}", self.what, self.window_start(now))
    }

    /// The first second after the window of `now`, counted from 1970.
    #[must_use]
    pub fn window_end(&self, now: Timestamp) -> i64 {
        self.window_start(now) + self.window
    }

    fn window_start(&self, now: Timestamp) -> i64 {
        let now = now.as_second();
        now - now.rem_euclid(self.window)
    }

    /// When it may be done once more: when one of these holds. Each has a longer rest than the one
    /// before it.
    #[must_use]
    pub fn allowances(&self) -> Vec<Allowance> {
        let first = Allowance { above: self.most, rest: 0 };
        let delayed = self.delays.iter().zip(self.most + 1..);
        let mut all: Vec<_> =
            delayed.map(|(rest, above)| Allowance { above, rest: *rest }).collect();
        if let Some(last) = all.last_mut() {
            last.above = u32::MAX;
        }
        all.insert(0, first);
        all
    }

    /// Whether it may be done once more at `now`.
    #[must_use]
    pub fn permits(&self, counter: Counter, now: Timestamp) -> bool {
        // As where it is counted: who need not wait is not asked when the last time was.
        let rested = |it: &Allowance| it.rest == 0 || counter.last_at + it.rest <= now.as_second();
        self.allowances().iter().any(|it| counter.taken < it.above && rested(it))
    }

    /// What whoever is refused at `now` is told.
    #[must_use]
    pub fn reached(&self, counter: Counter, now: Timestamp) -> LimitReached {
        let allowed = self.allowances().into_iter().find(|it| counter.taken < it.above);
        let next = allowed.map_or(i64::MAX, |it| counter.last_at.saturating_add(it.rest));
        // The next window counts from nothing.
        let next = next.min(self.window_end(now));
        LimitReached { retry_after: (next - now.as_second()).max(1) }
    }
}

/// Where a request comes from, as far as it counts: an IPv4 address, or the /64 of an IPv6 address,
/// of which one customer has all addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// The source of a request from `address`, as the gateway saw it; `None` for this machine, from
    /// which a gateway gets nothing, so that `cargo run` limits nobody.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let source = match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if address == IpAddr::from([127, 0, 0, 1]) => return None,
            Ok(IpAddr::V6(Ipv6Addr::LOCALHOST)) => return None,
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::from([a, b, c, d, 0, 0, 0, 0]).to_string()
            }
            Ok(IpAddr::V4(address)) => address.to_string(),
            // A gateway gives an address. All that has none counts together.
            Err(_) => String::new(),
        };
        Some(Self(source))
    }

    /// The source in a counter's key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn permits(limit: &Limit, counter: Counter, now: i64) -> bool {
        limit.permits(counter, at(now))
    }

    #[test]
    fn the_eleventh_wrong_password_waits_a_second_and_each_further_one_twice_as_long_up_to_five_minutes()
     {
        let limit = guesses_from_source(100);
        let wait = |taken| limit.reached(Counter { taken, last_at: 10 }, at(10)).retry_after;
        assert!(permits(limit, Counter { taken: 9, last_at: 10 }, 10));
        assert!(!permits(limit, Counter { taken: 10, last_at: 10 }, 10));
        let waits = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 10_000].map(wait);
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn when_many_sources_guess_each_has_one_guess_before_it_waits() {
        let limit = guesses_from_source(101);
        assert_eq!(limit.what, GUESSES_OF_NAME_FROM_SOURCE.what, "the counter is the same");
        assert!(permits(limit, Counter { taken: 0, last_at: 10 }, 10));
        assert!(!permits(limit, Counter { taken: 1, last_at: 10 }, 10));
        assert_eq!(limit.reached(Counter { taken: 1, last_at: 10 }, at(10)).retry_after, 1);
        assert_eq!(limit.reached(Counter { taken: 10, last_at: 10 }, at(10)).retry_after, 300);
    }

    #[test]
    fn guesses_of_a_name_from_all_sources_together_refuse_nobody() {
        for taken in [0, 99, 100, 1_000_000] {
            assert!(permits(&GUESSES_OF_NAME, Counter { taken, last_at: 10 }, 10));
        }
    }

    #[test]
    fn a_limit_without_delays_is_over_until_the_next_window() {
        let full = |taken| Counter { taken, last_at: HOUR };
        let now = HOUR + 600;
        assert!(permits(&SIGNUPS_FROM_SOURCE, full(19), now));
        assert!(!permits(&SIGNUPS_FROM_SOURCE, full(20), now));
        let reached = SIGNUPS_FROM_SOURCE.reached(full(20), at(now));
        assert_eq!(reached, LimitReached { retry_after: 3000 });
    }

    #[test]
    fn a_counter_is_of_one_thing_one_person_and_one_window_and_does_not_name_the_person() {
        // printf 192.0.2.1 | sha256sum | xxd -r -p | basenc --base64url | tr -d =
        let hash = "N_z_JL9iA1srCAIK_Ai0_s1Pz_zlerI1GONWH_D-drk";
        let key = SIGNUPS_FROM_SOURCE.key("192.0.2.1", at(2 * HOUR - 1));
        assert_eq!(key, format!("signups_from_source#{hash}#3600"));
        assert_ne!(key, SIGNUPS_FROM_SOURCE.key("192.0.2.1", at(2 * HOUR)));
        assert_ne!(key, SIGNUPS_FROM_SOURCE.key("192.0.2.2", at(2 * HOUR - 1)));
        assert_ne!(key, TOKENS_FROM_SOURCE.key("192.0.2.1", at(2 * HOUR - 1)));
        assert_eq!(SIGNUPS_FROM_SOURCE.window_end(at(2 * HOUR - 1)), 2 * HOUR);
    }

    #[test]
    fn every_limit_counts_something_else() {
        let all = [
            &GUESSES_OF_NAME_FROM_SOURCE,
            &GUESSES_OF_NAME,
            &GUESSES_FROM_SOURCE,
            &GUESSES_FROM_DEVICE,
            &GUESSES_OF_CODE,
            &TOKENS_FROM_SOURCE,
            &SIGNUPS_FROM_SOURCE,
            &LINKS,
            &UPLOADS,
            &SIGNUP_MAILS,
            &RESET_MAILS,
            &VERIFICATION_MAILS,
            &EMAIL_CHANGE_MAILS,
            &MAILS_FROM_SOURCE,
            &INVITATION_MAILS,
            &FILE_MAILS,
            &DOWNLOAD_MAILS,
        ];
        let mut names = all.map(|limit| limit.what).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_the_first_half_of_an_ipv6_address() {
        let source = |address| Source::of(address).map(|source| source.0);
        for (address, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
            ("2001:db8:1:3::", "2001:db8:1:3::"),
            ("127.0.0.2", "127.0.0.2"),
            ("", ""),
            ("test-invoke-source-ip", ""),
        ] {
            assert_eq!(source(address).as_deref(), Some(expected), "{address}");
        }
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(source(address), None, "{address}");
        }
    }

    proptest! {
        #[test]
        fn who_waits_as_long_as_told_gets_through_and_not_a_second_earlier(
            taken in 0u32..40,
            last_at in 0..DAY,
            rest in 0..2 * HOUR,
            of_name in 99u32..103,
        ) {
            for limit in [guesses_from_source(of_name), &SIGNUPS_FROM_SOURCE] {
                let (counter, now) = (Counter { taken, last_at }, last_at + rest);
                if limit.window_end(at(last_at)) <= now || permits(limit, counter, now) {
                    continue;
                }
                let next = now + limit.reached(counter, at(now)).retry_after;
                let new_window = next == limit.window_end(at(now));
                prop_assert!(new_window || permits(limit, counter, next));
                prop_assert!(!permits(limit, counter, next - 1));
            }
        }
    }
}
