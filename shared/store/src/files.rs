//! The Files table: what is known about each file beside its bytes.

use serde::{Deserialize, Serialize};
use share_contract::settings::FILES_TABLE;
use share_model::{FileId, FileRecord};

use crate::table::{Key, Table, absent};
use crate::transaction::{CommitOutcome, Write};
use crate::{Platform, Shelf, StartError, StoreError};

/// The Files table.
pub struct Files {
    table: Table,
}

/// A file's record with its state.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    file: FileRecord,
    state: State,
}

/// What has become of a file. Only one that is available is listed and can be linked to.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Available,
}

impl Files {
    /// # Errors
    /// When `FILES_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &FILES_TABLE)? })
    }

    /// Puts a file, its entry on the shelf and `writes`, in one transaction.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn create(
        &self,
        file: &FileRecord,
        on: &Shelf,
        mut writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        let stored = Stored { file: file.clone(), state: State::Available };
        writes.push(self.table.put(&key(file.id), &stored, &absent("file_id")));
        writes.push(on.entry(file));
        match self.table.commit("create a file", writes).await? {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::ConditionFailed(_) => {
                Err(StoreError::because("create a file", "there is one of this id"))
            }
        }
    }

    /// The file with this identity, when it is available.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn available(&self, id: FileId) -> Result<Option<FileRecord>, StoreError> {
        let stored = self.table.get::<Stored>(&key(id)).await?;
        Ok(stored.filter(|stored| stored.state == State::Available).map(|stored| stored.file))
    }
}

fn key(id: FileId) -> Key {
    Key::new("file_id", id.to_string())
}
