//! Who may do what: names, addresses, roles and the user record.

use std::fmt;
use std::str::FromStr;

use email_address::Options;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{
    GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton,
};
use uuid::Uuid;

use crate::{GroupId, Invalid, SecondFactor, SessionId, rfc3339_millis};

/// A user's identity, a UUID version 7. Names and addresses may change; this never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// An identity born at `now`; `random` keeps apart those of one millisecond.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(uuid_v7(now, random))
    }
}

/// RFC 9562, section 5.7: milliseconds since 1970, then random bits.
pub(crate) fn uuid_v7(now: Timestamp, random: [u8; 10]) -> Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for UserId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::because("must be a user id"))
    }
}

/// 2 to 64 letters, digits and `._+-`, in Normalization Form C. Two names that differ only in case
/// are one name. There is no `@`, so that no name looks like somebody's address.
///
/// Letters of any script, but none that would let one user pass for another. Each character is one
/// that Unicode Technical Standard #39 allows in identifiers (section 3.1), a name is "Highly
/// Restrictive" (section 5.2: one script, or Latin with those of Chinese, Japanese or Korean), and
/// a name in other letters does not look like one in ASCII (section 4). No name but that of a role
/// looks like the role, its accents left out, and none like that of [`Username::of_nobody`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// The name that stands where the name of an account was that was deleted.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self(NOBODY.to_owned())
    }

    /// In characters.
    pub const MIN_LENGTH: usize = 2;
    /// In characters.
    pub const MAX_LENGTH: usize = 64;

    /// Normalises the name, as RFC 8265 (section 3.3) does, so that it is the same however a
    /// keyboard composes its letters.
    ///
    /// # Errors
    /// When the length or a character is outside the rules above.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        // Enough for 64 letters with three accents each; more need not be looked at.
        let name: String = text.chars().take(256).nfc().collect();
        let length = name.chars().count();
        if !(Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&length)
            || !name.chars().all(may_be_in_a_name)
            || name.starts_with(is_combining_mark)
        {
            return Err(Invalid::because(
                "must be 2 to 64 characters: letters, digits and . _ + -",
            ));
        }
        // The plus sign is none of the characters of identifiers, and of no script.
        let restricted = name.replace('+', "");
        if !restricted.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive) {
            return Err(Invalid::because("must not mix letters of several scripts"));
        }
        if looks_like_another(&name) {
            return Err(Invalid::because("looks like another name"));
        }
        Ok(Self(name))
    }

    /// A name for whoever has this address and has chosen none: what of its local part can be in a
    /// name, and five letters made from `random`, so that it is nobody else's.
    #[must_use]
    pub fn for_address(address: &EmailAddress, random: [u8; 5]) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let fits = |character: &char| character.is_ascii() && may_be_in_a_name(*character);
        let mut name: String = address.local_part().chars().filter(fits).collect();
        name.truncate(Self::MAX_LENGTH - random.len() - 1);
        name.push('-');
        let letter = |byte| LETTERS.iter().cycle().nth(usize::from(byte));
        name.extend(random.into_iter().filter_map(letter).copied().map(char::from));
        Self(name)
    }

    /// The name in its owner's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique.
    #[must_use]
    pub fn canonical(&self) -> String {
        // By way of the upper case, which letters such as the two small sigmas share.
        self.0.to_uppercase().to_lowercase().nfc().collect()
    }
}

fn may_be_in_a_name(character: char) -> bool {
    let of_a_word = character.is_alphanumeric() || is_combining_mark(character);
    "._+-".contains(character) || (of_a_word && character.identifier_allowed())
}

/// What stands where the name of an account was that was deleted.
const NOBODY: &str = "deleted-account";

fn looks_like_another(name: &str) -> bool {
    let without_marks = |text: &str| -> String {
        skeleton(text).filter(|character| !is_combining_mark(*character)).collect()
    };
    let lower = name.to_lowercase();
    let looks_like = |other: &str| {
        let bare = without_marks(other);
        without_marks(name) == bare || without_marks(&lower) == bare
    };
    let looks_like_role = |role: &Role| lower != role.as_str() && looks_like(role.as_str());
    let ascii = |text: &str| skeleton(text).all(|character| character.is_ascii());
    (!name.is_ascii() && (ascii(name) || ascii(&lower)))
        || Role::ALL.iter().any(looks_like_role)
        || looks_like(NOBODY)
}

