//! The Sessions table: what logins leave behind, and the refresh tokens that continue it.
//!
//! Two kinds of record share the key `pk`. `session#<id>` is the session. `refresh#<hash>` is one of
//! its refresh tokens, and says of which round; it stays when it has been used, so that a second use
//! is told apart from a token that never was.
//!
//! A token's successor is made of the token itself and of a random value in the session's record. So
//! the table holds no secret, and the token before the current one can be answered with the current
//! one again, for half a minute, without being stored.

use std::convert::Infallible;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use share_auth::{OpaqueSecret, PageCursor, SecretHash};
use share_contract::settings::SESSIONS_TABLE;
use share_model::{AuditAction, Refresh, Session, SessionId, User, UserId};

use crate::table::{Condition, Key, List, Table, absent, always, number, text};
use crate::transaction::{Backoff, CommitOutcome, Write};
use crate::user_changes::{UserApplied, UserChanges, UserStep};
use crate::{Actor, Page, Platform, RequestContext, StartError, StoreError};

/// The index that lists a user's sessions by their beginning. Only sessions have both keys.
const BY_USER: &str = "sessions_by_user";

/// The Sessions table, and the accounts whose sessions they are.
#[derive(Clone)]
pub struct Sessions {
    table: Table,
    /// The accounts.
    pub changes: UserChanges,
}

/// A refresh token, as the table holds it.
#[derive(Serialize, Deserialize)]
struct RefreshRecord {
    session_id: SessionId,
    round: u32,
}

/// What a refresh token is good for.
pub enum Refreshed {
    /// The session goes on.
    Continued {
        /// Whose it is.
        user: User,
        /// The session in its current round.
        session: Session,
        /// The refresh token of that round.
        token: OpaqueSecret,
    },
    /// Nobody was ever given this token.
    Unknown,
    /// The session has ended.
    Ended,
    /// Its time is over.
    Expired,
    /// The account is disabled.
    Disabled,
    /// The token was used before, so this has ended the session.
    Replayed {
        /// Whose it was.
        user: User,
        /// The session.
        session: Session,
    },
}

