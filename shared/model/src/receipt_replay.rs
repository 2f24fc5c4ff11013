//! Whether the receipts of a link tell a story that can have happened, and whether all that is
//! stored of the link is as they tell it.
//!
//! The receipts are the evidence. The link's record, its token and its leases are what somebody who
//! may write to the table would change, so terms and counts are never taken from them: these follow
//! from the receipts.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::{
    ByteRange, Coverage, DownloadRequest, FileId, Lease, LeaseTerms, Link, LinkId, LinkLifetime,
    LinkNote, MaxDownloads, Receipt, ReceiptEvent, SealedReceipt, TokenKind, TransferOutcome,
    UserId, Username,
};

/// For how long events are kept, and a link and its receipts after the link's end: a year.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(365 * 24);

/// By how much a receipt may be older than the one before it. Functions run on machines with
/// clocks of their own, and may try for a quarter of a minute to write what they decided.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The most that the settings can permit.
const LONGEST_LEASE: LeaseTerms =
    LeaseTerms { lifetime: LeaseTerms::MAX_LIFETIME, grace: LeaseTerms::MAX_GRACE };

/// All that is stored of a link.
#[derive(Debug, Clone, Default)]
pub struct LinkRecords {
    /// The link's own record.
    pub link: Option<Link>,
    /// Its receipts, by their place.
    pub receipts: Vec<SealedReceipt>,
    /// What can be spent.
    pub token: Option<LinkToken>,
    /// Its leases.
    pub leases: Vec<Lease>,
    /// When it was made, as the keys of its receipts have it.
    pub key_times: Vec<Timestamp>,
    /// What else there is, and cannot be read.
    pub unreadable: Option<&'static str>,
}

/// What the Links table says of what can be spent.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkToken {
    /// What it is good for.
    pub kind: TokenKind,
    /// Whose it is.
    pub user_id: UserId,
    /// The first second in which it is no longer good, counted from 1970.
    pub expires_at: i64,
}

/// The first thing about a link that cannot be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy(String);

impl fmt::Display for Discrepancy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Discrepancy {}

impl Discrepancy {
    /// That `what` cannot be read.
    #[must_use]
    pub fn unreadable(what: &str) -> Self {
        Self(format!("{what} cannot be read"))
    }
}

/// What a link permits, as its first receipt says.
struct Terms {
    created_at: Timestamp,
    file_id: FileId,
    size: u64,
    user_id: UserId,
    username: Username,
    expires_at: Timestamp,
    max_downloads: MaxDownloads,
    bind: bool,
    note: Option<LinkNote>,
}

/// A download, as its receipts tell it.
struct Download {
    redeemed_at: Timestamp,
    resumes: u32,
    covered: Coverage,
    completed_at: Option<Timestamp>,
}

/// A transfer that has begun and not ended.
struct Transfer {
    download: u32,
    range: ByteRange,
}

/// What the receipts so far tell.
struct Story {
    terms: Terms,
    downloads: Vec<Download>,
    under_way: BTreeMap<u32, Transfer>,
    revoked_at: Option<Timestamp>,
    erased: bool,
    delivered: bool,
    last_at: Timestamp,
}

macro_rules! wrong {
    ($($text:tt)*) => {
        return Err(Discrepancy(format!($($text)*)))
    };
}

impl LinkRecords {
    /// Whether DynamoDB may have deleted some of it by `now`, so that there is nothing to verify.
    ///
    /// Every time that is stored of it must be a year ago: nothing has been verified yet, and to
    /// change one of them must not be enough to hide the link. Nothing can be older than the file.
    #[must_use]
    pub fn may_be_forgotten(&self, file: FileId, now: Timestamp) -> bool {
        let second = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let mut times = self.key_times.clone();
        for sealed in &self.receipts {
            let Ok(receipt) = serde_json::from_str::<Receipt>(&sealed.text) else { return false };
            times.push(receipt.at);
            if let ReceiptEvent::Created { expires_at, .. } = receipt.event {
                times.push(expires_at);
            }
        }
        times.extend(self.link.iter().flat_map(|link| [link.created_at, link.expires_at]));
        times.extend(self.token.iter().map(|token| second(token.expires_at)));
        times.extend(self.leases.iter().map(|lease| second(lease.ends_at)));
        let Some(last) = times.into_iter().max() else { return false };
        self.unreadable.is_none() && after(last.max(file.born_at()), RETENTION) <= now
    }

