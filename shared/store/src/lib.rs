//! The only place that talks to DynamoDB, S3, SES and Secrets Manager: one module per table or
//! service.

mod audit;
mod error;
mod file_changes;
mod files;
mod limits;
mod links;
mod mailer;
mod object_reader;
mod objects;
mod one_time_tokens;
mod platform;
mod receipt_verifier;
mod recovery;
mod secrets;
mod sessions;
mod shelf;
mod table;
mod transaction;
mod transfers;
mod user_changes;
mod users;

pub use audit::{Audit, StoredReceipt, forget_at};
pub use error::{StartError, StoreError};
pub use file_changes::{Actor, Applied, FileChanges, FileStep};
pub use files::Files;
pub use limits::{Limits, Taken};
pub use links::{Clock, LinkCount, Links, RequestContext};
pub use mailer::Mailer;
pub use object_reader::ObjectReader;
pub use objects::{Objects, SignedPart, UploadedPart};
pub use one_time_tokens::{OneTimeTokens, RefusedToken, TokenRecord};
pub use platform::Platform;
pub use receipt_verifier::{ChainReport, ReceiptVerifier};
pub use recovery::{Recovery, RecoveryRefusal};
pub use secrets::{certificate_keys, seed_keys, signing_keys};
pub use sessions::{Refreshed, Sessions};
pub use shelf::{Shelf, ShelfQuery};
pub use table::Page;
pub use transaction::Write;
pub use transfers::{Transfer, Transfers};
pub use user_changes::{UserApplied, UserChanges, UserStep};
pub use users::{ProofRefusal, Registration, Users};
