//! Transfers: the requests for bytes that a link permits, and the leases with which they are
//! resumed.
//!
//! A transfer starts with a redemption of the link, which leaves a lease, or with a lease that is
//! there. It finishes when no more bytes go out. Both are changes of the link, with a receipt each.
//! A lease is the record `lease#<id of the link>#<hash of the lease>` of the Links table.

use share_auth::SecretHash;
use share_model::{
    Admission, ByteRange, Coverage, DownloadRequest, FileRecord, Lease, LeaseTerms, Link, LinkId,
    LinkRefusal, ReceiptEvent, TransferOutcome,
};

use crate::links::token;
use crate::table::{Key, always};
use crate::transaction::{Backoff, Write};
use crate::{Links, Platform, RequestContext, StartError, StoreError};

/// For how long a lease is told apart from one that never was, after it and its link are over: a
/// day.
const LEASE_REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

/// The transfers of links.
#[derive(Clone)]
pub struct Transfers {
    links: Links,
}

/// A link, and the lease of it that a request brings.
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
    /// The number of the receipt with which it started.
    number: u32,
    /// What it is: a redemption of the link, or a resume.
    pub admission: Admission,
    request: DownloadRequest,
    /// How long, in seconds from the request, it can be resumed.
    pub lease_seconds: i64,
}

/// What a client was sent.
#[derive(Debug, Clone, Copy)]
pub enum Sent {
    /// So many bytes.
    Bytes(u64),
    /// The address at which S3 gives it the bytes.
    Redirect,
}

/// What has become of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferEnd {
    /// How it ended.
    pub outcome: TransferOutcome,
    /// Whether it was the first of its link to complete. Then the caller tells the uploader: nobody
    /// else will.
    pub notify: bool,
}

impl Transfers {
    /// # Errors
    /// When `LINKS_TABLE` or `AUDIT_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { links: Links::connect(platform)? })
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
        let Some(link) = self.links.find(id).await? else { return Ok(None) };
        let lease = match lease {
            Some(hash) => self.links.table.get(&lease_key(id, hash)).await?,
            None => None,
        };
        Ok(Some(LinkAndLease { link, lease }))
    }

    /// Starts a transfer, when the link admits it: redeems the link and puts its lease, or resumes
    /// a download that has the lease. `current` is what the caller has seen of the link; the
    /// transaction holds only if that is still so.
    ///
    /// # Errors
    /// When the tables do not answer. Then the transfer may or may not have started: the same
    /// request with the same lease continues the same download.
    pub async fn start_transfer(
        &self,
        mut current: LinkAndLease,
        lease_hash: &SecretHash,
        mut request: DownloadRequest,
        terms: LeaseTerms,
        context: RequestContext<'_>,
    ) -> Result<Result<Transfer, LinkRefusal>, StoreError> {
        let mut backoff = Backoff::new("start a transfer");
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
                let (tokens, token, now) = (&self.links.tokens, token(before), context.now);
                writes.push(if after.downloads == before.max_downloads.get() {
                    tokens.delete_spendable(&token, now)
                } else {
                    tokens.check_spendable(&token, now)
                });
                let ends_at = now.as_second() + terms.lifetime;
                let (download, covered) = (after.downloads, Coverage::default());
                Lease { download, resumes: 0, ends_at, covered }
            };
            writes.push(self.put_lease(before, lease_hash, &lease));
            request.download = lease.download;
            let event = match admission {
                Admission::Redeem => ReceiptEvent::Redeemed(request.clone()),
                Admission::Resume => ReceiptEvent::Resumed(request.clone()),
            };
            if self.links.change(before, after, event, context, writes).await? {
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
            current =
                found.ok_or_else(|| StoreError::because("start a transfer", "its link is gone"))?;
        }
    }

    /// Finishes a transfer: no more of `file` goes out for it. With the last byte of the file the
    /// lease ends, after its grace.
    ///
    /// # Errors
    /// When the tables do not answer. Then the lease stays as it is.
    pub async fn finish_transfer(
        &self,
        transfer: &Transfer,
        sent: Sent,
        file: &FileRecord,
        terms: LeaseTerms,
        context: RequestContext<'_>,
    ) -> Result<TransferEnd, StoreError> {
        let mut backoff = Backoff::new("finish a transfer");
        loop {
            let found = self.find(&transfer.link, Some(&transfer.lease)).await?;
            let Some(LinkAndLease { link: before, lease: Some(mut lease) }) = found else {
                return Err(StoreError::because("finish a transfer", "its link or lease is gone"));
            };
            let range = transfer.request.range;
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
            let writes = vec![self.put_lease(&before, &transfer.lease, &lease)];
            let (begun, download) = (transfer.number, lease.download);
            let event = ReceiptEvent::Ended { begun, download, bytes, outcome };
            if self.links.change(&before, after, event, context, writes).await? {
                return Ok(TransferEnd { outcome, notify });
            }
            backoff.wait().await?;
        }
    }

    fn put_lease(&self, link: &Link, hash: &SecretHash, lease: &Lease) -> Write {
        let over = lease.ends_at.max(link.expires_at.as_second());
        let key = lease_key(&link.id, hash);
        self.links.table.put_until(&key, lease, over + LEASE_REMEMBERED_SECONDS, &always())
    }
}

fn lease_key(link: &LinkId, lease: &SecretHash) -> Key {
    Key::new("pk", format!("lease#{link}#{}", lease.as_str()))
}