    /// Verifies all of it: the chain, the story that it tells, and that record, token and leases
    /// are as the story has left them.
    ///
    /// # Errors
    /// The first thing that cannot be right.
    pub fn verify(&self, file: FileId, id: &LinkId, now: Timestamp) -> Result<(), Discrepancy> {
        if let Some(what) = self.unreadable {
            return Err(Discrepancy::unreadable(what));
        }
        let Some(link) = &self.link else { wrong!("the link's own record is missing") };
        let head = link.chain;
        head.verify(id, &self.receipts).map_err(|broken| Discrepancy(broken.to_string()))?;
        let story = Story::of(&self.receipts, now)?;
        if story.terms.file_id != file {
            wrong!("receipt 1 is of a link to another file");
        }
        story.compare_link(link)?;
        story.compare_token(self.token.as_ref(), now)?;
        story.compare_leases(&self.leases, now)
    }
}

/// That the story which these receipts tell can have happened by `now`. That their chain holds is
/// another question.
///
/// # Errors
/// The first thing that cannot have happened.
pub(crate) fn ensure_possible(
    receipts: &[SealedReceipt],
    now: Timestamp,
) -> Result<(), Discrepancy> {
    Story::of(receipts, now).map(drop)
}

impl Story {
    fn of(receipts: &[SealedReceipt], now: Timestamp) -> Result<Self, Discrepancy> {
        let mut receipts = receipts.iter().map(|sealed| {
            serde_json::from_str(&sealed.text).map_err(|_| Discrepancy::unreadable("a receipt"))
        });
        let Some(first) = receipts.next() else { wrong!("there are no receipts") };
        let mut story = Self::begin(first?)?;
        for receipt in receipts {
            story.tell(receipt?)?;
        }
        if story.last_at > after(now, CLOCK_SKEW) {
            wrong!("the last receipt is from the future");
        }
        Ok(story)
    }

    fn begin(receipt: Receipt) -> Result<Self, Discrepancy> {
        let ReceiptEvent::Created {
            file_id,
            size,
            user_id,
            username,
            expires_at,
            max_downloads,
            bind,
            note,
            ..
        } = receipt.event
        else {
            wrong!("receipt 1 does not say that the link was created")
        };
        let lifetime = receipt.at.duration_until(expires_at);
        // The end of a link is a whole second.
        let longest = SignedDuration::from_secs(LinkLifetime::MAX_SECONDS);
        if lifetime > longest || lifetime < SignedDuration::from_secs(59) {
            wrong!("receipt 1 gives the link a lifetime that no link has");
        }
        if !(1..=MaxDownloads::MAX).contains(&max_downloads.get()) {
            wrong!("receipt 1 permits a number of downloads that no link has");
        }
        let terms = Terms {
            created_at: receipt.at,
            file_id,
            size,
            user_id,
            username,
            expires_at,
            max_downloads,
            bind,
            note,
        };
        Ok(Self {
            terms,
            downloads: Vec::new(),
            under_way: BTreeMap::new(),
            revoked_at: None,
            erased: false,
            delivered: false,
            last_at: receipt.at,
        })
    }

    fn tell(&mut self, receipt: Receipt) -> Result<(), Discrepancy> {
        let Receipt { number, at, .. } = receipt;
        if after(at, CLOCK_SKEW) < self.last_at {
            wrong!("receipt {number} is older than the one before it");
        }
        self.last_at = self.last_at.max(at);
        match receipt.event {
            ReceiptEvent::Created { .. } => {
                wrong!("receipt {number} says that the link was created once more")
            }
            ReceiptEvent::Redeemed(request) => self.redeem(number, at, &request),
            ReceiptEvent::Resumed(request) => self.resume(number, at, &request),
            ReceiptEvent::Ended { begun, download, bytes, outcome } => {
                self.end(number, at, begun, (download, bytes, outcome))
            }
            ReceiptEvent::Revoked { user_id } => {
                if self.revoked_at.is_some() {
                    wrong!("receipt {number} revokes the link once more");
                }
                if user_id != self.terms.user_id {
                    wrong!("receipt {number} revokes the link for somebody who did not make it");
                }
                self.revoked_at = Some(at);
                Ok(())
            }
            ReceiptEvent::Erased { user_id, .. } => self.erase(number, at, user_id),
        }
    }

