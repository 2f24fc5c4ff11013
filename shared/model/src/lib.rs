//! Users, files, links, leases and receipts, and the rules about them.
//!
//! Nothing here does I/O, reads a clock or knows AWS or HTTP: time, random bytes and limits come
//! in as arguments, so every rule can be tested by calling it.

mod audit;
mod byte_range;
mod certificate;
mod content_digest;
mod content_disposition;
mod digest_progress;
mod email_address;
mod environment;
mod file;
pub mod file_protocol;
mod file_type;
mod group;
mod inspection;
mod invalid;
mod json_schema;
mod keyed_request;
pub mod limits;
mod link;
pub mod link_protocol;
mod one_time;
mod receipt;
mod receipt_replay;
mod second_factor;
mod session;
mod stored_file;
mod timestamp;
mod user;
mod username;

pub use audit::{AuditAction, AuditEvent, AuditedAction, Subject};
pub use byte_range::{ByteRange, Coverage};
pub use certificate::{
    Certificate, CertificateFault, CertifiedDownload, CertifiedEnd, CertifiedTransfer, Delivery,
    Moment,
};
pub use content_digest::ContentDigest;
pub use content_disposition::attachment;
pub use digest_progress::DigestProgress;
pub use email_address::EmailAddress;
pub use environment::{Environment, SettingError};
pub use file::{FileId, FileName, FileRecord, MAX_UPLOAD_BYTES, caseless};
pub use file_type::AllowedFileTypes;
pub use group::{Group, GroupId, GroupName};
pub use inspection::{InspectionError, Rejection, TextCheck};
pub use invalid::Invalid;
pub use keyed_request::{KEY_LIFETIME, KeyedRequest};
pub use link::{
    Admission, Lease, LeaseTerms, Link, LinkId, LinkLifetime, LinkNote, LinkRefusal, LinkState,
    LinkTerms, MaxDownloads,
};
pub use one_time::{TokenKind, TokenRefusal};
pub use receipt::{
    ChainBreak, ChainHead, DownloadRequest, Receipt, ReceiptEvent, SealedReceipt, TransferOutcome,
};
pub use receipt_replay::{Discrepancy, LinkRecords, LinkToken, RETENTION};
pub use second_factor::{Proof, SecondFactor};
pub use session::{Refresh, Session, SessionId};
pub use stored_file::{
    Audience, Check, CheckProgress, Content, Deleted, File, FileState, Import, Job, Leftover,
    Recipient, Recipients, Rejected, Upload,
};
pub use timestamp::rfc3339_millis;
pub use user::{EndedSession, Role, User, UserId, UserState, WaitingFor};
pub use username::Username;
