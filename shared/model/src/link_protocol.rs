//! What each request makes of a link and its lease.
//!
//! A function here takes what was read, and gives a refusal or a step. The Links table carries out a
//! step as one transaction, on condition that the chain of receipts still ends where it ended when
//! the link was read. When it does not, the table is read again, and the function asked again with
//! the time of that attempt.

#[cfg(test)]
mod model_check;

use jiff::Timestamp;

use crate::{
    Admission, ByteRange, ChainHead, ContentDigest, Coverage, DownloadRequest, FileRecord, Lease,
    LeaseTerms, Link, LinkId, LinkRefusal, LinkState, LinkTerms, ReceiptEvent, SealedReceipt,
    TransferOutcome, User, UserId,
};

/// A link, and the lease of it that a request brings.
///
/// The link is read before the lease. A lease changes only together with its link, so the condition
/// on the link's chain holds for both.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkAndLease {
    /// The link.
    pub link: Link,
    /// The lease, when there is one.
    pub lease: Option<Lease>,
}

/// What happens to a link, all of it in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkStep {
    /// When it happens.
    pub at: Timestamp,
    /// The link afterwards. Its chain still ends where it ended when the link was read, which is
    /// the transaction's condition.
    pub link: Link,
    /// The lease afterwards, when there is one.
    pub lease: Option<Lease>,
    /// What happens to the token.
    pub token: TokenStep,
    /// What the receipt says.
    pub event: ReceiptEvent,
}

/// What happens to the token of a link: to what can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenStep {
    /// It is put.
    Issue,
    /// It must be there and not have expired. It stays.
    Check,
    /// It must be there and not have expired. It is deleted.
    Delete,
    /// Nothing.
    Leave,
}

/// The start of a transfer: of the answer to a request for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransferStart {
    /// The number of the receipt with which it started.
    pub number: u32,
    /// What it is: a redemption of the link, or a resume.
    pub admission: Admission,
    /// The bytes that may go out.
    pub range: ByteRange,
}

/// What a client was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl LinkStep {
    /// The step's receipt, and the link with the end of its chain, as both are stored.
    #[must_use]
    pub fn seal(&self, request_id: &str) -> (SealedReceipt, Link) {
        let link = &self.link;
        let (receipt, chain) = link.chain.append(&link.id, self.at, request_id, self.event.clone());
        (receipt, Link { chain, ..link.clone() })
    }
}

/// A new link of `client` to `file`.
#[must_use]
pub fn create(
    id: LinkId,
    client: &User,
    file: &FileRecord,
    terms: LinkTerms,
    now: Timestamp,
) -> LinkStep {
    let link = Link {
        id,
        user_id: client.id,
        file_id: file.id,
        filename: file.filename.clone(),
        created_at: now,
        expires_at: terms.lifetime.end(now),
        max_downloads: terms.max_downloads,
        downloads: 0,
        bind: terms.bind,
        note: terms.note,
        revoked_at: None,
        notified: false,
        chain: ChainHead::default(),
    };
    let event = ReceiptEvent::Created {
        file_id: file.id,
        sha256: file.sha256,
        size: file.size,
        user_id: client.id,
        username: client.username.clone(),
        expires_at: link.expires_at,
        max_downloads: link.max_downloads,
        bind: link.bind,
        note: link.note.clone(),
    };
    LinkStep { at: now, link, lease: None, token: TokenStep::Issue, event }
}

/// The start of a transfer of `file`: redeems the link and leaves a lease, or resumes the download
/// that has the lease. The link decides which download `request` belongs to. How long the lease
/// lives, and how often it can be used, depends on the file's size.
///
/// # Errors
/// Why it may not start.
pub fn start(
    current: &LinkAndLease,
    request: &DownloadRequest,
    file: &FileRecord,
    terms: LeaseTerms,
    now: Timestamp,
) -> Result<(LinkStep, TransferStart), LinkRefusal> {
    let admission = current.link.admit(current.lease.as_ref(), now)?;
    let mut link = current.link.clone();
    let (lease, token) = if let Some(lease) = &current.lease {
        (Lease { resumes: lease.resumes + 1, ..lease.clone() }, TokenStep::Leave)
    } else {
        link.downloads += 1;
        let last = link.downloads == link.max_downloads.get();
        let lease = Lease {
            download: link.downloads,
            resumes: 0,
            max_resumes: Lease::max_resumes_of(file.size),
            ends_at: now.as_second().saturating_add(terms.lifetime_of(file.size)),
            covered: Coverage::default(),
        };
        (lease, if last { TokenStep::Delete } else { TokenStep::Check })
    };
    let request = DownloadRequest { download: lease.download, ..request.clone() };
    let started =
        TransferStart { number: link.chain.receipts + 1, admission, range: request.range };
    let event = match admission {
        Admission::Redeem => ReceiptEvent::Redeemed(request),
        Admission::Resume => ReceiptEvent::Resumed(request),
    };
    Ok((LinkStep { at: now, link, lease: Some(lease), token, event }, started))
}

