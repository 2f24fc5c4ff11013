//! The Sessions table: what a login leaves behind.

use share_contract::settings::SESSIONS_TABLE;
use share_model::Session;

use crate::table::{Key, Table, absent};
use crate::transaction::CommitOutcome;
use crate::{Platform, StartError, StoreError};

/// The Sessions table.
pub struct Sessions {
    table: Table,
}

impl Sessions {
    /// # Errors
    /// When `SESSIONS_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &SESSIONS_TABLE)? })
    }

    /// Puts a new session.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let key = Key::new("pk", format!("session#{}", session.id));
        let forget_at = session.expires_at.as_second();
        let put = self.table.put_until(&key, session, forget_at, &absent("pk"));
        match self.table.commit("create a session", vec![put]).await? {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::ConditionFailed(_) => {
                Err(StoreError::because("create a session", "there is one of this id"))
            }
        }
    }
}
