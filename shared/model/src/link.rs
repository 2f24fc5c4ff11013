//! Download links: what they permit, and to whom.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::file::deceives;
use crate::{ChainHead, Coverage, FileId, FileName, Invalid, UserId, rfc3339_millis};

/// A link's identity: the hash of its token. It names the link and cannot use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(String);

impl LinkId {
    /// That of a link whose token has the SHA-256 `digest`.
    #[must_use]
    pub fn of_digest(digest: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    /// # Errors
    /// When `text` is not 43 characters of base64url, as SHA-256 gives them.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if text.len() == 43 && text.bytes().all(base64url) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::because("must be a link's id, of 43 characters"))
    }

    /// The identity, as answers and tables have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How long a link lives: 60 seconds to 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkLifetime(SignedDuration);

impl LinkLifetime {
    /// 7 days.
    pub const MAX_SECONDS: i64 = 604_800;

    /// # Errors
    /// When `text` is not a number of seconds within the bounds.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(seconds @ 60..=Self::MAX_SECONDS) => Ok(Self(SignedDuration::from_secs(seconds))),
            _ => Err(Invalid::because("must be a number of seconds from 60 to 604800")),
        }
    }

    /// # Errors
    /// When it is not from 60 seconds to `max`.
    pub fn of_seconds(seconds: i64, max: Self) -> Result<Self, Invalid> {
        if (60..=max.0.as_secs()).contains(&seconds) {
            return Ok(Self(SignedDuration::from_secs(seconds)));
        }
        let max = max.0.as_secs();
        Err(Invalid::because(format!("must be a number of seconds from 60 to {max}")))
    }

    /// When a link made at `now` ends, in whole seconds as the Links table keeps it.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Timestamp {
        let end = now.as_second().saturating_add(self.0.as_secs());
        Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
    }
}

/// How often a link can be redeemed: 1 to 100 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaxDownloads(u32);

impl MaxDownloads {
    /// The largest number.
    pub const MAX: u32 = 100;
    /// Once, unless the link's maker says otherwise.
    pub const ONE: Self = Self(1);

