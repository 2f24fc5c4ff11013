//! The Shelf table: which files each audience sees, newest first.
//!
//! An entry holds what a list shows, so that a page is one Query.

use share_auth::PageCursor;
use share_contract::settings::SHELF_TABLE;
use share_model::{FileRecord, rfc3339_millis};

use crate::table::{Condition, Key, List, Table, absent, text};
use crate::transaction::Write;
use crate::{Page, Platform, StartError, StoreError};

/// The audience of every verified Client.
const EVERYONE: &str = "everyone";

/// The Shelf table.
pub struct Shelf {
    table: Table,
}

impl Shelf {
    /// # Errors
    /// When `SHELF_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &SHELF_TABLE)? })
    }

    /// The write that shows `file` to everyone.
    pub(crate) fn entry(&self, file: &FileRecord) -> Write {
        let position = format!("{}#{}", rfc3339_millis::text(file.uploaded_at), file.id);
        let key = Key::new("audience", EVERYONE).and("position", position);
        self.table.put(&key, file, &absent("audience"))
    }

    /// The newest `limit` files, or those after `cursor`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn page(
        &self,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<FileRecord>, StoreError> {
        let list = List {
            index: None,
            key: &["audience", "position"],
            condition: Condition::new("audience = :audience").with(":audience", text(EVERYONE)),
            newest_first: true,
        };
        self.table.page(list, limit, cursor).await
    }
}