impl Sessions {
    /// # Errors
    /// When a table's name is missing.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let table = Table::connect(platform, &SESSIONS_TABLE)?;
        Ok(Self { table, changes: UserChanges::connect(platform)? })
    }

    /// Begins a session of `user`, who has just shown to be its owner. Answers `false`, and begins
    /// none, when the account was disabled, or its sessions were ended, since it was read: then the
    /// password may be another one, too.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn begin(
        &self,
        user: &User,
        session: &Session,
        token: &SecretHash,
        context: RequestContext<'_>,
    ) -> Result<bool, StoreError> {
        let begun = AuditAction::SessionBegun.with(format_args!("{} by password", session.id));
        let mut writes = vec![self.see(user, session)];
        writes.extend(self.first_writes(session, token));
        let actor = Actor { user: Some(user.id), context };
        writes.extend(self.changes.entries(user.id, vec![begun], actor));
        let outcome = self.table.commit("begin a session", writes).await?;
        Ok(outcome == CommitOutcome::Committed)
    }

    /// The writes that put a new session, whose first refresh token has this hash.
    #[must_use]
    pub fn first_writes(&self, session: &Session, token: &SecretHash) -> Vec<Write> {
        let put = self.table.put_until(&key(session.id), session, end(session), &absent("pk"));
        vec![put, self.put_token(token, session)]
    }

    /// Continues the session of which somebody at `address` presents this refresh token.
    ///
    /// Of any number who present one token at once, one takes the session to its next round; the
    /// others get the same new token.
    ///
    /// # Errors
    /// When the tables do not answer. The same token again is then safe for
    /// [`Session::GRACE_SECONDS`].
    pub async fn refresh(
        &self,
        token: &OpaqueSecret,
        idle_seconds: i64,
        address: &str,
        context: RequestContext<'_>,
    ) -> Result<Refreshed, StoreError> {
        let Some(record) = self.table.get::<RefreshRecord>(&token_key(&token.hash())).await? else {
            return Ok(Refreshed::Unknown);
        };
        let mut backoff = Backoff::new("continue a session");
        loop {
            let session = self.table.get::<Session>(&key(record.session_id)).await?;
            let Some(session) = session else { return Ok(Refreshed::Ended) };
            let user = self.changes.users.by_id(session.user_id).await?;
            let Some(user) = user else { return Ok(Refreshed::Ended) };
            if !user.active {
                return Ok(Refreshed::Disabled);
            }
            let now = (context.clock)();
            match session.refresh(record.round, user.generation, idle_seconds, now) {
                Refresh::Advance => {
                    let nonce = OpaqueSecret::generate().reveal();
                    let next = token.successor(&nonce);
                    let after = session.advanced(nonce, address, now);
                    if self.advance(&user, (&session, &after), &next.hash()).await? {
                        return Ok(Refreshed::Continued { user, session: after, token: next });
                    }
                }
                Refresh::Repeat => {
                    let next = token.successor(session.nonce.as_deref().unwrap_or_default());
                    return Ok(Refreshed::Continued { user, session, token: next });
                }
                Refresh::Replayed => {
                    let actor = Actor { user: Some(user.id), context };
                    let action = AuditAction::SessionReplayed;
                    return Ok(match self.end(session.id, user.id, action, actor).await? {
                        UserApplied::Changed(_) => Refreshed::Replayed { user, session },
                        _ => Refreshed::Ended, // somebody else was faster
                    });
                }
                Refresh::Ended => return Ok(Refreshed::Ended),
                Refresh::Expired => return Ok(Refreshed::Expired),
            }
            backoff.wait().await?;
        }
    }

    /// Takes a session to its next round, whose token has this hash, unless somebody else has.
    async fn advance(
        &self,
        user: &User,
        (before, after): (&Session, &Session),
        token: &SecretHash,
    ) -> Result<bool, StoreError> {
        let same = Condition::new("round = :round AND generation = :generation")
            .with(":round", number(before.round.into()))
            .with(":generation", number(before.generation.into()));
        let writes = vec![
            self.see(user, after),
            self.table.change(&key(before.id), (before, after), &same),
            self.put_token(token, after),
        ];
        let outcome = self.table.commit("continue a session", writes).await?;
        Ok(outcome == CommitOutcome::Committed)
    }

    /// `limit` sessions of `user`, the newest first, or those after `cursor`. Some may have ended.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn page(
        &self,
        user: UserId,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<Session>, StoreError> {
        let list = List {
            index: Some(BY_USER),
            key: &["pk", "user_id", "created_at"],
            condition: Condition::new("user_id = :user").with(":user", text(user.to_string())),
            filter: None,
            newest_first: true,
        };
        self.table.page(list, limit, cursor).await
    }

    /// Deletes the records of these sessions, which have ended.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn forget(&self, sessions: &[SessionId]) -> Result<(), StoreError> {
        if sessions.is_empty() {
            return Ok(());
        }
        let delete = |id: &SessionId| self.table.delete(&key(*id), &always());
        let writes = sessions.iter().map(delete).collect();
        self.table.commit("forget sessions", writes).await.map(drop)
    }

    /// Ends a session of `owner`. Its access tokens are over with the next request. Nothing changes
    /// when it was ended shortly before; the write is refused when there is none.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn end(
        &self,
        session: SessionId,
        owner: UserId,
        action: AuditAction,
        actor: Actor<'_>,
    ) -> Result<UserApplied<Infallible>, StoreError> {
        let own = Condition::new("user_id = :user").with(":user", text(owner.to_string()));
        let applied = self.changes.apply(owner, actor, |user, now| {
            if user.ended_sessions.iter().any(|ended| ended.id == session) {
                return Ok(None);
            }
            let mut after = user.changed();
            after.end_session(session, now);
            let writes = vec![self.table.delete(&key(session), &own)];
            Ok(Some(UserStep { after, actions: vec![action.with(session)], writes }))
        });
        applied.await
    }

    /// Ends all sessions of `owner`.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn end_all(&self, owner: UserId, actor: Actor<'_>) -> Result<(), StoreError> {
        let applied = self.changes.apply(owner, actor, |user, _| {
            let mut after = user.changed();
            after.end_sessions();
            let actions = vec![AuditAction::SessionsEnded.into()];
            Ok::<_, Infallible>(Some(UserStep { after, actions, writes: Vec::new() }))
        });
        applied.await.map(drop)
    }

    /// The write that notes that the owner of `user` was seen, on condition that the account is of the
    /// same generation, and active.
    fn see(&self, user: &User, session: &Session) -> Write {
        let generation = if user.generation == 0 {
            "(attribute_not_exists(generation) OR generation = :generation)"
        } else {
            "generation = :generation"
        };
        let same = Condition::new(&format!("active = :yes AND {generation}"))
            .with(":generation", number(user.generation.into()))
            .with(":yes", AttributeValue::Bool(true));
        self.changes.users.see(user, session.last_used_at, same)
    }

    /// The write that takes a session over into the generation `after`, when all others end.
    pub(crate) fn keep(&self, session: SessionId, user: UserId, after: u32) -> Write {
        let own = Condition::new("user_id = :user")
            .with(":user", text(user.to_string()))
            .with(":after", number(after.into()));
        self.table.update(&key(session), "SET generation = :after", &own)
    }

    fn put_token(&self, token: &SecretHash, session: &Session) -> Write {
        let record = RefreshRecord { session_id: session.id, round: session.round };
        self.table.put_until(&token_key(token), &record, end(session), &absent("pk"))
    }
}

/// When the records of a session may be forgotten, in seconds since 1970.
fn end(session: &Session) -> i64 {
    session.expires_at.as_second()
}

fn key(id: SessionId) -> Key {
    Key::new("pk", format!("session#{id}"))
}

fn token_key(hash: &SecretHash) -> Key {
    Key::new("pk", format!("refresh#{}", hash.as_str()))
}
