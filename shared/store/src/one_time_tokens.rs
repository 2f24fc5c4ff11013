//! One-time tokens in the Links table: each can be spent at most once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_auth::{OpaqueSecret, SecretHash};
use share_contract::settings::LINKS_TABLE;
use share_model::{EmailAddress, TokenKind, TokenRefusal, UserId};

use crate::table::{Condition, Key, Readable, Table, absent, always, number, text};
use crate::transaction::{CommitOutcome, Write};
use crate::{Platform, StartError, StoreError};

/// A one-time token as the table holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The SHA-256 of the token. Its key is made of it.
    pub hash: SecretHash,
    /// What it is good for.
    pub kind: TokenKind,
    /// Whose it is.
    pub user_id: UserId,
    /// The first second in which it is no longer good, counted from 1970.
    pub expires_at: i64,
    /// The address that it gives to the account, when it is for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    /// How often all sessions of the account had been ended when it asked for the token, which dies
    /// with the next time. `None` where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
}

/// Which token of an account is the newest of its kind.
#[derive(Serialize, Deserialize)]
struct Newest {
    token_hash: SecretHash,
}

impl TokenRecord {
    /// The record of `secret`, which is good for one use of this kind before the second
    /// `expires_at`.
    #[must_use]
    pub fn new(secret: &OpaqueSecret, kind: TokenKind, user_id: UserId, expires_at: i64) -> Self {
        Self { hash: secret.hash(), kind, user_id, expires_at, email: None, generation: None }
    }
}

/// A token that cannot be spent, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedToken {
    /// What it was presented for.
    pub kind: TokenKind,
    /// Why it cannot be spent.
    pub refusal: TokenRefusal,
}

/// For how long a spent or expired token is told apart from an unknown one: 30 days.
const REMEMBERED_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The one-time tokens.
#[derive(Clone)]
pub struct OneTimeTokens {
    table: Table,
}

/// The record that a spent token leaves, so that its holder learns that it was used.
#[derive(Serialize, Deserialize)]
struct Spent {
    kind: TokenKind,
    user_id: UserId,
}