    fn redeem(
        &mut self,
        number: u32,
        at: Timestamp,
        request: &DownloadRequest,
    ) -> Result<(), Discrepancy> {
        let count = self.count() + 1;
        let permitted = self.terms.max_downloads.get();
        if self.revoked_at.is_some() {
            wrong!("receipt {number} redeems the link after its revocation");
        }
        if at >= self.terms.expires_at {
            wrong!("receipt {number} redeems the link after its end");
        }
        if count > permitted {
            wrong!("receipt {number} is redemption {count}, and receipt 1 permits {permitted}");
        }
        if request.download != count {
            let claimed = request.download;
            wrong!("receipt {number} is redemption {count}, and calls itself {claimed}");
        }
        self.downloads.push(Download {
            redeemed_at: at,
            resumes: 0,
            covered: Coverage::default(),
            completed_at: None,
        });
        self.begin_transfer(number, request)
    }

    fn resume(
        &mut self,
        number: u32,
        at: Timestamp,
        request: &DownloadRequest,
    ) -> Result<(), Discrepancy> {
        let which = request.download;
        if self.revoked_at.is_some() {
            wrong!("receipt {number} resumes a download after the revocation");
        }
        let Some(download) = download(&mut self.downloads, which) else {
            wrong!("receipt {number} resumes download {which}, which was never redeemed")
        };
        download.resumes += 1;
        if download.resumes > Lease::max_resumes_of(self.terms.size) {
            wrong!("receipt {number} resumes download {which} more often than a lease permits");
        }
        if at >= download.latest_end(self.terms.size) {
            wrong!("receipt {number} resumes download {which} later than any lease lives");
        }
        self.begin_transfer(number, request)
    }

    fn begin_transfer(
        &mut self,
        number: u32,
        request: &DownloadRequest,
    ) -> Result<(), Discrepancy> {
        let range = request.range;
        if range.first > range.last || range.last >= self.terms.size {
            wrong!("receipt {number} is for bytes that the file does not have");
        }
        self.under_way.insert(number, Transfer { download: request.download, range });
        Ok(())
    }

    fn end(
        &mut self,
        number: u32,
        at: Timestamp,
        begun: u32,
        (which, bytes, outcome): (u32, u64, TransferOutcome),
    ) -> Result<(), Discrepancy> {
        let Some(transfer) = self.under_way.remove(&begun) else {
            wrong!(
                "receipt {number} ends a transfer that receipt {begun} did not begin, or that has ended"
            )
        };
        let range = transfer.range;
        if transfer.download != which {
            wrong!("receipt {number} ends a transfer of another download");
        }
        if bytes > range.length() {
            wrong!("receipt {number} is for more bytes than were asked for");
        }
        let Some(download) = download(&mut self.downloads, which) else {
            wrong!("receipt {number} ends a transfer of a download that was never redeemed")
        };
        if bytes > 0 {
            let last = range.first + bytes - 1;
            download.covered.add(ByteRange { first: range.first, last });
        }
        let whole = download.covered.is_whole(self.terms.size);
        let possible = match outcome {
            TransferOutcome::Completed => whole,
            TransferOutcome::Partial => !whole && bytes == range.length(),
            TransferOutcome::BrokenOff => !whole && bytes < range.length(),
            TransferOutcome::Redirected => bytes == 0,
        };
        if !possible {
            wrong!("receipt {number} has an outcome that does not fit the bytes");
        }
        if outcome == TransferOutcome::Completed {
            download.completed_at.get_or_insert(at);
        }
        self.delivered |=
            matches!(outcome, TransferOutcome::Completed | TransferOutcome::Redirected);
        Ok(())
    }

    fn erase(&mut self, number: u32, at: Timestamp, maker: UserId) -> Result<(), Discrepancy> {
        let terms = &self.terms;
        if self.erased {
            wrong!("receipt {number} erases the name once more");
        }
        if maker != terms.user_id {
            wrong!("receipt {number} erases the name of somebody who did not make the link");
        }
        let used = self.count() == terms.max_downloads.get();
        if !used && self.revoked_at.is_none() && at < terms.expires_at {
            wrong!("receipt {number} erases the name of a live link's maker");
        }
        if terms.username != Username::of_nobody() || terms.note.is_some() {
            wrong!("receipt 1 still has what receipt {number} erases");
        }
        self.erased = true;
        Ok(())
    }

    fn count(&self) -> u32 {
        u32::try_from(self.downloads.len()).unwrap_or(u32::MAX)
    }