/// An e-mail address of RFC 5321's plain form, at most 254 characters, in lower case.
///
/// `Debug` shows only the domain, because addresses must not reach a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// In characters (RFC 5321, section 4.5.3.1.3, less the brackets).
    pub const MAX_LENGTH: usize = 254;

    /// # Errors
    /// When the text is not `local@domain.tld` in ASCII.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let options =
            Options::default().with_required_tld().without_domain_literal().without_display_text();
        let plain = text.len() <= Self::MAX_LENGTH && text.is_ascii() && !text.contains('"');
        // A number is no top-level domain, but the end of an IP address. What RFC 2047 would decode is
        // no local part that people have.
        let last = text.rsplit('.').next().unwrap_or_default();
        let number = last.bytes().all(|byte| byte.is_ascii_digit());
        let plain = plain && !number && !text.contains("=?");
        if !plain || email_address::EmailAddress::parse_with_options(text, options).is_err() {
            return Err(Invalid::because("must be an e-mail address such as name@example.com"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The address, for sending mail and for its owner's eyes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "***@{}", self.domain())
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Hands files to clients.
    Ops,
    /// Lists and downloads files.
    Client,
    /// Runs the installation.
    Admin,
}

impl Role {
    /// All roles.
    const ALL: [Self; 3] = [Self::Ops, Self::Client, Self::Admin];

    /// The role of this name.
    ///
    /// # Errors
    /// When there is no such role.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| Invalid::because("must be ops, client or admin"))
    }

    /// The name used in requests, answers, tokens and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ops => "ops",
            Self::Client => "client",
            Self::Admin => "admin",
        }
    }
}

/// Whether an account can be used, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserState {
    /// It can be used.
    Active,
    /// An admin has disabled it.
    Disabled,
    /// Somebody has signed up, and not proven the address yet.
    Unverified,
    /// Somebody was invited, and has not accepted yet.
    Invited,
    /// Somebody has signed up and proven the address, and nobody has let them in yet.
    Waiting,
}

impl UserState {
    /// All states.
    const ALL: [Self; 5] =
        [Self::Active, Self::Disabled, Self::Unverified, Self::Invited, Self::Waiting];

    /// The state of this name.
    ///
    /// # Errors
    /// When there is no such state.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            Invalid::because("must be active, disabled, unverified, invited or waiting")
        })
    }

    /// The name used in requests and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Unverified => "unverified",
            Self::Invited => "invited",
            Self::Waiting => "waiting",
        }
    }
}

/// What an account waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// For the proof of its address, and after that for an approval.
    ProofThenApproval,
    /// For Ops or an admin, who let its owner in or do not.
    Approval,
    /// For its owner, who was invited.
    Invitation,
}

impl WaitingFor {
    /// The name in the Users table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProofThenApproval => "proof_then_approval",
            Self::Approval => "approval",
            Self::Invitation => "invitation",
        }
    }
}

/// One account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// Name as chosen.
    pub username: Username,
    /// Where its mail goes.
    pub email: EmailAddress,
    /// What it may do.
    pub role: Role,
    /// The password's argon2id hash in PHC string form; none until an invitation is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// Whether the e-mail address has been proven.
    pub verified: bool,
    /// Whether the account may be used. Read on every request, so that disabling works at once.
    pub active: bool,
    /// What it waits for, if for anything. Read on every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// When it signed up.
    #[serde(with = "rfc3339_millis")]
    pub created_at: Timestamp,
    /// How often the record was changed. Each change names the one that it follows.
    #[serde(default)]
    pub revision: u32,
    /// How often all sessions were ended. Sessions and access tokens of another generation are over.
    #[serde(default)]
    pub generation: u32,
    /// The session that was left when all others were ended. Its access tokens of the generations
    /// before still count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_session: Option<SessionId>,
    /// Sessions that were ended one by one, for as long as one of their access tokens may be about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended_sessions: Vec<EndedSession>,
    /// When it got another address, for as long as that can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339_millis::optional")]
    pub email_changed_at: Option<Timestamp>,
    /// When its owner last logged in or continued a session.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339_millis::optional")]
    pub last_seen_at: Option<Timestamp>,
    /// Its second factor, confirmed or pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// The groups that it is in, at most [`User::MAX_GROUPS`]. Each of them names it, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
}

