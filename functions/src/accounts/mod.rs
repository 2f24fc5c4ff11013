//! Accounts: signing up, proving an address, accepting an invitation.

mod confirm_totp;
mod create_recovery_codes;
mod create_totp;
mod delete_totp;
mod set_password;
mod signup;
mod verify_email;
mod verify_page;

pub use confirm_totp::ConfirmTotp;
pub use create_recovery_codes::CreateRecoveryCodes;
pub use create_totp::CreateTotp;
pub use delete_totp::DeleteTotp;
pub use set_password::SetPassword;
pub use signup::Signup;
pub use verify_email::VerifyEmail;
pub use verify_page::VerifyPage;
