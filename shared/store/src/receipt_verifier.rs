//! Whether the receipts of a file's links are complete, tell a story that can have happened, and
//! are what the other records of the links say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use share_model::{Discrepancy, FileId, LinkId, LinkRecords};

use crate::{Audit, Links, Platform, StartError, StoreError};

/// Reads what is known of links, to compare it with their receipts.
pub struct ReceiptVerifier {
    links: Links,
    audit: Audit,
}

/// What a look at a link's receipts has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainReport {
    /// The link.
    pub link: LinkId,
    /// How many receipts there are.
    pub receipts: usize,
    /// What is wrong with them.
    pub problem: Option<Discrepancy>,
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
        let mut found: BTreeMap<String, (LinkId, LinkRecords)> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.audit.receipts(file, 1000, cursor.as_ref()).await?;
            for stored in page.records {
                let link = stored.sealed.link.clone();
                let entry = found.entry(link.to_string()).or_insert((link, LinkRecords::default()));
                entry.1.receipts.push(stored.sealed);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        for link in self.links.all_to(file).await? {
            let id = link.id.clone();
            let entry = found.entry(id.to_string()).or_insert((id, LinkRecords::default()));
            entry.1.link = Some(link);
        }
        for (link, lease) in self.links.all_leases().await? {
            if let Some((_, records)) = found.get_mut(&link) {
                records.leases.push(lease);
            }
        }
        let mut reports = Vec::new();
        for (link, mut records) in found.into_values() {
            if records.may_be_forgotten(file, now) {
                continue;
            }
            if records.link.is_none() {
                // Unless it says that it is of another file.
                records.link = self.links.find(&link).await?;
            }
            records.token = self.links.token(&link).await?;
            let problem = records.verify(file, &link, now).err();
            reports.push(ChainReport { link, receipts: records.receipts.len(), problem });
        }
        Ok(reports)
    }
}
