//! The links in the Tokens table, and the leases of downloads that have begun.
//!
//! A link is two records. Its token is what can be spent: it is deleted with the last download that
//! the link permits, on condition that it is there. `link#<id>` is what is remembered: the link, how
//! often it was redeemed, and the end of its chain of receipts. A download that has begun has a
//! third, `lease#<id>#<hash of the lease>`.
//!
//! Whatever happens to a link is one transaction that writes a receipt, puts the remembered record
//! on condition that the chain still ends where it ended when the record was read, and changes what
//! goes with it. So everything that happens to one link happens one after the other, and nothing
//! without a receipt; links do not wait for each other.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{from_item, to_item};
use share_auth::{PageCursor, SecretHash};
use share_model::{
    Admission, ByteRange, Coverage, DownloadRequest, FileRecord, Lease, LeaseTerms, Link, LinkId,
    LinkRefusal, LinkState, ReceiptEvent, TransferOutcome, UserId,
};

use crate::audit::forget_at;
use crate::page::page;
use crate::transaction::{CommitOutcome, Write, commit, retry_delay};
use crate::{Audit, Page, Platform, StartError, StoreError, TokenKind, TokenRecord, Tokens};

type Item = HashMap<String, AttributeValue>;

/// The index that lists a user's links by time of creation. Only their records have both keys.
const BY_USER: &str = "links_by_user";

/// What the keys of links begin with.
pub(crate) const LINK: &str = "link#";

/// For how long a lease is told apart from one that never was, after it and its link are over: a
/// day.
const LEASE_REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

/// Attempts at a change of a link that others keep changing: a quarter of a minute of waiting at
/// most, so that a function can still say that it was in vain. Of 64 who redeem one link 64 times
/// over the embedded DynamoDB, the last has its admission after two seconds.
const ATTEMPTS: u32 = 60;

/// The links.
#[derive(Clone)]
pub struct Links {
    client: Client,
    table: String,
    tokens: Tokens,
    audit: Audit,
}

/// A link, and the lease of it that somebody presents.
#[derive(Debug, Clone)]
pub struct LinkAndLease {
    /// The link.
    pub link: Link,
    /// The lease, when there is one.
    pub lease: Option<Lease>,
}

/// A request whose bytes may go out.
#[derive(Debug, Clone)]
pub struct Transfer {
    link: LinkId,
    lease: SecretHash,
    /// The number of the receipt with which it began.
    number: u32,
    /// What it is: a redemption of the link, or a resume.
    pub admission: Admission,
    request: DownloadRequest,
    /// How long, in seconds from the request, it can be resumed.
    pub lease_seconds: i64,
}

/// The request in which something happens to a link, as its receipt names it.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext<'a> {
    /// When it happens.
    pub now: Timestamp,
    /// The request's id.
    pub request_id: &'a str,
}

/// What a client was given.
#[derive(Debug, Clone, Copy)]
pub enum Sent {
    /// So many bytes.
    Bytes(u64),
    /// The address at which S3 gives it the bytes.
    Redirect,
}

/// What has become of a request whose bytes went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferEnd {
    /// How it ended.
    pub outcome: TransferOutcome,
    /// Whether it was the first of its link to complete, and it is now up to the caller to tell
    /// the uploader: nobody else will.
    pub notify: bool,
}