    /// That the link's record says what has happened.
    fn compare_link(&self, link: &Link) -> Result<(), Discrepancy> {
        let terms = &self.terms;
        // The tables keep fractions of a second that receipts do not.
        let same =
            |one: Timestamp, other: Timestamp| one.as_millisecond() == other.as_millisecond();
        let revoked = match (link.revoked_at, self.revoked_at) {
            (Some(record), Some(story)) => same(record, story),
            (None, None) => true,
            _ => false,
        };
        for (field, right) in [
            ("user_id", link.user_id == terms.user_id),
            ("file_id", link.file_id == terms.file_id),
            ("created_at", same(link.created_at, terms.created_at)),
            ("expires_at", link.expires_at == terms.expires_at),
            ("max_downloads", link.max_downloads == terms.max_downloads),
            ("bind", link.bind == terms.bind),
            ("note", link.note == terms.note),
            ("downloads", link.downloads == self.count()),
            ("revoked_at", revoked),
            ("notified", !link.notified || self.delivered),
        ] {
            if !right {
                wrong!("the link's record has another {field} than its receipts tell");
            }
        }
        Ok(())
    }

    /// That the token is there as long as the link can be redeemed, and no longer.
    fn compare_token(&self, token: Option<&LinkToken>, now: Timestamp) -> Result<(), Discrepancy> {
        let terms = &self.terms;
        let used = self.count() == terms.max_downloads.get();
        // The revocation of a link that has expired has nothing to delete.
        let revoked = self.revoked_at.is_some_and(|at| at < terms.expires_at);
        let Some(token) = token else {
            if !used && !revoked && now < terms.expires_at {
                wrong!("the token of a live link is missing");
            }
            return Ok(());
        };
        if used {
            wrong!("the token of a used link is there again");
        }
        if revoked {
            wrong!("the token of a revoked link is there again");
        }
        if token.kind != TokenKind::Download {
            wrong!("the link's token is of another kind");
        }
        if token.user_id != terms.user_id {
            wrong!("the link's token belongs to another user than its receipts tell");
        }
        if token.expires_at != terms.expires_at.as_second() {
            wrong!("the link's token expires at another time than its receipts tell");
        }
        Ok(())
    }

    /// That each download has its lease, as far as it has been used, and that there are no others.
    /// Those that are over may have been deleted.
    fn compare_leases(&self, leases: &[Lease], now: Timestamp) -> Result<(), Discrepancy> {
        let mut seen = Vec::new();
        for lease in leases {
            let number = lease.download;
            let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            let Some(download) = place.and_then(|place| self.downloads.get(place)) else {
                wrong!("there is a lease of download {number}, which was never redeemed")
            };
            if seen.contains(&number) {
                wrong!("there are two leases of download {number}");
            }
            seen.push(number);
            if lease.resumes != download.resumes {
                wrong!("the lease of download {number} counts other resumes than the receipts");
            }
            if lease.max_resumes > Lease::max_resumes_of(self.terms.size) {
                wrong!("the lease of download {number} permits more resumes than any lease");
            }
            if lease.covered != download.covered {
                wrong!("the lease of download {number} has other bytes than the receipts");
            }
            if lease.ends_at > download.latest_end(self.terms.size).as_second() {
                wrong!("the lease of download {number} lives longer than any lease");
            }
        }
        for (download, number) in self.downloads.iter().zip(1..) {
            if now < download.earliest_deletion(self.terms.expires_at) && !seen.contains(&number) {
                wrong!("the lease of download {number} is missing");
            }
        }
        Ok(())
    }
}

impl Download {
    /// The first moment at which its lease is over, whatever the settings are, when the file has
    /// `size` bytes.
    fn latest_end(&self, size: u64) -> Timestamp {
        let longest = LONGEST_LEASE.lifetime_of(size);
        let grace = SignedDuration::from_secs(LONGEST_LEASE.grace);
        let end = after(self.redeemed_at, SignedDuration::from_secs(longest));
        self.completed_at.map_or(end, |at| end.min(after(at, grace)))
    }

    /// Until when, at least, its lease is stored: for a day after it and its link are over.
    fn earliest_deletion(&self, link_ends: Timestamp) -> Timestamp {
        after(link_ends.max(self.redeemed_at), SignedDuration::from_hours(24))
    }
}

fn download(downloads: &mut [Download], number: u32) -> Option<&mut Download> {
    downloads.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
}

