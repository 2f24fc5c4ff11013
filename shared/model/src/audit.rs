//! Who did what to which file. What happens to a link has receipts of its own.

use jiff::Timestamp;

use crate::{FileId, UserId};

/// An action that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// A file became available.
    FileUploaded,
    /// A file was not taken.
    FileRejected,
    /// A file's name, note, end or recipients were changed.
    FileChanged,
    /// A file was deleted.
    FileDeleted,
    /// An upload was aborted, or given up.
    UploadAborted,
}

impl AuditAction {
    /// The name in the Audit table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FileUploaded => "file_uploaded",
            Self::FileRejected => "file_rejected",
            Self::FileChanged => "file_changed",
            Self::FileDeleted => "file_deleted",
            Self::UploadAborted => "upload_aborted",
        }
    }
}

/// One line of a file's history, written in the same transaction as the action.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// The file.
    pub file: FileId,
    /// What was done.
    pub action: AuditAction,
    /// Who did it.
    pub actor: UserId,
    /// When.
    pub at: Timestamp,
    /// The request that did it, as in the logs. Makes the record's key unique.
    pub request_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_has_its_name_in_the_audit_table() {
        assert_eq!(AuditAction::FileUploaded.as_str(), "file_uploaded");
    }
}
