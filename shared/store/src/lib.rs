//! The only place that talks to DynamoDB, S3, SES and Secrets Manager: one module per table or
//! service.

mod audit;
mod error;
mod files;
mod links;
mod mailer;
mod objects;
mod page;
mod platform;
mod receipt_verifier;
mod secrets;
mod tokens;
mod transaction;
mod users;

pub use audit::{Audit, StoredReceipt};
pub use error::{StartError, StoreError};
pub use files::Files;
pub use links::{LinkAndLease, Links, RequestContext, Sent, Transfer, TransferEnd};
pub use mailer::{Mail, Mailer};
pub use objects::Objects;
pub use page::Page;
pub use platform::Platform;
pub use receipt_verifier::{ChainProblem, ChainReport, ReceiptVerifier};
pub use secrets::signing_keys;
pub use tokens::{Found, TokenKind, TokenRecord, Tokens};
pub use transaction::Write;
pub use users::{Registration, Users};