    /// # Errors
    /// When it is not from 1 to 100.
    pub fn new(count: i64) -> Result<Self, Invalid> {
        match u32::try_from(count) {
            Ok(count @ 1..=Self::MAX) => Ok(Self(count)),
            _ => Err(Invalid::because("must be a number from 1 to 100")),
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

/// What the maker of a link wants to remember about it: one line of 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkNote(String);

impl LinkNote {
    /// In characters.
    pub const MAX_CHARACTERS: usize = 200;

    /// # Errors
    /// When it is empty, too long, or has control or direction characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let length = text.chars().count();
        let plain = !text.chars().any(|c| c.is_control() || deceives(c));
        if !(1..=Self::MAX_CHARACTERS).contains(&length) || !plain {
            return Err(Invalid::because(
                "must be one line of 1 to 200 characters, without control or direction characters",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A link as it is remembered, before and after its use.
///
/// What can be spent is another record, the token, which is deleted with the last download.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its identity.
    pub id: LinkId,
    /// The Client who made it.
    pub user_id: UserId,
    /// The file to which it leads.
    pub file_id: FileId,
    /// The file's name.
    pub filename: FileName,
    /// When it was made.
    #[serde(with = "rfc3339_millis")]
    pub created_at: Timestamp,
    /// The first moment at which it can no longer be redeemed.
    #[serde(with = "rfc3339_millis")]
    pub expires_at: Timestamp,
    /// How often it can be redeemed.
    pub max_downloads: MaxDownloads,
    /// How often it has been.
    pub downloads: u32,
    /// Whether it can only be redeemed with its maker's access token.
    pub bind: bool,
    /// What its maker wants to remember.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<LinkNote>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Whether the uploader is being told of a completed download.
    pub notified: bool,
    /// The end of its chain of receipts.
    #[serde(flatten)]
    pub chain: ChainHead,
}

/// What has become of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// It can be redeemed.
    Live,
    /// It has been redeemed as often as it may.
    Used,
    /// Its time is over.
    Expired,
    /// Its maker has revoked it.
    Revoked,
}

/// What the maker of a link asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkTerms {
    /// How often it can be redeemed.
    pub max_downloads: MaxDownloads,
    /// How long it lives.
    pub lifetime: LinkLifetime,
    /// Whether it can only be redeemed with its maker's access token.
    pub bind: bool,
    /// What its maker wants to remember.
    pub note: Option<LinkNote>,
}

impl Link {
    /// What has become of it.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> LinkState {
        if self.revoked_at.is_some() {
            LinkState::Revoked
        } else if self.downloads >= self.max_downloads.get() {
            LinkState::Used
        } else if self.expires_at <= now {
            LinkState::Expired
        } else {
            LinkState::Live
        }
    }

    /// What somebody may do who comes at `now`, with or without a lease of this link.
    ///
    /// # Errors
    /// Why they may do nothing.
    pub fn admit(&self, lease: Option<&Lease>, now: Timestamp) -> Result<Admission, LinkRefusal> {
        match (self.state(now), lease) {
            (LinkState::Revoked, _) => Err(LinkRefusal::Revoked),
            (_, Some(lease)) if lease.is_live(now) => Ok(Admission::Resume),
            (_, Some(_)) => Err(LinkRefusal::LeaseEnded),
            (LinkState::Used, None) => Err(LinkRefusal::Used),
            (LinkState::Expired, None) => Err(LinkRefusal::Expired),
            (LinkState::Live, None) => Ok(Admission::Redeem),
        }
    }
}

/// What a request for a file may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Admission {
    /// Redeem the link, which counts as a download.
    Redeem,
    /// Go on with a download that has begun.
    Resume,
}

/// Why a request for a file may do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkRefusal {
    /// The link has been redeemed as often as it may.
    Used,
    /// The link's time is over.
    Expired,
    /// The link has been revoked.
    Revoked,
    /// The lease's time is over, or all its resumes are used.
    LeaseEnded,
}

/// The right to the rest of a download that has started, as the Links table holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    /// Which of the link's downloads it belongs to, counted from 1.
    pub download: u32,
    /// How often it has been resumed.
    pub resumes: u32,
    /// How often it can be. A lease of a version that did not store it can be resumed 20 times.
    #[serde(default = "Lease::least_resumes")]
    pub max_resumes: u32,
    /// The first second in which it is over, counted from 1970.
    pub ends_at: i64,
    /// What has been sent.
    pub covered: Coverage,
}

impl Lease {
    /// How often a download of the smallest file can be resumed.
    pub const LEAST_RESUMES: u32 = 20;

    /// For each of these that a file has, its download can be resumed once more: 64 MiB.
    ///
    /// A longer download meets more breaks. At the speed that the life of a lease allows for, a
    /// connection may break every 64 seconds: what an unsteady mobile line does. Fewer bytes would
    /// permit more copies of the file to whoever has the lease, and more receipts.
    pub const BYTES_PER_RESUME: u64 = 64 * 1024 * 1024;

    /// How often a download of a file of `size` bytes can be resumed: of 1 TiB, 16,404 times.
    #[must_use]
    pub fn max_resumes_of(size: u64) -> u32 {
        let more = u32::try_from(size / Self::BYTES_PER_RESUME).unwrap_or(u32::MAX);
        Self::LEAST_RESUMES.saturating_add(more)
    }

    /// Whether the download can be resumed.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now.as_second() < self.ends_at && self.resumes < self.max_resumes
    }

    fn least_resumes() -> u32 {
        Self::LEAST_RESUMES
    }
}

/// How long leases live.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTerms {
    /// Seconds from the redemption of the link, for the smallest file.
    pub lifetime: i64,
    /// Seconds, at most, from the moment at which the last byte was sent.
    ///
    /// Sent is not received: bytes rest in the buffers of gateways and kernels, which hold
    /// several MiB, and nobody tells the sender when a connection breaks under them.
    pub grace: i64,
}

impl LeaseTerms {
    /// A day.
    pub const MAX_LIFETIME: i64 = 86_400;
    /// An hour.
    pub const MAX_GRACE: i64 = 3_600;
    /// For each of these that a file has, a lease lives for another second: 1 MiB.
    ///
    /// So a download at 1 MiB/s, or 8.4 Mbit/s, can be resumed until it has all of its bytes,
    /// whatever the file's size: half of what a gateway passes on after the first 10 MB.
    pub const BYTES_PER_SECOND: u64 = 1024 * 1024;

