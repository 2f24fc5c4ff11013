//! Who did what to which file or account. What happens to a link has receipts of its own.

use std::fmt;

use jiff::Timestamp;

use crate::{FileId, GroupId, Invalid, UserId};

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
    /// Its owner chose another password.
    PasswordChanged,
    /// Somebody with a mailed link set another password.
    PasswordReset,
    /// It got another address, which was proven.
    EmailChanged,
    /// It got the address back that it had.
    EmailRestored,
    /// Somebody logged in.
    SessionBegun,
    /// A session was ended before its time.
    SessionEnded,
    /// All sessions were ended.
    SessionsEnded,
    /// A refresh token was used twice, so its session was ended.
    SessionReplayed,
    /// An account got a second factor.
    SecondFactorAdded,
    /// An account lost its second factor.
    SecondFactorRemoved,
    /// An account got new recovery codes.
    RecoveryCodesReplaced,
    /// A recovery code was used to log in.
    RecoveryCodeUsed,
    /// An account was made: by a sign-up, by an invitation, or by who runs the installation.
    AccountCreated,
    /// The owner of an account has proven its address.
    AddressProven,
    /// Somebody who was invited has set a password.
    InvitationAccepted,
    /// The owner of an address has deleted a sign-up with it.
    SignUpDeclined,
    /// A sign-up was taken back, because its mail could not be sent.
    SignUpWithdrawn,
    /// An account was deleted, and what names its owner is erased.
    UserDeleted,
    /// An account got another role.
    RoleChanged,
    /// An account was disabled.
    UserDisabled,
    /// A disabled account was enabled.
    UserEnabled,
    /// An admin took the password of an account away.
    PasswordResetForced,
    /// A group was made.
    GroupCreated,
    /// A group was deleted.
    GroupDeleted,
    /// An account joined a group.
    GroupJoined,
    /// An account left a group.
    GroupLeft,
    /// Somebody who had signed up was let in.
    UserApproved,
    /// Somebody who had signed up was not let in, and the account was deleted.
    UserRefused,
    /// An invitation was sent once more.
    InvitationRenewed,
    /// An invitation was withdrawn, and the account deleted.
    InvitationWithdrawn,
}

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A file.
    File(FileId),
    /// An account.
    User(UserId),
    /// A group.
    Group(GroupId),
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(id) => write!(formatter, "file#{id}"),
            Self::User(id) => write!(formatter, "user#{id}"),
            Self::Group(id) => write!(formatter, "group#{id}"),
        }
    }
}

impl Subject {
    /// The subject, as the API writes it: `file:<id>`, `user:<id>` or `group:<id>`.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let subject = match text.split_once(':') {
            Some(("file", id)) => id.parse().ok().map(Self::File),
            Some(("user", id)) => id.parse().ok().map(Self::User),
            Some(("group", id)) => id.parse().ok().map(Self::Group),
            _ => None,
        };
        subject.ok_or_else(|| Invalid::because("must be file:<id>, user:<id> or group:<id>"))
    }
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
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChanged => "email_changed",
            Self::EmailRestored => "email_restored",
            Self::SessionBegun => "session_begun",
            Self::SessionEnded => "session_ended",
            Self::SessionsEnded => "sessions_ended",
            Self::SessionReplayed => "session_replayed",
            Self::SecondFactorAdded => "second_factor_added",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::AccountCreated => "account_created",
            Self::AddressProven => "address_proven",
            Self::InvitationAccepted => "invitation_accepted",
            Self::SignUpDeclined => "sign_up_declined",
            Self::SignUpWithdrawn => "sign_up_withdrawn",
            Self::UserDeleted => "user_deleted",
            Self::RoleChanged => "role_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::PasswordResetForced => "password_reset_forced",
            Self::GroupCreated => "group_created",
            Self::GroupDeleted => "group_deleted",
            Self::GroupJoined => "group_joined",
            Self::GroupLeft => "group_left",
            Self::UserApproved => "user_approved",
            Self::UserRefused => "user_refused",
            Self::InvitationRenewed => "invitation_renewed",
            Self::InvitationWithdrawn => "invitation_withdrawn",
        }
    }

    /// The action, with what its name does not say. `detail` never has a secret, nor the name or the
    /// address of a person: lines outlive accounts.
    #[must_use]
    pub fn with(self, detail: impl fmt::Display) -> AuditedAction {
        AuditedAction { action: self, detail: Some(detail.to_string()) }
    }
}

/// An action, as the audit says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedAction {
    /// What was done.
    pub action: AuditAction,
    /// What its name does not say: roles, a group, a session, a reason.
    pub detail: Option<String>,
}

impl From<AuditAction> for AuditedAction {
    fn from(action: AuditAction) -> Self {
        Self { action, detail: None }
    }
}

/// One line of a history, written in the same transaction as the action.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// What it is about.
    pub subject: Subject,
    /// What was done.
    pub done: AuditedAction,
    /// Who did it.
    pub actor: UserId,
    /// When.
    pub at: Timestamp,
    /// The request that did it, as in the logs. With the action it makes the record's key unique.
    pub request_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_has_its_name_in_the_audit_table() {
        assert_eq!(AuditAction::FileUploaded.as_str(), "file_uploaded");
    }

    #[test]
    fn a_subject_is_a_file_or_an_account_and_is_written_with_a_colon() {
        let id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        let file = Subject::parse(&format!("file:{id}")).map(|subject| subject.to_string());
        assert_eq!(file, Ok(format!("file#{id}")));
        let user = Subject::parse(&format!("user:{id}")).map(|subject| subject.to_string());
        assert_eq!(user, Ok(format!("user#{id}")));
        for other in ["", "user", "user:", "user:7", "user#017f22e2-79b0-7cc3-98c4-dc0c0c07398f"] {
            assert!(Subject::parse(other).is_err(), "{other:?}");
        }
    }
}
