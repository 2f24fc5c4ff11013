//! Transfers: the requests for bytes that a link permits, and the leases with which they are
//! resumed.
//!
//! A transfer starts with a redemption of the link, which leaves a lease, or with a lease that is
//! there. It finishes when no more bytes go out. Both are changes of the link, with a receipt each.
//! A lease is the record `lease#<id of the link>#<hash of the lease>` of the Links table.

use share_auth::SecretHash;
use share_model::link_protocol::{self, LinkAndLease, LinkStep, Sent, TransferEnd, TransferStart};
use share_model::{DownloadRequest, FileRecord, LeaseTerms, LinkId, LinkRefusal, ReceiptEvent};

use crate::table::{Condition, Key, absent};
use crate::transaction::Backoff;
use crate::{Links, Platform, RequestContext, StartError, StoreError};

/// For how long a lease is told apart from one that never was, after it and its link are over: a
/// day.
const LEASE_REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

/// The transfers of links.
#[derive(Clone)]
pub struct Transfers {
    links: Links,
}

/// A transfer that has started.
#[derive(Debug, Clone)]
pub struct Transfer {
    link: LinkId,
    lease: SecretHash,
    /// How it started.
    pub start: TransferStart,
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

    /// Starts a transfer of `file`, when the link admits it: redeems the link and puts its lease, or
    /// resumes a download that has the lease. `current` is what the caller has seen of the link; the
    /// transaction holds only if that is still so.
    ///
    /// # Errors
    /// When the tables do not answer. Then the transfer may or may not have started: the same
    /// request with the same lease continues the same download.
    pub async fn start_transfer(
        &self,
        mut current: LinkAndLease,
        lease: &SecretHash,
        request: &DownloadRequest,
        file: &FileRecord,
        terms: LeaseTerms,
        context: RequestContext<'_>,
    ) -> Result<Result<Transfer, LinkRefusal>, StoreError> {
        let link = current.link.id.clone();
        let mut backoff = Backoff::new("start a transfer");
        loop {
            let now = (context.clock)();
            let (step, start) = match link_protocol::start(&current, request, file, terms, now) {
                Ok(started) => started,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if self.change(&step, lease, context).await? {
                return Ok(Ok(Transfer { link, lease: lease.clone(), start }));
            }
            backoff.wait().await?;
            let found = self.find(&link, Some(lease)).await?;
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
            let Some(LinkAndLease { link, lease: Some(lease) }) = found else {
                return Err(StoreError::because("finish a transfer", "its link or lease is gone"));
            };
            let (start, now) = (&transfer.start, (context.clock)());
            let (step, end) = link_protocol::finish(&link, &lease, start, sent, file, terms, now);
            if self.change(&step, &transfer.lease, context).await? {
                return Ok(end);
            }
            backoff.wait().await?;
        }
    }

    /// Carries out a step of a link, and of the lease with this hash.
    async fn change(
        &self,
        step: &LinkStep,
        hash: &SecretHash,
        context: RequestContext<'_>,
    ) -> Result<bool, StoreError> {
        let put = step.lease.as_ref().map(|lease| {
            let until =
                lease.ends_at.max(step.link.expires_at.as_second()) + LEASE_REMEMBERED_SECONDS;
            // What it holds cannot have changed: that takes a change of the link.
            let condition = match step.event {
                ReceiptEvent::Redeemed(_) => absent("pk"),
                _ => Condition::new("attribute_exists(pk)"),
            };
            self.links.table.put_until(&lease_key(&step.link.id, hash), lease, until, &condition)
        });
        Ok(self.links.change(step, put, context.request_id).await?.is_some())
    }
}

fn lease_key(link: &LinkId, lease: &SecretHash) -> Key {
    Key::new("pk", format!("lease#{link}#{}", lease.as_str()))
}
