//! What travels between the API and its callers: operations, request and answer types, error
//! codes, and the settings of an installation.
//!
//! The description of the API ([`openapi`]), the tables in `docs/` ([`documents`]), the functions,
//! the local server and the end-to-end tests are all made from what stands here. What is stored is
//! in `share-model`; what is sent is a type of its own.

mod accounts;
mod admissions;
mod audit;
pub mod documents;
mod error_code;
mod export;
mod files;
mod groups;
mod keys;
mod links;
pub mod openapi;
mod operation;
pub mod operations;
mod problem;
mod schema;
mod second_factor;
mod sessions;
pub mod settings;
mod uploads;
mod users;

pub use accounts::{
    AccountCreated, AccountDetails, Decline, EmailChange, EmailConfirmation, EmailSet, MailRequest,
    MailSent, NewPassword, PasswordChange, PasswordResetConfirm, PasswordSet, PublicRole, SignUp,
    VerificationAnswer, VerificationDone,
};
pub use admissions::{ApprovalSummary, InvitationRequest, InvitationSummary};
pub use audit::AuditEntry;
pub use error_code::{Answerer, ErrorCode};
pub use export::{AccountDeletion, AccountExport, PendingToken};
pub use files::{
    Everyone, FileChange, FileDetails, FileSort, FileStateName, FileSummary, FileTerms, FileUpload,
    ReceiptEntry, RecipientNames, RejectionReason,
};
pub use groups::{GroupCreate, GroupDetails};
pub use keys::{Key, KeySet};
pub use links::{
    DownloadDetails, FileLinkRequest, FileLocation, LinkCreated, LinkRequest, LinkSummary,
};
pub use operation::{Answer, Body, Caller, Content, Operation, Parameter, Place, Route, SchemaOf};
pub use problem::{FieldError, Problem};
pub use second_factor::{
    FactorCode, RecoveryCodesIssued, TotpConfirmation, TotpCreated, TotpRemoval, TotpRequest,
};
pub use sessions::{LogIn, LoggedIn, SessionRefresh, SessionSummary};
pub use uploads::{
    FileFetch, ImportRequest, PartReceived, PartRequest, PartToSign, PartsRequest, PartsSigned,
    UploadCreated, UploadRequest, UploadStatus,
};
pub use users::{
    LimitDetails, LimitKind, Reset, SessionsChange, UserChange, UserDetails, UserSort,
};