    /// For how many seconds from the redemption a download of a file of `size` bytes can be
    /// resumed: of 1 TiB, 12.1 days longer than of the smallest.
    #[must_use]
    pub fn lifetime_of(self, size: u64) -> i64 {
        let more = i64::try_from(size / Self::BYTES_PER_SECOND).unwrap_or(i64::MAX);
        self.lifetime.saturating_add(more)
    }

    /// # Errors
    /// When `text` is not a number of seconds from 60 to 86400, a day.
    pub fn parse_lifetime(text: &str) -> Result<i64, Invalid> {
        match text.parse() {
            Ok(seconds @ 60..=Self::MAX_LIFETIME) => Ok(seconds),
            _ => Err(Invalid::because("must be a number of seconds from 60 to 86400")),
        }
    }

    /// # Errors
    /// When `text` is not a number of seconds from 0 to 3600, an hour.
    pub fn parse_grace(text: &str) -> Result<i64, Invalid> {
        match text.parse() {
            Ok(seconds @ 0..=Self::MAX_GRACE) => Ok(seconds),
            _ => Err(Invalid::because("must be a number of seconds from 0 to 3600")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_id_is_the_digest_of_its_token_in_43_characters_of_base64url() {
        // printf '\0%.0s' {1..32} | basenc --base64url
        let id = LinkId::of_digest([0; 32]);
        assert_eq!(id.as_str(), "A".repeat(43));
        assert_eq!(id.to_string(), "A".repeat(43));
        assert_eq!(LinkId::parse(&"A".repeat(43)), Ok(id));
        for text in ["A".repeat(42), "A".repeat(44), format!("{}+", "A".repeat(42)), String::new()]
        {
            assert!(LinkId::parse(&text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_link_ends_a_whole_number_of_seconds_after_the_second_in_which_it_was_made() {
        let made = Timestamp::from_millisecond(1_000_999).unwrap();
        let end = LinkLifetime::parse("60").unwrap().end(made);
        assert_eq!(end, Timestamp::from_second(1_060).unwrap());
    }

    #[test]
    fn settings_are_checked_at_and_beyond_both_ends() {
        let cases = |parse: &dyn Fn(&str) -> bool, cases: &[(&str, bool)]| {
            for (text, good) in cases {
                assert_eq!(parse(text), *good, "{text:?}");
            }
        };
        cases(
            &|text| LinkLifetime::parse(text).is_ok(),
            &[("59", false), ("60", true), ("604800", true), ("604801", false), ("1h", false)],
        );
        cases(
            &|text| LeaseTerms::parse_lifetime(text).is_ok(),
            &[("59", false), ("60", true), ("86400", true), ("86401", false), ("", false)],
        );
        cases(
            &|text| LeaseTerms::parse_grace(text).is_ok(),
            &[("-1", false), ("0", true), ("3600", true), ("3601", false), ("", false)],
        );
    }

    #[test]
    fn terms_of_a_link_are_checked_at_and_beyond_both_ends() {
        let max = LinkLifetime::parse("100").unwrap();
        for (seconds, good) in [(59, false), (60, true), (100, true), (101, false)] {
            assert_eq!(LinkLifetime::of_seconds(seconds, max).is_ok(), good, "{seconds}");
        }
        for (count, good) in [(-1, false), (0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(MaxDownloads::new(count).is_ok(), good, "{count}");
        }
        for (length, good) in [(0, false), (1, true), (200, true), (201, false)] {
            assert_eq!(LinkNote::parse(&"é".repeat(length)).is_ok(), good, "{length}");
        }
        for text in ["two\nlines", "two\u{2028}lines", "turned \u{202E}round"] {
            assert!(LinkNote::parse(text).is_err(), "{text:?}");
        }
    }

    fn link() -> Link {
        let at = Timestamp::from_second(1000).unwrap();
        Link {
            id: LinkId::parse(&"a".repeat(43)).unwrap(),
            user_id: UserId::new(at, [0; 10]),
            file_id: FileId::new(at, [0; 10]),
            filename: FileName::parse("a.txt").unwrap(),
            created_at: at,
            expires_at: Timestamp::from_second(1100).unwrap(),
            max_downloads: MaxDownloads::new(2).unwrap(),
            downloads: 0,
            bind: false,
            note: None,
            revoked_at: None,
            notified: false,
            chain: ChainHead::default(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn without_a_lease_a_link_is_redeemed_as_often_and_as_long_as_it_says() {
        for (downloads, now, admitted) in [
            (0, 1099, Ok(Admission::Redeem)),
            (1, 1099, Ok(Admission::Redeem)),
            (2, 1099, Err(LinkRefusal::Used)),
            (2, 1100, Err(LinkRefusal::Used)),
            (1, 1100, Err(LinkRefusal::Expired)),
        ] {
            let link = Link { downloads, ..link() };
            assert_eq!(link.admit(None, at(now)), admitted, "{downloads} downloads at {now}");
        }
    }

    #[test]
    fn a_lease_outlives_its_link_but_neither_its_own_time_nor_a_revocation() {
        let covered = Coverage::default();
        let lease = Lease { download: 2, resumes: 0, max_resumes: 21, ends_at: 1300, covered };
        let used = Link { downloads: 2, ..link() };
        let twentieth = Lease { resumes: 20, ..lease.clone() };
        let too_many = Lease { resumes: 21, ..lease.clone() };
        assert_eq!(used.admit(Some(&lease), at(1299)), Ok(Admission::Resume));
        assert_eq!(used.admit(Some(&lease), at(1300)), Err(LinkRefusal::LeaseEnded));
        assert_eq!(used.admit(Some(&twentieth), at(1299)), Ok(Admission::Resume));
        assert_eq!(used.admit(Some(&too_many), at(1299)), Err(LinkRefusal::LeaseEnded));
        let revoked = Link { revoked_at: Some(at(1200)), ..used };
        assert_eq!(revoked.admit(Some(&lease), at(1299)), Err(LinkRefusal::Revoked));
        assert_eq!(link().admit(Some(&too_many), at(1001)), Err(LinkRefusal::LeaseEnded));
    }

    const MIB: u64 = 1024 * 1024;
    const TIB: u64 = MIB * MIB;

    #[test]
    fn a_download_can_be_resumed_once_more_for_each_64_mib_of_its_file() {
        for (size, resumes) in [
            (1, 20),
            (MIB, 20),
            (64 * MIB - 1, 20),
            (64 * MIB, 21),
            (64 * MIB + 1, 21),
            (128 * MIB - 1, 21),
            (128 * MIB, 22),
            (TIB, 16_404),
            (5 * TIB, 81_940),
            (u64::MAX, u32::MAX),
        ] {
            assert_eq!(Lease::max_resumes_of(size), resumes, "{size}");
        }
    }

    #[test]
    fn a_lease_lives_for_a_second_more_for_each_mib_of_its_file() {
        for (size, more) in [
            (1, 0),
            (MIB - 1, 0),
            (MIB, 1),
            (MIB + 1, 1),
            (2 * MIB - 1, 1),
            (2 * MIB, 2),
            (64 * MIB - 1, 63),
            (64 * MIB, 64),
            (64 * MIB + 1, 64),
            (TIB, 1_048_576),
            (5 * TIB, 5_242_880),
        ] {
            for lifetime in [60, 600, LeaseTerms::MAX_LIFETIME] {
                let terms = LeaseTerms { lifetime, grace: 0 };
                assert_eq!(terms.lifetime_of(size), lifetime + more, "{size}");
            }
        }
    }

    #[test]
    fn a_lease_without_a_number_of_resumes_was_stored_when_there_were_20_for_all() {
        let stored = r#"{"download":1,"resumes":19,"ends_at":1300,"covered":"0-4"}"#;
        let lease: Lease = serde_json::from_str(stored).unwrap();
        assert_eq!(lease.max_resumes, 20);
        assert!(lease.is_live(at(1299)));
        assert!(!Lease { resumes: 20, ..lease }.is_live(at(1299)));
    }
}
