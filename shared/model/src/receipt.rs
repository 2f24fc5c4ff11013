//! Receipts: what happened to a link, in a chain in which nothing can be changed or left out
//! unnoticed.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ByteRange, ContentDigest, FileId, LinkId, LinkNote, MaxDownloads, UserId, Username,
    rfc3339_millis,
};

/// One entry of a link's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The link.
    pub link: LinkId,
    /// Its place in the link's chain, counted from 1.
    pub number: u32,
    /// The hash of the receipt before it; none before the first.
    pub previous: Option<ContentDigest>,
    /// When it happened.
    #[serde(with = "rfc3339_millis")]
    pub at: Timestamp,
    /// The request in which it happened, as in the logs.
    pub request_id: String,
    /// What happened.
    #[serde(flatten)]
    pub event: ReceiptEvent,
}

/// What can happen to a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ReceiptEvent {
    /// A Client made it.
    Created {
        /// The file to which it leads.
        file_id: FileId,
        /// The digest of the file's bytes.
        sha256: ContentDigest,
        /// The number of the file's bytes.
        size: u64,
        /// The Client.
        user_id: UserId,
        /// The Client's name.
        username: Username,
        /// The first moment at which it can no longer be redeemed.
        #[serde(with = "rfc3339_millis")]
        expires_at: Timestamp,
        /// How often it can be redeemed.
        max_downloads: MaxDownloads,
        /// Whether only the Client itself can redeem it.
        bind: bool,
        /// The Client's note.
        note: Option<LinkNote>,
    },
    /// Somebody redeemed it, and bytes may go out from here on.
    Redeemed(DownloadRequest),
    /// The download went on after a break, and bytes may go out from here on.
    Resumed(DownloadRequest),
    /// No more bytes go out for one of the two above.
    Ended {
        /// The number of the receipt with which it began.
        begun: u32,
        /// Which of the link's downloads it belongs to.
        download: u32,
        /// The bytes sent since then.
        bytes: u64,
        /// How it ended.
        outcome: TransferOutcome,
    },
    /// The Client took it back.
    Revoked {
        /// The Client.
        user_id: UserId,
    },
    /// The Client's account was deleted, and what the first receipt said of its owner was erased.
    Erased {
        /// The Client.
        user_id: UserId,
        /// The SHA-256 of the first receipt's text from then on. Its hash stays the one with which
        /// it was written, which the second receipt names.
        first: ContentDigest,
    },
}

/// A request for bytes, and who sent it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DownloadRequest {
    /// Which of the link's downloads it belongs to, counted from 1.
    pub download: u32,
    /// The address from which it came, as the gateway saw it.
    pub address: String,
    /// The program from which it came, as it calls itself; at most 200 characters.
    pub agent: String,
    /// The bytes that it may get, at most.
    #[serde(flatten)]
    pub range: ByteRange,
}

/// How the answer to a request for bytes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// With it, every byte of the file has been sent.
    Completed,
    /// All that was asked for was sent, but not yet every byte of the file.
    Partial,
    /// The connection to the client or to S3 broke before that.
    BrokenOff,
    /// The client was sent to S3, which gives it the bytes. None were sent here, and how many S3
    /// sends is not known here.
    Redirected,
}

/// A receipt as the Audit table holds it: its text, and the text's SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SealedReceipt {
    /// The link whose chain it belongs to.
    pub link: LinkId,
    /// The receipt as JSON. The very text, because the hash is that of these bytes.
    #[serde(rename = "receipt")]
    pub text: String,
    /// The SHA-256 of the text with which it was written. Another text is right only in the first
    /// receipt, and only as [`ReceiptEvent::Erased`] says.
    pub hash: ContentDigest,
}

impl SealedReceipt {
    /// The first receipt of a link without what it says of its maker but for the id. `None` of
    /// another receipt.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a receipt is a struct of strings and numbers")]
    pub fn without_names(&self) -> Option<Self> {
        let mut receipt: Receipt = serde_json::from_str(&self.text).ok()?;
        let ReceiptEvent::Created { username, note, .. } = &mut receipt.event else { return None };
        (*username, *note) = (Username::of_nobody(), None);
        let text = serde_json::to_string(&receipt).expect("a receipt serializes");
        Some(Self { text, ..self.clone() })
    }
}

/// Where a link's chain of receipts ends, as the link's own record says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChainHead {
    /// How many receipts there are.
    pub receipts: u32,
    /// The hash of the last one.
    #[serde(rename = "last_receipt")]
    pub hash: Option<ContentDigest>,
}

impl ChainHead {
    /// The receipt that comes next, and the head that it leads to.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a receipt is a struct of strings and numbers")]
    pub fn append(
        self,
        link: &LinkId,
        at: Timestamp,
        request_id: &str,
        event: ReceiptEvent,
    ) -> (SealedReceipt, Self) {
        let receipt = Receipt {
            link: link.clone(),
            number: self.receipts + 1,
            previous: self.hash,
            at,
            request_id: request_id.to_owned(),
            event,
        };
        let text = serde_json::to_string(&receipt).expect("a receipt serializes");
        let hash = ContentDigest::of(text.as_bytes());
        let head = Self { receipts: receipt.number, hash: Some(hash) };
        (SealedReceipt { link: link.clone(), text, hash }, head)
    }

