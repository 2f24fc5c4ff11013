//! Delivery certificates: what became of a link, in a form that can be kept and checked elsewhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json_schema::moment;
use crate::receipt_replay::ensure_possible;
use crate::{
    ChainBreak, ChainHead, ContentDigest, Discrepancy, DownloadRequest, FileId, FileName, LinkId,
    LinkNote, MaxDownloads, Receipt, ReceiptEvent, SealedReceipt, TransferOutcome, UserId,
    Username, rfc3339_millis,
};

/// What a certificate says. It is signed as it stands here.
///
/// Everything in `delivery` follows from the receipts, and whoever has the certificate can derive
/// it once more. For the rest there is the issuer's word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The address of the service that issued it.
    pub iss: String,
    /// When, in seconds since 1970.
    pub iat: i64,
    /// The link.
    pub sub: LinkId,
    /// The file's name.
    pub filename: FileName,
    /// Who uploaded the file; none when the file is not there any more.
    pub uploaded_by: Option<Username>,
    /// What happened, as the receipts tell it.
    pub delivery: Delivery,
    /// All receipts of the link, the first one first.
    pub receipts: Vec<SealedReceipt>,
}

/// What the receipts of a link tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The file.
    pub file_id: FileId,
    /// The digest of the file's bytes.
    pub sha256: ContentDigest,
    /// Their number.
    pub size: u64,
    /// The id of the Client that made the link.
    pub user_id: UserId,
    /// The Client's name at that time.
    pub username: Username,
    /// When the link was made.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "moment")]
    pub created_at: Timestamp,
    /// The first moment at which it could no longer be redeemed.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "moment")]
    pub expires_at: Timestamp,
    /// How often it could be redeemed.
    pub max_downloads: MaxDownloads,
    /// Whether only the Client itself could redeem it.
    pub bind: bool,
    /// The Client's note.
    pub note: Option<LinkNote>,
    /// When the Client took it back.
    pub revoked_at: Option<Moment>,
    /// Its downloads, in order.
    pub downloads: Vec<CertifiedDownload>,
}

/// A moment that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Moment(
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "moment")]
    pub Timestamp,
);

/// One redemption of a link, and all that was sent for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedDownload {
    /// When every byte of the file had been sent; none when not all were, or S3 sent them.
    pub completed_at: Option<Moment>,
    /// The requests that were answered with bytes, in order: the first one redeemed the link, the
    /// others resumed.
    pub transfers: Vec<CertifiedTransfer>,
}

/// A request for bytes, and how its answer ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedTransfer {
    /// When it began.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "moment")]
    pub begun_at: Timestamp,
    /// The address from which the request came.
    pub address: String,
    /// The program from which it came, as it calls itself.
    pub agent: String,
    /// The first byte that it asked for.
    pub first_byte: u64,
    /// The last one.
    pub last_byte: u64,
    /// How it ended; none when nothing says so. Then up to all of these bytes have been sent.
    pub end: Option<CertifiedEnd>,
}

/// The end of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedEnd {
    /// When no more bytes were sent.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "moment")]
    pub at: Timestamp,
    /// How many were.
    pub bytes: u64,
    /// How it ended.
    pub outcome: TransferOutcome,
}

/// Why a certificate contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// The chain of receipts does not hold.
    #[error("{0}")]
    Chain(ChainBreak),
    /// What the receipts tell cannot have happened.
    #[error("{0}")]
    Story(Discrepancy),
    /// The receipts tell something else.
    #[error("what it says of the delivery is not what its receipts tell")]
    Delivery,
}

impl Certificate {
    /// Whether its receipts are a whole chain, can have happened by the time of issue, and tell what
    /// it says of the delivery.
    ///
    /// # Errors
    /// Where it contradicts itself.
    pub fn verify(&self) -> Result<(), CertificateFault> {
        let issued_at = Timestamp::from_second(self.iat).unwrap_or(Timestamp::MIN);
        if Delivery::of(&self.sub, &self.receipts, issued_at)? == self.delivery {
            Ok(())
        } else {
            Err(CertificateFault::Delivery)
        }
    }

    /// What a certificate says, for a person. Its texts are quoted: they may hold anything.
    #[must_use]
    pub fn summary(&self) -> String {
        let Certificate { iss, iat, sub, filename, uploaded_by, delivery, receipts } = self;
        let issued = Timestamp::from_second(*iat).unwrap_or_default();
        let uploader = uploaded_by.as_ref().map_or("nobody known", Username::as_str);
        let mut lines = vec![
            format!("good: issued by {iss:?} at {issued}"),
            format!(
                "link {sub}, of {:?}, made at {}",
                delivery.username.as_str(),
                delivery.created_at
            ),
            format!(
                "file {:?}, {} bytes, uploaded by {uploader:?}",
                filename.as_str(),
                delivery.size
            ),
            format!("SHA-256 {}", delivery.sha256.hex()),
        ];
        for (download, number) in delivery.downloads.iter().zip(1..) {
            let end = match (&download.completed_at, download.transfers.last()) {
                (Some(Moment(at)), _) => format!("every byte was sent by {at}"),
                (None, Some(CertifiedTransfer { end: Some(end), .. }))
                    if end.outcome == TransferOutcome::Redirected =>
                {
                    format!("sent to S3 at {}", end.at)
                }
                _ => "not every byte is known to have been sent".to_owned(),
            };
            lines.push(format!("download {number}: {end}"));
            for transfer in &download.transfers {
                let (first, last) = (transfer.first_byte, transfer.last_byte);
                let (at, from, agent) = (transfer.begun_at, &transfer.address, &transfer.agent);
                lines.push(format!("  {at} bytes {first} to {last}, for {from:?} with {agent:?}"));
            }
        }
        if let Some(Moment(at)) = delivery.revoked_at {
            lines.push(format!("revoked at {at}"));
        }
        lines.push(format!("receipts {}, a whole chain", receipts.len()));
        lines.join("\n") + "\n"
    }
}