impl Links {
    /// The tables that `TOKENS_TABLE` and `AUDIT_TABLE` name.
    ///
    /// # Errors
    /// When a variable is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let table = platform.environment().required("TOKENS_TABLE")?.to_owned();
        let (tokens, audit) = (Tokens::connect(platform)?, Audit::connect(platform)?);
        Ok(Self { client: platform.dynamodb(), table, tokens, audit })
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
        let token = self.tokens.issuing(&token(link))?;
        if self.change(link, link.clone(), created, context, vec![token]).await? {
            return Ok(());
        }
        Err(StoreError::because("make a link", "there is one of this id"))
    }

    /// The link with this identity, and its lease with this hash. Changes nothing.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find(
        &self,
        id: &LinkId,
        lease: Option<&SecretHash>,
    ) -> Result<Option<LinkAndLease>, StoreError> {
        let Some(link) = self.get(link_key(id)).await? else { return Ok(None) };
        let lease = match lease {
            Some(hash) => self.get(lease_key(id, hash)).await?,
            None => None,
        };
        Ok(Some(LinkAndLease { link, lease }))
    }

    async fn get<T: DeserializeOwned>(&self, key: String) -> Result<Option<T>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("token_hash", AttributeValue::S(key)).send().await;
        let item = answer.map_err(StoreError::during("read the Tokens table"))?.item;
        item.map(from_item).transpose().map_err(StoreError::during("read a link"))
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
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_USER)
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", AttributeValue::S(user.to_string()))
            .scan_index_forward(false);
        let key = ["token_hash", "user_id", "created_at"];
        let keys = page(query, &key, limit, cursor).await?;
        // The index has only keys, so that it need not be written when a link is used, and the
        // links are as they are now.
        let order: Vec<_> = keys.records.iter().filter_map(|it| it.get("token_hash")).collect();
        let mut links = self.get_all(order.iter().map(|key| (*key).clone()).collect()).await?;
        let records = order.iter().filter_map(|key| links.remove(key.as_s().ok()?));
        Ok(Page { records: records.collect(), next: keys.next })
    }

    /// The links with these keys, by key.
    async fn get_all(
        &self,
        keys: Vec<AttributeValue>,
    ) -> Result<BTreeMap<String, Link>, StoreError> {
        let failed = "read links";
        let mut links = BTreeMap::new();
        let mut keys: Vec<Item> =
            keys.into_iter().map(|key| Item::from([("token_hash".to_owned(), key)])).collect();
        // DynamoDB may leave some for the next time.
        let mut backoff = Backoff::new(failed);
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let wanted = wanted.build().map_err(StoreError::during(failed))?;
            let request = self.client.batch_get_item().request_items(&self.table, wanted);
            let mut answer = request.send().await.map_err(StoreError::during(failed))?;
            for items in answer.responses.take().unwrap_or_default().into_values() {
                for item in items {
                    let link: Link = from_item(item).map_err(StoreError::during(failed))?;
                    links.insert(link_key(&link.id), link);
                }
            }
            let left = answer.unprocessed_keys.unwrap_or_default();
            keys = left.into_values().flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                backoff.wait().await?;
            }
        }
        Ok(links)
    }

    /// Lets a request for bytes begin, when the link admits it: redeems the link and puts its
    /// lease, or resumes a download that has the lease. `current` is what the caller has seen of
    /// the link; the transaction holds only if that is still so.
    ///
    /// # Errors
    /// When the tables do not answer. Then the request may or may not have begun: whoever repeats
    /// it with the same lease gets the same download.
    pub async fn start_transfer(
        &self,
        mut current: LinkAndLease,
        lease_hash: &SecretHash,
        mut request: DownloadRequest,
        terms: LeaseTerms,
        context: RequestContext<'_>,
    ) -> Result<Result<Transfer, LinkRefusal>, StoreError> {
        let mut backoff = Backoff::new("use a link");
        loop {
            let before = &current.link;
            let admission = match before.admit(current.lease.as_ref(), context.now) {
                Ok(admission) => admission,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let mut after = before.clone();
            let mut writes = Vec::new();
            let lease = if let Some(lease) = current.lease {
                Lease { resumes: lease.resumes + 1, ..lease }
            } else {
                after.downloads += 1;
                let (token, now) = (token(before), context.now);
                writes.push(if after.downloads == before.max_downloads.get() {
                    self.tokens.spending(&token, now)?
                } else {
                    self.tokens.still_spendable(&token, now)?
                });
                let ends_at = now.as_second() + terms.lifetime;
                let (download, covered) = (after.downloads, Coverage::default());
                Lease { download, resumes: 0, ends_at, covered }
            };
            writes.push(self.put_lease(before, lease_hash, &lease)?);
            request.download = lease.download;
            let event = match admission {
                Admission::Redeem => ReceiptEvent::Redeemed(request.clone()),
                Admission::Resume => ReceiptEvent::Resumed(request.clone()),
            };
            if self.change(before, after, event, context, writes).await? {
                return Ok(Ok(Transfer {
                    link: before.id.clone(),
                    lease: lease_hash.clone(),
                    number: before.chain.receipts + 1,
                    admission,
                    request,
                    lease_seconds: lease.ends_at - context.now.as_second(),
                }));
            }
            backoff.wait().await?;
            let found = self.find(&current.link.id, Some(lease_hash)).await?;
            current = found.ok_or_else(|| StoreError::because("use a link", "it is gone"))?;
        }
    }

    /// Notes that no more of `file` goes out for `begun`. With the last byte of the file the lease
    /// ends, after its grace.
    ///
    /// # Errors
    /// When the tables do not answer. Then the lease stays as it is.
    pub async fn finish_transfer(
        &self,
        begun: &Transfer,
        sent: Sent,
        file: &FileRecord,
        terms: LeaseTerms,
        context: RequestContext<'_>,
    ) -> Result<TransferEnd, StoreError> {
        let mut backoff = Backoff::new("end a download");
        loop {
            let found = self.find(&begun.link, Some(&begun.lease)).await?;
            let Some(LinkAndLease { link: before, lease: Some(mut lease) }) = found else {
                return Err(StoreError::because("end a download", "its link or lease is gone"));
            };
            let range = begun.request.range;
            let (bytes, redirected) = match sent {
                Sent::Bytes(bytes) => (bytes, false),
                Sent::Redirect => (0, true),
            };
            if bytes > 0 {
                lease.covered.add(ByteRange { first: range.first, last: range.first + bytes - 1 });
            }
            let outcome = if redirected {
                TransferOutcome::Redirected
            } else if lease.covered.is_whole(file.size) {
                TransferOutcome::Completed
            } else if bytes == range.length() {
                TransferOutcome::Partial
            } else {
                TransferOutcome::BrokenOff
            };
            if outcome == TransferOutcome::Completed {
                lease.ends_at = lease.ends_at.min(context.now.as_second() + terms.grace);
            }
            let all = matches!(outcome, TransferOutcome::Completed | TransferOutcome::Redirected);
            let notify = file.notify && all && !before.notified;
            let mut after = before.clone();
            after.notified |= notify;
            let writes = vec![self.put_lease(&before, &begun.lease, &lease)?];
            let (begun, download) = (begun.number, lease.download);
            let event = ReceiptEvent::Ended { begun, download, bytes, outcome };
            if self.change(&before, after, event, context, writes).await? {
                return Ok(TransferEnd { outcome, notify });
            }
            backoff.wait().await?;
        }
    }

    /// Takes back a link of `user`: from now on nobody can redeem it or resume a download of it.
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
        let mut backoff = Backoff::new("take back a link");
        loop {
            let found = self.find(id, None).await?.map(|found| found.link);
            let Some(before) = found.filter(|link| link.user_id == user) else { return Ok(false) };
            let writes = match before.state(context.now) {
                LinkState::Live => vec![self.tokens.spending(&token(&before), context.now)?],
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
    /// and `with_it`, in one transaction. Answers `false` when the link is no longer as `before`
    /// has it, or a condition of `with_it` does not hold; then nothing has happened.
    async fn change(
        &self,
        before: &Link,
        mut after: Link,
        event: ReceiptEvent,
        context: RequestContext<'_>,
        with_it: Vec<Write>,
    ) -> Result<bool, StoreError> {
        let RequestContext { now: at, request_id } = context;
        let (receipt, head) = before.chain.append(&before.id, at, request_id, event);
        after.chain = head;
        let condition = match before.chain.receipts {
            0 => "attribute_not_exists(token_hash)",
            _ => "receipts = :before",
        };
        let number = AttributeValue::N(before.chain.receipts.to_string());
        let values =
            (before.chain.receipts > 0).then(|| Item::from([(":before".to_owned(), number)]));
        let put = self
            .put(link_key(&after.id), forget_at(&after), &after)?
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        let mut writes = vec![built(put)?, self.audit.receipt(&after, head.receipts, &receipt)?];
        writes.extend(with_it);
        let outcome = commit(&self.client, "change a link", writes).await?;
        if outcome == CommitOutcome::Committed {
            // A second place that says what the chain was, in other hands than the tables.
            let (link, number, hash) = (after.id.as_str(), head.receipts, receipt.hash.hex());
            tracing::info!(request_id, link, receipt = number, hash);
        }
        Ok(outcome == CommitOutcome::Committed)
    }

    fn put_lease(
        &self,
        link: &Link,
        hash: &SecretHash,
        lease: &Lease,
    ) -> Result<Write, StoreError> {
        let over = lease.ends_at.max(link.expires_at.as_second());
        built(self.put(lease_key(&link.id, hash), over + LEASE_REMEMBERED_SECONDS, lease)?)
    }

    fn put<T: Serialize>(
        &self,
        key: String,
        forget_at: i64,
        content: &T,
    ) -> Result<PutBuilder, StoreError> {
        let item: Item = to_item(content).map_err(StoreError::during("write a link"))?;
        Ok(Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .item("token_hash", AttributeValue::S(key))
            .item("forget_at", AttributeValue::N(forget_at.to_string())))
    }
}

/// Waits between attempts at something that others keep from being done.
struct Backoff {
    operation: &'static str,
    attempt: u32,
}

impl Backoff {
    fn new(operation: &'static str) -> Self {
        Self { operation, attempt: 0 }
    }

    /// # Errors
    /// After the last attempt.
    async fn wait(&mut self) -> Result<(), StoreError> {
        if self.attempt == ATTEMPTS {
            return Err(StoreError::because(self.operation, "too many others are at it"));
        }
        tokio::time::sleep(retry_delay(self.attempt)).await;
        self.attempt += 1;
        Ok(())
    }
}

/// What can be spent of a link.
fn token(link: &Link) -> TokenRecord {
    TokenRecord {
        token_hash: SecretHash::of_link(&link.id),
        kind: TokenKind::Download,
        user_id: link.user_id,
        expires_at: link.expires_at.as_second(),
    }
}

fn built(put: PutBuilder) -> Result<Write, StoreError> {
    Ok(put.build().map_err(StoreError::during("write a link"))?.into())
}

fn link_key(id: &LinkId) -> String {
    format!("{LINK}{id}")
}

fn lease_key(link: &LinkId, lease: &SecretHash) -> String {
    format!("lease#{link}#{}", lease.as_str())
}