impl OneTimeTokens {
    /// # Errors
    /// When `LINKS_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &LINKS_TABLE)? })
    }

    /// Puts a new token. Nothing is asked of its account, which need not exist: a token of nobody
    /// takes as long to put as any other, and is never found good.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn put(&self, token: &TokenRecord) -> Result<(), StoreError> {
        match self.table.commit("put a token", self.issue(token)).await? {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::ConditionFailed(_) => {
                Err(StoreError::because("put a token", "there is one of this hash"))
            }
        }
    }

    /// The writes that put a new token.
    pub(crate) fn issue(&self, token: &TokenRecord) -> Vec<Write> {
        let forget_at = token.expires_at + REMEMBERED_SECONDS;
        let mut writes =
            vec![self.table.put_until(&token_key(&token.hash), token, forget_at, &absent("pk"))];
        if token.kind.only_newest() {
            let (key, newest) = (newest_key(token), Newest { token_hash: token.hash.clone() });
            writes.push(self.table.put_until(&key, &newest, forget_at, &always()));
        }
        writes
    }

    /// The write after which no token of this kind of the account is good, when only the newest one
    /// ever is.
    pub(crate) fn void(&self, kind: TokenKind, user: UserId) -> Write {
        self.table.delete(&newest_key_of(kind, user), &always())
    }

    /// The newest token of this kind of an account, while it can be spent at `now`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn newest(
        &self,
        kind: TokenKind,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<TokenRecord>, StoreError> {
        let newest = self.table.get::<Newest>(&newest_key_of(kind, user)).await?;
        let Some(newest) = newest else { return Ok(None) };
        let token = self.table.get::<TokenRecord>(&token_key(&newest.token_hash)).await?;
        Ok(token.filter(|token| token.expires_at > now.as_second()))
    }

    /// Removes the newest token of this kind of an account, with what it says.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn remove_newest(
        &self,
        kind: TokenKind,
        user: UserId,
    ) -> Result<(), StoreError> {
        let key = newest_key_of(kind, user);
        let Some(newest) = self.table.get::<Newest>(&key).await? else { return Ok(()) };
        let writes = vec![self.remove(&newest.token_hash), self.table.delete(&key, &always())];
        self.table.commit("remove a token", writes).await.map(drop)
    }

    /// The write that removes a token without spending it. It may be gone already.
    pub(crate) fn remove(&self, token: &SecretHash) -> Write {
        self.table.delete(&token_key(token), &always())
    }

    /// The token that somebody presents as `secret` for a use of this kind, when it can be spent at
    /// `now`. Spends nothing.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find(
        &self,
        kind: TokenKind,
        secret: &str,
        now: Timestamp,
    ) -> Result<Result<TokenRecord, RefusedToken>, StoreError> {
        let refused = |refusal| Ok(Err(RefusedToken { kind, refusal }));
        let Ok(secret) = OpaqueSecret::parse(secret) else { return refused(TokenRefusal::Unknown) };
        let hash = secret.hash();
        match self.table.get::<TokenRecord>(&token_key(&hash)).await? {
            Some(token) if token.kind != kind => refused(TokenRefusal::Unknown),
            Some(token) if token.expires_at <= now.as_second() => refused(TokenRefusal::Expired),
            Some(token) if kind.only_newest() => {
                let newest = self.table.get::<Newest>(&newest_key(&token)).await?;
                if newest.is_some_and(|newest| newest.token_hash == hash) {
                    Ok(Ok(token))
                } else {
                    refused(TokenRefusal::Used)
                }
            }
            Some(token) => Ok(Ok(token)),
            None => match self.table.get::<Spent>(&spent_key(&hash)).await? {
                Some(spent) if spent.kind == kind => refused(TokenRefusal::Used),
                _ => refused(TokenRefusal::Unknown),
            },
        }
    }

    /// The token with this hash, whether or not it can be spent.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn stored(
        &self,
        hash: &SecretHash,
    ) -> Result<Option<Readable<TokenRecord>>, StoreError> {
        self.table.get(&token_key(hash)).await
    }

    /// The writes that spend a token, on condition that it can be spent at `now`; the condition is
    /// that of the first one. Of any number of transactions with them exactly one succeeds.
    pub(crate) fn spend(&self, token: &TokenRecord, now: Timestamp) -> Vec<Write> {
        let spent = Spent { kind: token.kind, user_id: token.user_id };
        let (key, forget_at) = (spent_key(&token.hash), now.as_second() + REMEMBERED_SECONDS);
        let remember = self.table.put_until(&key, &spent, forget_at, &absent("pk"));
        let mut writes = vec![self.delete_spendable(token, now), remember];
        if token.kind.only_newest() {
            let newest =
                Condition::new("token_hash = :hash").with(":hash", text(token.hash.as_str()));
            writes.push(self.table.delete(&newest_key(token), &newest));
        }
        writes
    }

    /// The write that deletes a token, on condition that it can be spent at `now`.
    pub(crate) fn delete_spendable(&self, token: &TokenRecord, now: Timestamp) -> Write {
        self.table.delete(&token_key(&token.hash), &spendable(token, now))
    }

    /// The condition that a token can be spent at `now`, without spending it.
    pub(crate) fn check_spendable(&self, token: &TokenRecord, now: Timestamp) -> Write {
        self.table.check(&token_key(&token.hash), &spendable(token, now))
    }
}

/// What must hold of a token that is spent: every fact that matters.
fn spendable(token: &TokenRecord, now: Timestamp) -> Condition {
    Condition::new("kind = :kind AND user_id = :user AND expires_at > :now")
        .with(":kind", text(token.kind.as_str()))
        .with(":user", text(token.user_id.to_string()))
        .with(":now", number(now.as_second()))
}

fn newest_key(token: &TokenRecord) -> Key {
    newest_key_of(token.kind, token.user_id)
}

fn newest_key_of(kind: TokenKind, user: UserId) -> Key {
    Key::new("pk", format!("newest#{}#{user}", kind.as_str()))
}

fn token_key(hash: &SecretHash) -> Key {
    Key::new("pk", format!("token#{}", hash.as_str()))
}

fn spent_key(hash: &SecretHash) -> Key {
    Key::new("pk", format!("spent#{}", hash.as_str()))
}