impl Delivery {
    /// What these receipts, which are all of the link's, tell.
    ///
    /// # Errors
    /// Where they are not a whole chain, or tell what cannot have happened by `now`.
    pub fn of(
        link: &LinkId,
        receipts: &[SealedReceipt],
        now: Timestamp,
    ) -> Result<Self, CertificateFault> {
        let count = u32::try_from(receipts.len()).unwrap_or(u32::MAX);
        let hash = receipts.last().map(|last| last.hash);
        let head = ChainHead { receipts: count, hash };
        head.verify(link, receipts).map_err(CertificateFault::Chain)?;
        for (sealed, number) in receipts.iter().zip(1..) {
            if sealed.link != *link {
                return Err(CertificateFault::Chain(ChainBreak::Changed(number)));
            }
        }
        ensure_possible(receipts, now).map_err(CertificateFault::Story)?;
        let mut receipts =
            receipts.iter().filter_map(|sealed| serde_json::from_str::<Receipt>(&sealed.text).ok());
        let missing = CertificateFault::Chain(ChainBreak::Missing(1));
        let mut story = receipts.next().and_then(Story::begin).ok_or(missing)?;
        for receipt in receipts {
            story.tell(receipt);
        }
        Ok(story.delivery)
    }
}

/// What the receipts so far tell. That it is possible has been checked before.
struct Story {
    delivery: Delivery,
    /// By the number of the receipt with which it began: the places of its download and of itself.
    under_way: BTreeMap<u32, (usize, usize)>,
}

impl Story {
    /// `None` when a link does not begin with this receipt.
    fn begin(receipt: Receipt) -> Option<Self> {
        let ReceiptEvent::Created {
            file_id,
            sha256,
            size,
            user_id,
            username,
            expires_at,
            max_downloads,
            bind,
            note,
        } = receipt.event
        else {
            return None;
        };
        let delivery = Delivery {
            file_id,
            sha256,
            size,
            user_id,
            username,
            created_at: receipt.at,
            expires_at,
            max_downloads,
            bind,
            note,
            revoked_at: None,
            downloads: Vec::new(),
        };
        Some(Self { delivery, under_way: BTreeMap::new() })
    }

    fn tell(&mut self, receipt: Receipt) {
        let Receipt { number, at, event, .. } = receipt;
        match event {
            // The first one no longer says what was erased.
            ReceiptEvent::Created { .. } | ReceiptEvent::Erased { .. } => {}
            ReceiptEvent::Redeemed(request) => {
                let download = CertifiedDownload { completed_at: None, transfers: Vec::new() };
                self.delivery.downloads.push(download);
                self.transfer(number, at, request);
            }
            ReceiptEvent::Resumed(request) => self.transfer(number, at, request),
            ReceiptEvent::Ended { begun, bytes, outcome, .. } => {
                self.end(begun, CertifiedEnd { at, bytes, outcome });
            }
            ReceiptEvent::Revoked { .. } => self.delivery.revoked_at = Some(Moment(at)),
        }
    }

    fn transfer(&mut self, number: u32, at: Timestamp, request: DownloadRequest) {
        let DownloadRequest { download, address, agent, range } = request;
        let place = usize::try_from(download).unwrap_or_default().saturating_sub(1);
        let Some(download) = self.delivery.downloads.get_mut(place) else { return };
        self.under_way.insert(number, (place, download.transfers.len()));
        download.transfers.push(CertifiedTransfer {
            begun_at: at,
            address,
            agent,
            first_byte: range.first,
            last_byte: range.last,
            end: None,
        });
    }