fn after(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChainHead, Username};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn file() -> FileId {
        FileId::new(at(1_000), [0; 10])
    }

    fn id() -> LinkId {
        LinkId::of_digest([0; 32])
    }

    fn created() -> ReceiptEvent {
        ReceiptEvent::Created {
            file_id: file(),
            sha256: crate::ContentDigest::of(b""),
            size: 10,
            user_id: UserId::new(at(0), [0; 10]),
            username: Username::parse("client").unwrap(),
            expires_at: at(3_000),
            max_downloads: MaxDownloads::ONE,
            bind: false,
            note: None,
        }
    }

    fn revoked() -> ReceiptEvent {
        ReceiptEvent::Revoked { user_id: UserId::new(at(0), [0; 10]) }
    }

    fn sealed(second: i64, event: ReceiptEvent) -> SealedReceipt {
        ChainHead::default().append(&id(), at(second), "request", event).0
    }

    #[test]
    fn a_link_is_forgotten_a_year_after_the_last_time_that_is_stored_of_it() {
        let year = RETENTION.as_secs();
        let old = || LinkRecords {
            receipts: vec![sealed(2_000, created()), sealed(2_500, revoked())],
            ..LinkRecords::default()
        };
        let link = |created_at, expires_at| {
            let (created_at, expires_at) = (at(created_at), at(expires_at));
            let filename = crate::FileName::parse("a").unwrap();
            Some(Link {
                id: id(),
                user_id: UserId::new(at(0), [0; 10]),
                file_id: file(),
                filename,
                created_at,
                expires_at,
                max_downloads: MaxDownloads::ONE,
                downloads: 0,
                bind: false,
                note: None,
                revoked_at: None,
                notified: false,
                chain: ChainHead::default(),
            })
        };
        let (user_id, covered) = (UserId::new(at(0), [0; 10]), Coverage::default());
        let token = LinkToken { kind: TokenKind::Download, user_id, expires_at: 4_000 };
        let lease = Lease { download: 1, resumes: 0, max_resumes: 20, ends_at: 4_000, covered };
        for (records, end) in [
            (old(), 3_000),
            (LinkRecords { receipts: vec![sealed(2_500, revoked())], ..old() }, 2_500),
            // Nothing is older than its file.
            (LinkRecords { receipts: vec![sealed(10, revoked())], ..old() }, 1_000),
            // One that is younger is enough.
            (LinkRecords { receipts: vec![sealed(4_000, created())], ..old() }, 4_000),
            (LinkRecords { link: link(2_000, 4_000), ..old() }, 4_000),
            (LinkRecords { link: link(4_000, 2_000), ..old() }, 4_000),
            (LinkRecords { key_times: vec![at(2_000), at(4_000)], ..old() }, 4_000),
            (LinkRecords { token: Some(token), ..old() }, 4_000),
            (LinkRecords { leases: vec![lease], ..old() }, 4_000),
        ] {
            assert!(!records.may_be_forgotten(file(), at(end + year - 1)), "{records:?}");
            assert!(records.may_be_forgotten(file(), at(end + year)), "{records:?}");
        }
        let unreadable = SealedReceipt { text: "x".to_owned(), ..sealed(2_000, created()) };
        for records in [
            LinkRecords::default(),
            LinkRecords { unreadable: Some("a lease"), ..old() },
            LinkRecords { receipts: vec![sealed(2_000, created()), unreadable], ..old() },
        ] {
            assert!(!records.may_be_forgotten(file(), at(i64::from(u32::MAX))), "{records:?}");
        }
    }

    #[test]
    fn a_receipt_may_be_older_than_the_one_before_it_by_the_skew_of_clocks() {
        let skew = CLOCK_SKEW.as_secs();
        for (second, right) in [(2_000 - skew - 1, false), (2_000 - skew, true), (2_001, true)] {
            let mut story = Story::begin(receipt(1, 2_000, created())).unwrap();
            assert_eq!(story.tell(receipt(2, second, revoked())).is_ok(), right, "{second}");
        }
    }

    #[test]
    fn a_name_is_erased_once_from_a_link_that_is_over_and_by_whoever_made_it() {
        let first = crate::ContentDigest::of(b"");
        let maker = UserId::new(at(0), [0; 10]);
        let erased = |user_id| ReceiptEvent::Erased { user_id, first };
        let story = |nameless, events: Vec<(i64, ReceiptEvent)>| {
            let mut created = created();
            if let ReceiptEvent::Created { username, .. } = &mut created
                && nameless
            {
                *username = Username::of_nobody();
            }
            let mut story = Story::begin(receipt(1, 2_000, created)).unwrap();
            let events = events.into_iter().zip(2..);
            events
                .map(|((second, event), number)| story.tell(receipt(number, second, event)))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|wrong| wrong.to_string())
        };
        assert!(story(true, vec![(2_001, revoked()), (2_002, erased(maker))]).is_ok());
        assert!(story(true, vec![(3_000, erased(maker))]).is_ok(), "its time is over");
        let live = story(true, vec![(2_999, erased(maker))]).unwrap_err();
        assert_eq!(live, "receipt 2 erases the name of a live link's maker");
        let named = story(false, vec![(3_000, erased(maker))]).unwrap_err();
        assert_eq!(named, "receipt 1 still has what receipt 2 erases");
        let other = story(true, vec![(3_000, erased(UserId::new(at(1), [1; 10])))]).unwrap_err();
        assert_eq!(other, "receipt 2 erases the name of somebody who did not make the link");
        let twice = story(true, vec![(3_000, erased(maker)), (3_001, erased(maker))]).unwrap_err();
        assert_eq!(twice, "receipt 3 erases the name once more");
    }

    const MIB: u64 = 1024 * 1024;

    fn receipt(number: u32, second: i64, event: ReceiptEvent) -> Receipt {
        let (link, request_id) = (id(), String::new());
        Receipt { link, number, previous: None, at: at(second), request_id, event }
    }

    fn request() -> DownloadRequest {
        let (address, agent) = (String::new(), String::new());
        DownloadRequest { download: 1, address, agent, range: ByteRange { first: 0, last: 0 } }
    }

    /// A link to a file of `size` bytes that was redeemed in second 2000.
    fn redeemed(size: u64) -> Story {
        let ReceiptEvent::Created { file_id, sha256, user_id, username, .. } = created() else {
            unreachable!()
        };
        let created = ReceiptEvent::Created {
            file_id,
            sha256,
            size,
            user_id,
            username,
            expires_at: at(3_000),
            max_downloads: MaxDownloads::ONE,
            bind: false,
            note: None,
        };
        let mut story = Story::begin(receipt(1, 2_000, created)).unwrap();
        story.tell(receipt(2, 2_000, ReceiptEvent::Redeemed(request()))).unwrap();
        story
    }

    #[test]
    fn a_story_has_as_many_resumes_as_the_size_of_the_file_permits() {
        for (size, permitted) in
            [(10, 20), (64 * MIB - 1, 20), (64 * MIB, 21), (64 * MIB + 1, 21), (128 * MIB, 22)]
        {
            let mut story = redeemed(size);
            let mut resume = |number: u32| {
                let resumed = ReceiptEvent::Resumed(request());
                story.tell(receipt(number + 2, 2_001, resumed))
            };
            for number in 1..=permitted {
                assert_eq!(resume(number), Ok(()), "{size}, {number}");
            }
            let wrong = resume(permitted + 1).unwrap_err().to_string();
            assert!(wrong.contains("more often than a lease permits"), "{size}: {wrong}");
        }
    }

    #[test]
    fn a_story_has_resumes_for_as_long_as_the_size_of_the_file_permits() {
        let day = 86_400;
        for (size, seconds) in [
            (10, day),
            (MIB - 1, day),
            (MIB, day + 1),
            (64 * MIB - 1, day + 63),
            (64 * MIB, day + 64),
            (64 * MIB + 1, day + 64),
            (MIB * MIB, day + 1_048_576),
        ] {
            let resume = |second| {
                let resumed = ReceiptEvent::Resumed(request());
                redeemed(size).tell(receipt(3, second, resumed))
            };
            assert_eq!(resume(2_000 + seconds - 1), Ok(()), "{size}");
            let wrong = resume(2_000 + seconds).unwrap_err().to_string();
            assert!(wrong.contains("later than any lease lives"), "{size}: {wrong}");
        }
    }

    #[test]
    fn a_stored_lease_has_no_more_than_the_size_of_the_file_permits_and_may_have_less() {
        let end = 2_000 + 86_400 + 64;
        for (max_resumes, ends_at, says) in [
            (21, end, None),
            // One of a version that had 20 for all.
            (20, 2_600, None),
            (22, end, Some("permits more resumes than any lease")),
            (21, end + 1, Some("lives longer than any lease")),
        ] {
            let covered = Coverage::default();
            let lease = Lease { download: 1, resumes: 0, max_resumes, ends_at, covered };
            let compared = redeemed(64 * MIB).compare_leases(&[lease], at(2_001));
            match (compared, says) {
                (Ok(()), None) => {}
                (Err(wrong), Some(says)) => assert!(wrong.to_string().contains(says), "{wrong}"),
                (compared, _) => panic!("{max_resumes}, {ends_at}: {compared:?}"),
            }
        }
    }
}
