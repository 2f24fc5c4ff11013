//! The links in the Links table.
//!
//! A link is two records. `token#<hash>` is what can be spent: it is deleted with the last download
//! that the link permits, on condition that it is there. `link#<id>` is what is remembered: the
//! link, how often it was redeemed, and the end of its chain of receipts.
//!
//! Whatever happens to a link is one transaction that writes a receipt, puts the remembered record
//! on condition that the chain still ends where it ended when the record was read, and changes what
//! goes with it. So everything that happens to one link happens one after the other, and nothing
//! without a receipt; links do not wait for each other.

use jiff::Timestamp;
use serde::Deserialize;
use share_auth::{PageCursor, SecretHash};
use share_contract::settings::LINKS_TABLE;
use share_model::{FileId, Link, LinkId, LinkState, ReceiptEvent, TokenKind, UserId};

use crate::audit::forget_at;
use crate::table::{Condition, Key, List, Table, absent, number, text};
use crate::transaction::{Backoff, CommitOutcome, Write};
use crate::{Audit, OneTimeTokens, Page, Platform, StartError, StoreError, TokenRecord};

/// The index that lists a user's links by time of creation. Only their records have both keys.
const BY_USER: &str = "links_by_user";

/// The request in which something happens to a link, as its receipt names it.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext<'a> {
    /// When it happens.
    pub now: Timestamp,
    /// The request's id.
    pub request_id: &'a str,
}

/// The links.
#[derive(Clone)]
pub struct Links {
    pub(crate) table: Table,
    pub(crate) tokens: OneTimeTokens,
    audit: Audit,
}

/// The key of a record that the index has.
#[derive(Deserialize)]
struct Indexed {
    pk: String,
}

impl Links {
    /// # Errors
    /// When `LINKS_TABLE` or `AUDIT_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            table: Table::connect(platform, &LINKS_TABLE)?,
            tokens: OneTimeTokens::connect(platform)?,
            audit: Audit::connect(platform)?,
        })
    }

    /// Puts a new link, whose first receipt is `created`.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn create(
        &self,
        link: &Link,
        created: ReceiptEvent,
        context: RequestContext<'_>,
    ) -> Result<(), StoreError> {
        let token = self.tokens.issue(&token(link));
        if self.change(link, link.clone(), created, context, vec![token]).await? {
            return Ok(());
        }
        Err(StoreError::because("create a link", "there is one of this id"))
    }

    /// The link with this identity, as it is now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find(&self, id: &LinkId) -> Result<Option<Link>, StoreError> {
        self.table.get(&link_key(id)).await
    }

    /// The newest `limit` links of `user`, or those after `cursor`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn page(
        &self,
        user: UserId,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<Link>, StoreError> {
        let list = List {
            index: Some(BY_USER),
            key: &["pk", "user_id", "created_at"],
            condition: Condition::new("user_id = :user").with(":user", text(user.to_string())),
            newest_first: true,
        };
        let page = self.table.page::<Indexed>(list, limit, cursor).await?;
        // The index has only keys, so that it need not be written when a link is used, and the
        // links are as they are now.
        let keys: Vec<_> = page.records.into_iter().map(|it| Key::new("pk", it.pk)).collect();
        Ok(Page { records: self.table.get_all(&keys).await?, next: page.next })
    }

    /// Every link to `file`. Reads the whole table.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn all_to(&self, file: FileId) -> Result<Vec<Link>, StoreError> {
        let condition = Condition::new("begins_with(pk, :link) AND file_id = :file")
            .with(":link", text(LINK))
            .with(":file", text(file.to_string()));
        self.table.scan(&condition).await
    }

    /// Revokes a link of `user`: from now on nobody can redeem it or resume a download of it.
    /// Answers `false` when the user has no such link.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn revoke(
        &self,
        id: &LinkId,
        user: UserId,
        context: RequestContext<'_>,
    ) -> Result<bool, StoreError> {
        let mut backoff = Backoff::new("revoke a link");
        loop {
            let found = self.find(id).await?.filter(|link| link.user_id == user);
            let Some(before) = found else { return Ok(false) };
            let writes = match before.state(context.now) {
                LinkState::Live => {
                    vec![self.tokens.delete_spendable(&token(&before), context.now)]
                }
                // There is nothing to spend, but a download may go on.
                LinkState::Used | LinkState::Expired => vec![],
                LinkState::Revoked => return Ok(true),
            };
            let after = Link { revoked_at: Some(context.now), ..before.clone() };
            let event = ReceiptEvent::Revoked { user_id: user };
            if self.change(&before, after, event, context, writes).await? {
                return Ok(true);
            }
            backoff.wait().await?;
        }
    }

    /// The one way in which a link changes: from `before` to `after`, with a receipt of `event`
    /// and `writes`, in one transaction. Answers `false` when the link is no longer as `before` has
    /// it, or a condition of `writes` does not hold; then nothing has happened.
    pub(crate) async fn change(
        &self,
        before: &Link,
        mut after: Link,
        event: ReceiptEvent,
        context: RequestContext<'_>,
        mut writes: Vec<Write>,
    ) -> Result<bool, StoreError> {
        let RequestContext { now: at, request_id } = context;
        let (receipt, head) = before.chain.append(&before.id, at, request_id, event);
        after.chain = head;
        let unchanged = match before.chain.receipts {
            0 => absent("pk"),
            receipts => {
                Condition::new("receipts = :before").with(":before", number(receipts.into()))
            }
        };
        let key = link_key(&after.id);
        writes.push(self.table.put_until(&key, &after, forget_at(&after), &unchanged));
        writes.push(self.audit.receipt(&after, head.receipts, &receipt));
        let outcome = self.table.commit("change a link", writes).await?;
        if outcome == CommitOutcome::Committed {
            // A second place that says what the chain was, out of reach of a writer of the tables.
            let (link, number, hash) = (after.id.as_str(), head.receipts, receipt.hash.hex());
            tracing::info!(request_id, link, receipt = number, hash);
        }
        Ok(outcome == CommitOutcome::Committed)
    }
}

/// What can be spent of a link.
pub(crate) fn token(link: &Link) -> TokenRecord {
    TokenRecord {
        hash: SecretHash::of_link(&link.id),
        kind: TokenKind::Download,
        user_id: link.user_id,
        expires_at: link.expires_at.as_second(),
    }
}

/// What the keys of links begin with.
const LINK: &str = "link#";

fn link_key(id: &LinkId) -> Key {
    Key::new("pk", format!("{LINK}{id}"))
}