/// The end of a transfer of `file`: no more bytes go out for it. With the last byte of the file the
/// lease ends, after its grace.
#[must_use]
pub fn finish(
    link: &Link,
    lease: &Lease,
    started: &TransferStart,
    sent: Sent,
    file: &FileRecord,
    terms: LeaseTerms,
    now: Timestamp,
) -> (LinkStep, TransferEnd) {
    let (mut link, mut lease) = (link.clone(), lease.clone());
    let (bytes, redirected) = match sent {
        Sent::Bytes(bytes) => (bytes, false),
        Sent::Redirect => (0, true),
    };
    let range = started.range;
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
        lease.ends_at = lease.ends_at.min(now.as_second() + terms.grace);
    }
    let all = matches!(outcome, TransferOutcome::Completed | TransferOutcome::Redirected);
    let notify = file.notify && all && !link.notified;
    link.notified |= notify;
    let (begun, download) = (started.number, lease.download);
    let event = ReceiptEvent::Ended { begun, download, bytes, outcome };
    let step = LinkStep { at: now, link, lease: Some(lease), token: TokenStep::Leave, event };
    (step, TransferEnd { outcome, notify })
}

/// The revocation of a link by `user`; `None` when it is revoked already.
#[must_use]
pub fn revoke(link: &Link, user: UserId, now: Timestamp) -> Option<LinkStep> {
    let token = match link.state(now) {
        LinkState::Live => TokenStep::Delete,
        // There is nothing to spend, but a download may go on.
        LinkState::Used | LinkState::Expired => TokenStep::Leave,
        LinkState::Revoked => return None,
    };
    let link = Link { revoked_at: Some(now), ..link.clone() };
    let event = ReceiptEvent::Revoked { user_id: user };
    Some(LinkStep { at: now, link, lease: None, token, event })
}

/// That what a link and its receipts say of its maker, whose account was deleted, is erased but for
/// the id. `first` is the hash that the text of the first receipt has from then on. `None` while the
/// link can be redeemed.
#[must_use]
pub fn erase(link: &Link, first: ContentDigest, now: Timestamp) -> Option<LinkStep> {
    if link.state(now) == LinkState::Live {
        return None;
    }
    let event = ReceiptEvent::Erased { user_id: link.user_id, first };
    let link = Link { note: None, ..link.clone() };
    Some(LinkStep { at: now, link, lease: None, token: TokenStep::Leave, event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ContentDigest, EmailAddress, FileId, FileName, LinkLifetime, MaxDownloads, Role, Username,
    };

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_redemption_leaves_a_lease_with_the_life_and_the_resumes_that_its_file_needs() {
        let now = Timestamp::from_second(1_000).unwrap();
        let name = |name| Username::parse(name).unwrap();
        let address = EmailAddress::parse("client@example.com").unwrap();
        let client =
            User::new(UserId::new(now, [0; 10]), name("client"), address, Role::Client, now);
        let terms = LinkTerms {
            max_downloads: MaxDownloads::ONE,
            lifetime: LinkLifetime::parse("60").unwrap(),
            bind: false,
            note: None,
        };
        for (size, ends_at, resumes) in [
            (MIB - 1, 1_600, 20),
            (MIB, 1_601, 20),
            (64 * MIB - 1, 1_663, 20),
            (64 * MIB, 1_664, 21),
            (64 * MIB + 1, 1_664, 21),
            (MIB * MIB, 1_050_176, 16_404),
        ] {
            let file = FileRecord {
                id: FileId::new(now, [0; 10]),
                filename: FileName::parse("a.txt").unwrap(),
                size,
                content_type: "text/plain".to_owned(),
                sha256: ContentDigest::of(b""),
                uploaded_by: name("ops"),
                uploader: None,
                uploaded_at: now,
                notify: false,
            };
            let created = create(LinkId::of_digest([0; 32]), &client, &file, terms.clone(), now);
            let current = LinkAndLease { link: created.link, lease: None };
            let range = ByteRange { first: 0, last: 0 };
            let (address, agent) = (String::new(), String::new());
            let request = DownloadRequest { download: 0, address, agent, range };
            let lease_terms = LeaseTerms { lifetime: 600, grace: 300 };
            let (step, _) = start(&current, &request, &file, lease_terms, now).unwrap();
            let lease = step.lease.unwrap();
            assert_eq!((lease.ends_at, lease.max_resumes), (ends_at, resumes), "{size}");
            // A resume changes neither.
            let current = LinkAndLease { link: step.link, lease: Some(lease) };
            let (step, _) = start(&current, &request, &file, lease_terms, now).unwrap();
            let lease = step.lease.unwrap();
            assert_eq!((lease.ends_at, lease.max_resumes), (ends_at, resumes), "{size}");
            assert_eq!(lease.resumes, 1);
        }
    }
}
