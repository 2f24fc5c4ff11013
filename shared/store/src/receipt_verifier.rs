//! Whether the receipts of a file's links are complete and as they were written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use share_model::{ChainBreak, FileId, LinkId, SealedReceipt};

use crate::audit::forget_at;
use crate::{Audit, Links, Platform, StartError, StoreError, StoredReceipt};

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
    pub problem: Option<ChainProblem>,
}

/// Why a link's receipts cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainProblem {
    /// The chain does not hold.
    #[error("{0}")]
    Broken(ChainBreak),
    /// The link's own record, which says where the chain ends, is gone.
    #[error("the link's own record is missing")]
    Headless,
}

impl ReceiptVerifier {
    /// # Errors
    /// When `LINKS_TABLE` or `AUDIT_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { links: Links::connect(platform)?, audit: Audit::connect(platform)? })
    }

    /// Compares every receipt of the links to `file` with the one before it, and the last of each
    /// link with what the link's own record says. Reads the whole Links table, so that a
    /// link without any receipts is noticed too. What retention may have deleted by `now` is left
    /// out.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn verify_receipts(
        &self,
        file: FileId,
        now: Timestamp,
    ) -> Result<Vec<ChainReport>, StoreError> {
        let mut chains: BTreeMap<String, Vec<SealedReceipt>> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.audit.receipts(file, 1000, cursor.as_ref()).await?;
            for StoredReceipt { sealed, forget_at } in page.records {
                // DynamoDB deletes what may be forgotten one record at a time, days late.
                if forget_at > now.as_second() {
                    chains.entry(sealed.link.to_string()).or_default().push(sealed);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut reports = Vec::new();
        for link in self.links.all_to(file).await? {
            let receipts = chains.remove(link.id.as_str()).unwrap_or_default();
            if forget_at(&link) > now.as_second() {
                let problem =
                    link.chain.verify(&link.id, &receipts).err().map(ChainProblem::Broken);
                reports.push(ChainReport { link: link.id, receipts: receipts.len(), problem });
            }
        }
        for receipts in chains.into_values() {
            let Some(first) = receipts.first() else { continue };
            let problem = Some(ChainProblem::Headless);
            reports.push(ChainReport {
                link: first.link.clone(),
                receipts: receipts.len(),
                problem,
            });
        }
        Ok(reports)
    }
}
