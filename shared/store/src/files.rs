//! The Files table: the record of each file, whatever its state.

use serde::Deserialize;
use share_contract::settings::FILES_TABLE;
use share_model::{File, FileId, FileRecord, Job, User, rfc3339_millis};

use crate::table::{Condition, Key, List, Table, text};
use crate::{Clock, Platform, StartError, StoreError};

/// The index of what jobs are to do. Only records with which there is something to do are in it.
const DUE: &str = "files_due";

/// The Files table, for reading.
#[derive(Clone)]
pub struct Files {
    pub(crate) table: Table,
}

/// The key of a record that the index has.
#[derive(Deserialize)]
struct Indexed {
    file_id: FileId,
}

impl Files {
    /// # Errors
    /// When `FILES_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &FILES_TABLE)? })
    }

    /// The file with this identity, whatever its state.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find(&self, id: FileId) -> Result<Option<File>, StoreError> {
        self.table.get(&key(id)).await
    }

    /// The file with this identity, when it is available to `client`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn available_to(
        &self,
        client: &User,
        id: FileId,
        clock: &Clock,
    ) -> Result<Option<FileRecord>, StoreError> {
        Ok(self.find(id).await?.and_then(|file| file.available_to(client, clock())))
    }

    /// The files with these identities, at most 100, in their order. Those that are not there are
    /// left out.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find_all(&self, ids: &[FileId]) -> Result<Vec<File>, StoreError> {
        let keys: Vec<_> = ids.iter().copied().map(key).collect();
        self.table.get_all(&keys).await
    }

    /// The first files, at most `limit`, with which `job` has something to do now: those that have
    /// waited longest.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn due(
        &self,
        job: Job,
        clock: &Clock,
        limit: usize,
    ) -> Result<Vec<FileId>, StoreError> {
        let condition = Condition::new("due = :job AND due_at <= :now")
            .with(":job", text(job.as_str()))
            .with(":now", text(rfc3339_millis::text(clock())));
        let list = List {
            index: Some(DUE),
            key: &["file_id"],
            condition,
            filter: None,
            newest_first: false,
        };
        let page = self.table.page::<Indexed>(list, limit, None).await?;
        Ok(page.records.into_iter().map(|found| found.file_id).collect())
    }
}

pub(crate) fn key(id: FileId) -> Key {
    Key::new("file_id", id.to_string())
}