    /// Whether `chain` is all of the receipts of `link`, from the first to this head, unchanged.
    ///
    /// # Errors
    /// Where it is not.
    pub fn verify(self, link: &LinkId, chain: &[SealedReceipt]) -> Result<(), ChainBreak> {
        let mut head = Self::default();
        // The hash that the text of the first receipt has, and the one that it must have.
        let (mut first, mut expected) = (None, None);
        for sealed in chain {
            let number = head.receipts + 1;
            let digest = ContentDigest::of(sealed.text.as_bytes());
            if number == 1 {
                (first, expected) = (Some(digest), Some(sealed.hash));
            } else if digest != sealed.hash {
                return Err(ChainBreak::Changed(number));
            }
            let receipt: Receipt =
                serde_json::from_str(&sealed.text).map_err(|_| ChainBreak::Changed(number))?;
            if receipt.number != number || receipt.link != *link {
                return Err(ChainBreak::Missing(number));
            }
            if receipt.previous != head.hash {
                return Err(ChainBreak::Changed(head.receipts));
            }
            if let ReceiptEvent::Erased { first, .. } = receipt.event {
                expected = Some(first);
            }
            head = Self { receipts: number, hash: Some(sealed.hash) };
        }
        if first != expected {
            return Err(ChainBreak::Changed(1));
        }
        match head.receipts {
            receipts if receipts < self.receipts => Err(ChainBreak::Missing(receipts + 1)),
            receipts if head != self => Err(ChainBreak::Changed(receipts)),
            _ => Ok(()),
        }
    }
}

/// The first place at which a chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainBreak {
    /// The receipt of this number is not as it was written.
    Changed(u32),
    /// The receipt of this number is not there.
    Missing(u32),
}

impl fmt::Display for ChainBreak {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(number) => write!(formatter, "receipt {number} has been changed"),
            Self::Missing(number) => write!(formatter, "receipt {number} is missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_of_a_chain_is_said_with_the_number_of_the_receipt() {
        assert_eq!(ChainBreak::Changed(3).to_string(), "receipt 3 has been changed");
        assert_eq!(ChainBreak::Missing(4).to_string(), "receipt 4 is missing");
    }

    fn link() -> LinkId {
        LinkId::parse(&"a".repeat(43)).unwrap()
    }

    /// A chain of `length` receipts.
    fn chain(length: u32) -> (Vec<SealedReceipt>, ChainHead) {
        let (mut head, mut chain) = (ChainHead::default(), Vec::new());
        for number in 0..length {
            let event = ReceiptEvent::Redeemed(DownloadRequest {
                download: number + 1,
                address: "192.0.2.1".to_owned(),
                agent: "curl/8.0".to_owned(),
                range: ByteRange { first: 0, last: 9 },
            });
            let at = Timestamp::from_second(i64::from(number)).unwrap();
            let (sealed, next) = head.append(&link(), at, "request", event);
            chain.push(sealed);
            head = next;
        }
        (chain, head)
    }

    #[test]
    fn a_receipt_is_json_and_carries_the_hash_of_the_one_before_it() {
        let (chain, _) = chain(2);
        let first = "{\"link\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"number\":1,\
            \"previous\":null,\"at\":\"1970-01-01T00:00:00.000Z\",\"request_id\":\"request\",\
            \"event\":\"redeemed\",\"download\":1,\"address\":\"192.0.2.1\",\
            \"agent\":\"curl/8.0\",\"first_byte\":0,\"last_byte\":9}";
        assert_eq!(chain[0].text, first);
        // printf '%s' "$first" | sha256sum
        let hash = "c639b5cd03d2b3841ef57ede10d3043a7369760983d92deb7190af4b33591557";
        assert_eq!(chain[0].hash.hex(), hash);
        assert!(chain[1].text.contains(&format!("\"previous\":\"{}\"", chain[0].hash.hex())));
    }

    #[test]
    fn a_whole_chain_verifies_and_an_empty_one_too() {
        for length in 0..4 {
            let (chain, head) = chain(length);
            assert_eq!(head.verify(&link(), &chain), Ok(()));
        }
    }

    #[test]
    fn a_receipt_that_is_dropped_changed_doubled_or_added_is_noticed() {
        let (whole, head) = chain(4);
        let verify = |chain: &[SealedReceipt]| head.verify(&link(), chain).unwrap_err();
        for place in 0..4 {
            let number = u32::try_from(place).unwrap() + 1;
            let mut dropped = whole.clone();
            dropped.remove(place);
            assert_eq!(verify(&dropped), ChainBreak::Missing(number));
            let mut changed = whole.clone();
            changed[place].text = changed[place].text.replace("192.0.2.1", "192.0.2.2");
            assert_eq!(verify(&changed), ChainBreak::Changed(number));
            // Also by somebody who computes the hash anew.
            changed[place].hash = ContentDigest::of(changed[place].text.as_bytes());
            assert_eq!(verify(&changed), ChainBreak::Changed(number));
            let mut doubled = whole.clone();
            doubled.insert(place, whole[place].clone());
            assert!(head.verify(&link(), &doubled).is_err());
        }
        let (longer, _) = chain(5);
        assert_eq!(verify(&longer), ChainBreak::Changed(5));
        let other = LinkId::parse(&"b".repeat(43)).unwrap();
        assert_eq!(head.verify(&other, &whole), Err(ChainBreak::Missing(1)));
    }
}
