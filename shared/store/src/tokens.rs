//! The Tokens table: opaque tokens, each spent at most once. What is known of the links that they
//! are part of is in [`crate::Links`].

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_dynamo::{from_item, to_item};
use share_auth::SecretHash;
use share_model::UserId;

use crate::transaction::{CommitOutcome, Write, commit};
use crate::{Platform, StartError, StoreError};

/// What a token is good for. A token of one kind is unknown as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Proves an e-mail address.
    Verification,
    /// Downloads one file.
    Download,
    /// Renews an access token.
    Refresh,
    /// Sets the first password of an account.
    Invitation,
}

impl TokenKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Download => "download",
            Self::Refresh => "refresh",
            Self::Invitation => "invitation",
        }
    }
}

/// A token as the table holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The key.
    pub token_hash: SecretHash,
    /// What it is good for.
    pub kind: TokenKind,
    /// Whose it is.
    pub user_id: UserId,
    /// The first second in which it is no longer good, counted from 1970.
    pub expires_at: i64,
}

/// What is known about a token that somebody presents.
#[derive(Debug)]
pub enum Found {
    /// It can be spent.
    Live(TokenRecord),
    /// It was good once, and its time is over.
    Expired,
    /// It has been spent.
    Spent,
    /// There is no such token.
    Unknown,
}

impl Found {
    /// The token when it can be spent; or else the error that goes with what is known.
    ///
    /// # Errors
    /// The one of the three that fits.
    pub fn live<E>(self, expired: E, spent: E, unknown: E) -> Result<TokenRecord, E> {
        match self {
            Self::Live(token) => Ok(token),
            Self::Expired => Err(expired),
            Self::Spent => Err(spent),
            Self::Unknown => Err(unknown),
        }
    }
}

/// For how long a spent or expired token is told apart from an unknown one: 30 days.
///
/// DynamoDB deletes a record some time after its `forget_at`, days late at worst. No rule depends
/// on that: conditions compare `expires_at`.
const REMEMBERED_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The tokens in the Tokens table.
#[derive(Clone)]
pub struct Tokens {
    client: Client,
    table: String,
}

impl Tokens {
    /// The table that `TOKENS_TABLE` names.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let table = platform.environment().required("TOKENS_TABLE")?.to_owned();
        Ok(Self { client: platform.dynamodb(), table })
    }

    /// Puts a new token and `with_it` in one transaction.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn issue(&self, token: &TokenRecord, with_it: Vec<Write>) -> Result<(), StoreError> {
        let mut writes = vec![self.issuing(token)?];
        writes.extend(with_it);
        match commit(&self.client, "issue a token", writes).await? {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::Refused(_) => {
                Err(StoreError::because("issue a token", "a condition failed"))
            }
        }
    }

    /// The write that puts a new token.
    ///
    /// # Errors
    /// Never in practice: only if the record could not be written as an item.
    pub fn issuing(&self, token: &TokenRecord) -> Result<Write, StoreError> {
        let mut item: HashMap<_, _> =
            to_item(token).map_err(StoreError::during("write a token"))?;
        item.insert("forget_at".to_owned(), number(token.expires_at + REMEMBERED_SECONDS));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build();
        Ok(put.map_err(StoreError::during("write a token"))?.into())
    }

    /// The write that removes a token without spending it.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub fn removal(&self, token: &SecretHash) -> Result<Write, StoreError> {
        let delete =
            Delete::builder().table_name(&self.table).key("token_hash", text(token.as_str()));
        Ok(delete.build().map_err(StoreError::during("remove a token"))?.into())
    }

    /// What is known about the token with this hash, for a use of this kind. Spends nothing.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find(
        &self,
        hash: &SecretHash,
        kind: TokenKind,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        if let Some(item) = self.get(hash.as_str().to_owned()).await? {
            let token: TokenRecord = from_item(item).map_err(StoreError::during("read a token"))?;
            return Ok(match token.kind == kind {
                true if token.expires_at > now.as_second() => Found::Live(token),
                true => Found::Expired,
                false => Found::Unknown,
            });
        }
        let marker = self.get(spent_key(hash)).await?;
        let same_kind = marker.is_some_and(|item| item.get("kind") == Some(&text(kind.as_str())));
        Ok(if same_kind { Found::Spent } else { Found::Unknown })
    }

    async fn get(
        &self,
        key: String,
    ) -> Result<Option<HashMap<String, AttributeValue>>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("token_hash", AttributeValue::S(key)).send().await;
        Ok(answer.map_err(StoreError::during("read the Tokens table"))?.item)
    }

    /// The write that deletes a token, on condition that it can be spent at `now`.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub(crate) fn spending(
        &self,
        token: &TokenRecord,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("token_hash", text(token.token_hash.as_str()))
            .condition_expression(SPENDABLE)
            .set_expression_attribute_values(Some(spendable(token, now)))
            .build();
        Ok(delete.map_err(StoreError::during("spend a token"))?.into())
    }

    /// The condition that a token can be spent at `now`, without spending it.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub(crate) fn still_spendable(
        &self,
        token: &TokenRecord,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("token_hash", text(token.token_hash.as_str()))
            .condition_expression(SPENDABLE)
            .set_expression_attribute_values(Some(spendable(token, now)))
            .build();
        Ok(check.map_err(StoreError::during("check a token"))?.into())
    }

    /// Spends a token and does `with_it`, in one transaction. Answers `true` to exactly one of any
    /// number of authenticator, and `false` to the others, for whom nothing has happened.
    ///
    /// # Errors
    /// When the table does not answer; then nothing is known about the token.
    pub async fn spend(
        &self,
        token: &TokenRecord,
        now: Timestamp,
        with_it: Vec<Write>,
    ) -> Result<bool, StoreError> {
        let marker = Put::builder()
            .table_name(&self.table)
            .item("token_hash", AttributeValue::S(spent_key(&token.token_hash)))
            .item("kind", text(token.kind.as_str()))
            .item("user_id", text(&token.user_id.to_string()))
            .item("forget_at", number(now.as_second() + REMEMBERED_SECONDS))
            .build()
            .map_err(StoreError::during("spend a token"))?;
        let mut writes = vec![self.spending(token, now)?, marker.into()];
        writes.extend(with_it);
        let outcome = commit(&self.client, "spend a token", writes).await?;
        Ok(outcome == CommitOutcome::Committed)
    }
}

/// What must hold of a token that is spent.
const SPENDABLE: &str = "kind = :kind AND user_id = :user AND expires_at > :now";

fn spendable(token: &TokenRecord, now: Timestamp) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (":kind".to_owned(), text(token.kind.as_str())),
        (":user".to_owned(), text(&token.user_id.to_string())),
        (":now".to_owned(), number(now.as_second())),
    ])
}

/// The record that a spent token leaves, so that its holder learns that it was used.
fn spent_key(hash: &SecretHash) -> String {
    format!("spent#{}", hash.as_str())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
