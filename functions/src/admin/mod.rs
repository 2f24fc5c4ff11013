//! What only operators do.

mod create_account;

pub use create_account::CreateAccount;