/// A session that was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// Which.
    pub id: SessionId,
    /// When.
    #[serde(with = "rfc3339_millis")]
    pub at: Timestamp,
}

impl User {
    /// How many sessions that were ended one by one are remembered. Where more are ended within the
    /// life of an access token, all end.
    pub const MAX_ENDED_SESSIONS: usize = 100;

    /// How many groups it can be in: a list of its files is one Query for each.
    pub const MAX_GROUPS: usize = 20;

    /// How long an ended session is remembered, in seconds: the life of an access token (15
    /// minutes), and the minute by which clocks may differ.
    pub const ENDED_SESSION_SECONDS: i64 = 16 * 60;

    /// How long somebody who signs up has to prove the address, in seconds: 24 hours from the last
    /// mail.
    pub const SIGN_UP_SECONDS: i64 = 24 * 60 * 60;

    /// How long a mailed link sets a new password, in seconds: an hour.
    pub const PASSWORD_RESET_SECONDS: i64 = 60 * 60;

    /// How long the change of an address can be undone, in seconds: 7 days.
    pub const EMAIL_UNDO_SECONDS: i64 = 7 * 24 * 60 * 60;

    /// An active account made at `now`, without a password and with an address that is not proven.
    #[must_use]
    pub fn new(
        id: UserId,
        username: Username,
        email: EmailAddress,
        role: Role,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            username,
            email,
            role,
            password_hash: None,
            verified: false,
            active: true,
            waiting_for: None,
            created_at: now,
            revision: 0,
            generation: 0,
            kept_session: None,
            ended_sessions: Vec::new(),
            email_changed_at: None,
            last_seen_at: None,
            second_factor: None,
            groups: Vec::new(),
        }
    }

    /// The second factor for which logging in asks, if there is one.
    #[must_use]
    pub fn confirmed_factor(&self) -> Option<&SecondFactor> {
        self.second_factor.as_ref().filter(|factor| factor.is_confirmed())
    }

    /// The record after a change of this one.
    #[must_use]
    pub fn changed(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    /// Whether it can be used.
    #[must_use]
    pub fn state(&self) -> UserState {
        match (self.active, self.verified, &self.password_hash) {
            (false, _, _) => UserState::Disabled,
            (true, true, _) if self.waits_for_approval() => UserState::Waiting,
            (true, true, _) => UserState::Active,
            (true, false, Some(_)) => UserState::Unverified,
            (true, false, None) => UserState::Invited,
        }
    }

    /// Whether its owner can run the installation now. One such account must be left.
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.role == Role::Admin
            && self.state() == UserState::Active
            && self.password_hash.is_some()
    }

    /// Whether its owner can see and download files now.
    #[must_use]
    pub fn is_active_client(&self) -> bool {
        self.role == Role::Client && self.state() == UserState::Active
    }

    /// Whether the address is proven, and nobody has let its owner in yet.
    #[must_use]
    pub fn waits_for_approval(&self) -> bool {
        self.waiting_for == Some(WaitingFor::Approval)
    }

    /// Whether access tokens of this session and generation count.
    #[must_use]
    pub fn has_session(&self, session: SessionId, generation: u32) -> bool {
        // It may have been left several times in the life of one access token.
        let kept = self.kept_session == Some(session) && generation < self.generation;
        (generation == self.generation || kept)
            && !self.ended_sessions.iter().any(|ended| ended.id == session)
    }

    /// Whether the address can be changed at `now`. As long as the last change can be undone, it
    /// cannot: a thief would change it twice, so that no mail to the owner undoes it.
    #[must_use]
    pub fn may_change_email(&self, now: Timestamp) -> bool {
        self.email_changed_at
            .is_none_or(|at| now.as_second() - at.as_second() >= Self::EMAIL_UNDO_SECONDS)
    }

    /// Whether the second factor was set up after the last change of the address, or less than 7 days
    /// before it. Then a thief who changed the address may have set it up, and nobody else could show
    /// it.
    #[must_use]
    pub fn has_factor_of_email_change(&self) -> bool {
        let set_up = self.second_factor.as_ref().and_then(|factor| factor.confirmed_at);
        set_up.zip(self.email_changed_at).is_some_and(|(set_up, changed)| {
            changed.as_second() - set_up.as_second() < Self::EMAIL_UNDO_SECONDS
        })
    }

    /// Ends one session at `now`.
    pub fn end_session(&mut self, session: SessionId, now: Timestamp) {
        let recent = |ended: &EndedSession| {
            now.as_second() - ended.at.as_second() < Self::ENDED_SESSION_SECONDS
        };
        self.ended_sessions.retain(recent);
        if self.ended_sessions.len() == Self::MAX_ENDED_SESSIONS {
            self.end_sessions();
        } else {
            self.ended_sessions.push(EndedSession { id: session, at: now });
        }
    }

    /// Ends all sessions, and what was begun in them: a second factor that is not confirmed.
    pub fn end_sessions(&mut self) {
        self.generation += 1;
        self.second_factor.take_if(|factor| !factor.is_confirmed());
        self.kept_session = None;
        self.ended_sessions.clear();
    }

    /// Ends all sessions but this one, whose record must get the new generation.
    pub fn end_other_sessions(&mut self, kept: SessionId) {
        self.end_sessions();
        self.kept_session = Some(kept);
    }

    /// The account with this password, as its argon2id hash in PHC string form.
    #[must_use]
    pub fn with_password(self, hash: String) -> Self {
        Self { password_hash: Some(hash), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_user_id_is_the_uuid_of_its_millisecond_and_survives_its_text() {
        // RFC 9562, appendix A.6: 0x017F22E279B0 is 22 February 2022, 19:22:22 UTC.
        let moment = Timestamp::from_millisecond(0x017f_22e2_79b0).unwrap();
        let id = UserId::new(moment, [0; 10]);
        assert_eq!(id.to_string(), "017f22e2-79b0-7000-8000-000000000000");
        assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
    }

    #[test]
    fn a_name_keeps_its_spelling_and_has_a_unique_form_in_lower_case() {
        let name = Username::parse("Marianne.S").unwrap();
        assert_eq!((name.as_str(), name.canonical().as_str()), ("Marianne.S", "marianne.s"));
    }

    #[test]
    fn an_address_is_a_local_part_and_a_domain() {
        let address = EmailAddress::parse("Marianne.Sommer@Example.com").unwrap();
        assert_eq!((address.local_part(), address.domain()), ("marianne.sommer", "example.com"));
    }

    #[test]
    fn what_an_account_waits_for_has_the_same_name_in_a_record_and_in_a_condition() {
        for waiting_for in
            [WaitingFor::ProofThenApproval, WaitingFor::Approval, WaitingFor::Invitation]
        {
            assert_eq!(serde_json::to_value(waiting_for).unwrap(), waiting_for.as_str());
        }
    }

    #[test]
    fn each_role_has_a_name_and_no_other_name_is_a_role() {
        for (name, role) in [("ops", Role::Ops), ("client", Role::Client), ("admin", Role::Admin)] {
            assert_eq!((Role::parse(name), role.as_str()), (Ok(role), name));
        }
        for other in ["", "Ops", "root", "ops "] {
            assert!(Role::parse(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_new_account_is_active_and_has_no_password_and_no_proven_address() {
        let at = Timestamp::from_second(1_000).unwrap();
        let name = Username::parse("marianne").unwrap();
        let address = EmailAddress::parse("marianne@example.com").unwrap();
        let user = User::new(UserId::new(at, [0; 10]), name, address, Role::Client, at);
        assert!(user.active && !user.verified && user.password_hash.is_none());
        assert_eq!(user.with_password("hash".to_owned()).password_hash.as_deref(), Some("hash"));
    }

    #[test]
    fn each_state_has_a_name_and_no_other_name_is_a_state() {
        for state in UserState::ALL {
            assert_eq!(UserState::parse(state.as_str()), Ok(state));
        }
        for other in ["", "Active", "deleted"] {
            assert!(UserState::parse(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn an_account_is_invited_or_unverified_until_its_address_is_proven_and_disabled_whatever_else()
    {
        let at = Timestamp::from_second(1_000).unwrap();
        let name = Username::parse("marianne").unwrap();
        let address = EmailAddress::parse("marianne@example.com").unwrap();
        let mut user = User::new(UserId::new(at, [0; 10]), name, address, Role::Admin, at);
        assert_eq!((user.state(), user.is_active_admin()), (UserState::Invited, false));
        user = user.with_password("hash".to_owned());
        assert_eq!((user.state(), user.is_active_admin()), (UserState::Unverified, false));
        user.verified = true;
        assert_eq!((user.state(), user.is_active_admin()), (UserState::Active, true));
        user.password_hash = None;
        assert_eq!(user.state(), UserState::Active, "a password that was reset");
        user.active = false;
        assert_eq!((user.state(), user.is_active_admin()), (UserState::Disabled, false));
        user.role = Role::Ops;
        user.active = true;
        assert!(!user.is_active_admin());
    }

    #[test]
    fn a_second_factor_is_of_a_change_of_address_from_7_days_before_it_on() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let name = Username::parse("marianne").unwrap();
        let address = EmailAddress::parse("marianne@example.com").unwrap();
        let mut user = User::new(UserId::new(at(0), [0; 10]), name, address, Role::Client, at(0));
        let changed = 10_000_000;
        let mut of_change = |set_up: Option<i64>| {
            let pending = SecondFactor::pending("sealed".to_owned());
            user.second_factor = Some(match set_up {
                Some(set_up) => pending.confirmed(1, Vec::new(), at(set_up)),
                None => pending,
            });
            user.email_changed_at = Some(at(changed));
            let found = user.has_factor_of_email_change();
            user.email_changed_at = None;
            assert!(!user.has_factor_of_email_change());
            found
        };
        assert!(of_change(Some(changed + 1)) && of_change(Some(changed)));
        assert!(of_change(Some(changed - 604_799)) && !of_change(Some(changed - 604_800)));
        assert!(!of_change(None), "one that is pending counts for nothing");
    }

    #[test]
    fn username_length_is_checked_at_one_below_at_and_one_above() {
        for letter in ["a", "é", "e\u{301}", "字"] {
            let of_length = |length| Username::parse(&letter.repeat(length)).is_ok();
            assert_eq!([1, 2, 64, 65].map(of_length), [false, true, true, false], "{letter}");
        }
        assert!(Username::parse(&"a".repeat(1_000_000)).is_err());
    }

    #[test]
    fn a_name_is_the_same_however_its_letters_are_composed() {
        let name = Username::parse("Zoe\u{308}").unwrap();
        assert_eq!(name, Username::parse("Zo\u{eb}").unwrap());
        assert_eq!(name.as_str(), "Zo\u{eb}");
    }

    #[test]
    fn names_of_many_scripts_are_names_in_any_case() {
        for (name, canonical) in [
            ("Jürgen_7", "jürgen_7"),
            ("A.b_c+d-e9", "a.b_c+d-e9"),
            ("Ольга", "ольга"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("οδυσσευσ", "οδυσσευς"),
            ("STRASSE", "strasse"),
            ("straße", "strasse"),
            ("कृष्ण", "कृष्ण"),
            ("日本語テスト", "日本語テスト"),
            ("Toshiba東芝", "toshiba東芝"),
            ("admin", "admin"),
        ] {
            let name = Username::parse(name).unwrap();
            assert_eq!(name.canonical(), canonical, "{name:?}");
        }
    }

    #[test]
    fn names_that_can_be_mistaken_for_others_are_refused() {
        for (name, why) in [
            ("someone@example.org", "letters, digits"),
            ("a b", "letters, digits"),
            ("a/b", "letters, digits"),
            ("admin\u{200b}", "letters, digits"),
            ("ad\u{ad}min", "letters, digits"),
            ("\u{202e}nimda", "letters, digits"),
            ("\u{301}ab", "letters, digits"),
            ("\u{ff41}dmin", "letters, digits"),   // full width
            ("\u{1d41a}dmin", "letters, digits"),  // mathematical
            ("\u{430}dmin", "several scripts"),    // Cyrillic and Latin
            ("p\u{3b1}ypal", "several scripts"),   // Greek and Latin
            ("\u{430}\u{3b1}", "several scripts"), // Cyrillic and Greek
            ("\u{5d0}\u{430}", "several scripts"), // Hebrew and Cyrillic
            ("\u{43e}\u{440}\u{455}", "another"),  // all Cyrillic, like ops
            ("\u{41e}\u{420}\u{405}", "another"),  // and in upper case
            ("adm\u{ed}n", "another"),
            ("\u{d3}ps", "another"),
            ("cIient", "another"), // a capital i for an l
            ("adrnin", "another"), // r and n for an m
            ("deleted-account", "another"),
            ("Deleted-Account", "another"),
            ("de1eted-account", "another"), // a one for an l
        ] {
            let refusal = Username::parse(name).unwrap_err();
            assert!(refusal.0.contains(why), "{name}: {refusal:?}");
        }
        for role in ["client", "CLIENT", "Admin", "ops"] {
            assert!(Username::parse(role).is_ok(), "{role} is no other name");
        }
    }

    #[test]
    fn email_length_is_checked_at_and_one_above() {
        let label = "d".repeat(61);
        let at_limit = format!("{}@{label}.{label}.{label}.com", "a".repeat(254 - 4 - 61 * 3 - 3));
        assert_eq!(at_limit.len(), 254);
        assert!(EmailAddress::parse(&at_limit).is_ok());
        assert!(EmailAddress::parse(&format!("a{at_limit}")).is_err());
    }

    #[test]
    fn addresses_that_only_some_servers_understand_are_refused() {
        for text in [
            "",
            "plain",
            "a@b",
            "a@localhost",
            "\"a b\"@example.com",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "=?utf-8?q?a=40example.net=3e?=@example.com",
            "A <a@example.com>",
            "ä@example.com",
            "a@exämple.com",
            "a@example.com\r\nBcc: x@y.zz",
            " a@example.com",
            "a@@example.com",
            "a..b@example.com",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn an_address_in_a_log_shows_no_local_part() {
        let address = EmailAddress::parse("secret.person@example.com").unwrap();
        assert_eq!(format!("{address:?}"), "***@example.com");
    }

    #[test]
    fn a_name_for_an_address_is_what_fits_of_its_local_part_and_five_letters() {
        let long = format!("{}@example.org", "a".repeat(64));
        for (address, random, name) in [
            ("anna.b+c@example.org", [0, 1, 2, 31, 32], "anna.b+c-abc9a"),
            ("o'neil/x=y@example.org", [0; 5], "oneilxy-aaaaa"),
            ("{}@example.org", [0; 5], "-aaaaa"),
            ("ops@example.org", [255; 5], "ops-99999"),
            (&long, [0; 5], &format!("{}-aaaaa", "a".repeat(58))),
        ] {
            let name_of = Username::for_address(&EmailAddress::parse(address).unwrap(), random);
            assert_eq!(name_of.as_str(), name);
        }
    }

    proptest! {
        #[test]
        fn a_name_for_an_address_is_a_name(
            local in "[a-z0-9!#$%&'*+/=^_`{|}~-]{1,64}", random: [u8; 5],
        ) {
            let address = EmailAddress::parse(&format!("{local}@example.org")).unwrap();
            let name = Username::for_address(&address, random);
            prop_assert_eq!(Username::parse(name.as_str()), Ok(name));
        }

        #[test]
        fn every_name_of_the_alphabet_is_accepted_and_compared_without_case(
            name in "[A-Za-z0-9._+-]{2,64}",
        ) {
            let lower = Username::parse(&name.to_lowercase()).unwrap();
            let upper = Username::parse(&name.to_uppercase()).unwrap();
            prop_assert_eq!(lower.canonical(), upper.canonical());
        }

        #[test]
        fn an_accepted_name_or_address_never_holds_a_control_character_or_space(
            text in ".{0,80}|\\w{2,64}",
        ) {
            if let Ok(name) = Username::parse(&text) {
                let clean = |c: char| !c.is_control() && !c.is_whitespace() && c != '@';
                prop_assert!(name.as_str().chars().all(clean));
                prop_assert_eq!(Username::parse(name.as_str()), Ok(name.clone()), "normalised");
                let canonical = Username(name.canonical());
                prop_assert_eq!(canonical.canonical(), name.canonical());
            }
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().chars().all(|c| c.is_ascii_graphic()));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
            }
        }

        #[test]
        fn ordinary_addresses_are_accepted_and_lowered(
            local in "[A-Za-z0-9]{1,20}([.+_-][A-Za-z0-9]{1,10})?", domain in "[a-z]{1,20}",
        ) {
            let address = EmailAddress::parse(&format!("{local}@{domain}.Example")).unwrap();
            prop_assert_eq!(address.as_str(), format!("{}@{}.example", local.to_lowercase(), domain));
        }
    }
}
