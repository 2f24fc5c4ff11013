//! The Audit table: who did what to which file. Written, never changed.

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use share_model::{AuditEvent, rfc3339_millis};

use crate::transaction::Write;
use crate::{Platform, StartError, StoreError};

/// The Audit table. It only makes writes; the store of the deed commits them with the deed.
pub struct Audit {
    table: String,
}

/// For how long events are kept: a year.
const RETENTION_SECONDS: i64 = 365 * 24 * 60 * 60;

impl Audit {
    /// The table that `AUDIT_TABLE` names.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: platform.environment().required("AUDIT_TABLE")?.to_owned() })
    }

    /// The write that records `event`.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub fn entry(&self, event: &AuditEvent) -> Result<Write, StoreError> {
        let at = rfc3339_millis::text(event.at);
        let forget_at = event.at.as_second() + RETENTION_SECONDS;
        let put = Put::builder()
            .table_name(&self.table)
            .item("subject", AttributeValue::S(format!("file#{}", event.file)))
            .item("at_id", AttributeValue::S(format!("{at}#{}", event.request_id)))
            .item("action", AttributeValue::S(event.action.as_str().to_owned()))
            .item("actor", AttributeValue::S(event.actor.to_string()))
            .item("forget_at", AttributeValue::N(forget_at.to_string()))
            .build();
        Ok(put.map_err(StoreError::during("write the audit trail"))?.into())
    }
}