    fn end(&mut self, begun: u32, end: CertifiedEnd) {
        let Some((place, transfer)) = self.under_way.remove(&begun) else { return };
        let Some(download) = self.delivery.downloads.get_mut(place) else { return };
        if end.outcome == TransferOutcome::Completed {
            download.completed_at.get_or_insert(Moment(end.at));
        }
        if let Some(transfer) = download.transfers.get_mut(transfer) {
            transfer.end = Some(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ByteRange;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn link() -> LinkId {
        LinkId::parse(&"a".repeat(43)).unwrap()
    }

    fn someone() -> UserId {
        UserId::new(at(1), [1; 10])
    }

    /// A link for two downloads of ten bytes, which ends at 100.
    fn created() -> ReceiptEvent {
        ReceiptEvent::Created {
            file_id: FileId::new(at(1), [2; 10]),
            sha256: ContentDigest::of(b"0123456789"),
            size: 10,
            user_id: someone(),
            username: Username::parse("client").unwrap(),
            expires_at: at(100),
            max_downloads: MaxDownloads::new(2).unwrap(),
            bind: false,
            note: None,
        }
    }

    fn request(download: u32, first: u64, last: u64) -> DownloadRequest {
        let (address, agent) = ("192.0.2.1".to_owned(), "curl".to_owned());
        DownloadRequest { download, address, agent, range: ByteRange { first, last } }
    }

    fn redeemed(download: u32) -> ReceiptEvent {
        ReceiptEvent::Redeemed(request(download, 0, 9))
    }

    fn resumed(download: u32) -> ReceiptEvent {
        ReceiptEvent::Resumed(request(download, 4, 9))
    }

    fn ended(begun: u32, download: u32, bytes: u64, outcome: TransferOutcome) -> ReceiptEvent {
        ReceiptEvent::Ended { begun, download, bytes, outcome }
    }

    fn revoked() -> ReceiptEvent {
        ReceiptEvent::Revoked { user_id: someone() }
    }

    /// The chain of these events, one every ten seconds from the tenth on.
    fn chain(events: Vec<ReceiptEvent>) -> Vec<SealedReceipt> {
        let mut head = ChainHead::default();
        let mut receipts = Vec::new();
        for (event, number) in events.into_iter().zip(1..) {
            let (receipt, next) = head.append(&link(), at(10 * number), "request", event);
            receipts.push(receipt);
            head = next;
        }
        receipts
    }

    #[test]
    fn a_delivery_is_what_the_receipts_tell_of_each_download() {
        use TransferOutcome::{BrokenOff, Completed};
        let receipts = chain(vec![
            created(),
            redeemed(1),
            ended(2, 1, 4, BrokenOff),
            resumed(1),
            redeemed(2),
            ended(4, 1, 6, Completed),
            revoked(),
        ]);
        let delivery = Delivery::of(&link(), &receipts, at(100)).unwrap();
        assert_eq!(delivery.revoked_at, Some(Moment(at(70))));
        let [first, second] = delivery.downloads.as_slice() else { panic!("{delivery:?}") };
        assert_eq!(first.completed_at, Some(Moment(at(60))));
        let ends: Vec<_> = first.transfers.iter().map(|it| it.end.clone().unwrap()).collect();
        assert_eq!((ends[0].bytes, ends[0].outcome), (4, BrokenOff));
        assert_eq!((ends[1].bytes, ends[1].outcome), (6, Completed));
        assert_eq!(second.completed_at, None);
        assert_eq!(second.transfers[0].end, None);
        let json = serde_json::to_string(&delivery).unwrap();
        assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), delivery);
    }

    #[test]
    fn receipts_that_cannot_follow_each_other_are_no_delivery() {
        use TransferOutcome::Completed;
        let late = || ended(2, 1, 10, Completed);
        for (number, events) in [
            (1, vec![redeemed(1)]),
            (2, vec![created(), created()]),
            (2, vec![created(), redeemed(2)]),
            (2, vec![created(), resumed(1)]),
            (2, vec![created(), late()]),
            (3, vec![created(), redeemed(1), redeemed(1)]),
            (3, vec![created(), redeemed(1), ended(2, 2, 10, Completed)]),
            (3, vec![created(), redeemed(1), ended(2, 1, 11, Completed)]),
            (3, vec![created(), redeemed(1), ended(2, 1, 1, Completed)]),
            (23, [vec![created(), redeemed(1)], vec![resumed(1); 21]].concat()),
            (4, vec![created(), redeemed(1), late(), late()]),
            (4, vec![created(), redeemed(1), redeemed(2), redeemed(3)]),
            (3, vec![created(), revoked(), redeemed(1)]),
            (3, vec![created(), revoked(), revoked()]),
            (4, vec![created(), redeemed(1), revoked(), resumed(1)]),
            (2, vec![created(), ReceiptEvent::Redeemed(request(1, 0, 10))]),
            (10, [vec![created(), redeemed(1)], vec![resumed(1); 7], vec![redeemed(2)]].concat()),
        ] {
            let told = Delivery::of(&link(), &chain(events.clone()), at(1_000));
            let Err(CertificateFault::Story(wrong)) = told else { panic!("{events:?}") };
            assert!(wrong.to_string().starts_with(&format!("receipt {number} ")), "{wrong}");
        }
        assert!(Delivery::of(&link(), &[], at(1_000)).is_err());
        let receipts = chain(vec![created(), revoked()]);
        let possible_at = |now| Delivery::of(&link(), &receipts, now).is_ok();
        assert!(!possible_at(at(-41)), "the receipt of second 20 is more than 60 seconds ahead");
        assert!(possible_at(at(-40)));
    }
}
