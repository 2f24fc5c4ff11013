//! Whether the receipts of a file's links are complete, tell a story that can have happened, and
//! are what the other records of the links say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use share_model::{Discrepancy, FileId, LinkId, LinkRecords, SealedReceipt};

use crate::table::Readable;
use crate::{Audit, Links, Platform, StartError, StoreError};

/// Reads what is known of links, to compare it with their receipts.
pub struct ReceiptVerifier {
    links: Links,
    audit: Audit,
}

/// What a look at a link's receipts has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainReport {
    /// The id of the link, or the key of a receipt that names none.
    pub link: String,
    /// How many receipts there are.
    pub receipts: usize,
    /// What is wrong with them.
    pub problem: Option<Discrepancy>,
}

/// A receipt and the second half of its key.
#[derive(Deserialize)]
struct KeyedReceipt {
    at_id: String,
    #[serde(flatten)]
    sealed: Readable<SealedReceipt>,
}

impl<T> Readable<T> {
    /// The record, or else a note that there is `what` and that it cannot be read.
    fn or_note(self, what: &'static str, unreadable: &mut Option<&'static str>) -> Option<T> {
        match self {
            Self::Yes(record) => Some(record),
            Self::No {} => {
                *unreadable = Some(what);
                None
            }
        }
    }
}

impl ReceiptVerifier {
    /// # Errors
    /// When `LINKS_TABLE` or `AUDIT_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { links: Links::connect(platform)?, audit: Audit::connect(platform)? })
    }

    /// Replays the receipts of each link to `file`, and compares record, token and leases with
    /// what they tell. Reads the whole Links table, so that a link without any receipts is noticed
    /// too. What retention may have deleted by `now` is left out.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn verify_receipts(
        &self,
        file: FileId,
        now: Timestamp,
    ) -> Result<Vec<ChainReport>, StoreError> {
        let mut reports = Vec::new();
        for (link, mut records) in self.records(file).await? {
            let problem = match LinkId::parse(&link) {
                Ok(id) => {
                    self.complete(&id, &mut records).await?;
                    if records.may_be_forgotten(file, now) {
                        continue;
                    }
                    records.verify(file, &id, now).err()
                }
                Err(_) => Some(Discrepancy::unreadable("the key of a receipt")),
            };
            reports.push(ChainReport { link, receipts: records.receipts.len(), problem });
        }
        Ok(reports)
    }

    /// What a look through the tables finds of each link to `file`.
    async fn records(&self, file: FileId) -> Result<BTreeMap<String, LinkRecords>, StoreError> {
        let mut found: BTreeMap<String, LinkRecords> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.audit.receipts_as(file, 1000, cursor.as_ref()).await?;
            for KeyedReceipt { at_id, sealed } in page.records {
                // link#<creation of the link>#<link>#<number>
                let mut parts = at_id.split('#').skip(1);
                let created_at = parts.next().and_then(|time| time.parse().ok());
                let records = found.entry(parts.next().unwrap_or(&at_id).to_owned()).or_default();
                match created_at {
                    Some(time) => records.key_times.push(time),
                    None => records.unreadable = Some("the key of a receipt"),
                }
                records.receipts.extend(sealed.or_note("a receipt", &mut records.unreadable));
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        for (id, link) in self.links.all_to(file).await? {
            let records = found.entry(id).or_default();
            records.link = link.or_note(RECORD, &mut records.unreadable);
        }
        for (link, lease) in self.links.all_leases().await? {
            if let Some(records) = found.get_mut(&link) {
                records.leases.extend(lease.or_note("a lease", &mut records.unreadable));
            }
        }
        Ok(found)
    }

    /// Adds what is found by the link's id.
    async fn complete(&self, id: &LinkId, records: &mut LinkRecords) -> Result<(), StoreError> {
        let unreadable = &mut records.unreadable;
        if records.link.is_none() {
            // Unless it says that it is of another file.
            let link = self.links.stored(id).await?;
            records.link = link.and_then(|link| link.or_note(RECORD, unreadable));
        }
        let token = self.links.token(id).await?;
        records.token = token.and_then(|token| token.or_note("the link's token", unreadable));
        Ok(())
    }
}

const RECORD: &str = "the link's own record";
