//! Who may do what: roles and the user record.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EmailAddress, GroupId, Invalid, SecondFactor, SessionId, Username, rfc3339_millis};

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
    pub(crate) const ALL: [Self; 3] = [Self::Ops, Self::Client, Self::Admin];

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

    #[test]
    fn a_user_id_is_the_uuid_of_its_millisecond_and_survives_its_text() {
        // RFC 9562, appendix A.6: 0x017F22E279B0 is 22 February 2022, 19:22:22 UTC.
        let moment = Timestamp::from_millisecond(0x017f_22e2_79b0).unwrap();
        let id = UserId::new(moment, [0; 10]);
        assert_eq!(id.to_string(), "017f22e2-79b0-7000-8000-000000000000");
        assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
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
}
