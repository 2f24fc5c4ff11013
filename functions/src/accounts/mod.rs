//! Accounts: signing up, proving an address, accepting an invitation, and changing password and
//! address.

mod change_email;
mod change_password;
mod confirm_totp;
mod create_recovery_codes;
mod create_totp;
mod delete_account;
mod delete_totp;
mod export_account;
mod request_email_change;
mod request_password_reset;
mod request_verification;
mod reset_password;
mod set_password;
mod show_account;
mod signup;
mod undo_email;
mod verify_email;
mod verify_page;

pub use change_email::ChangeEmail;
pub use change_password::ChangePassword;
pub use confirm_totp::ConfirmTotp;
pub use create_recovery_codes::CreateRecoveryCodes;
pub use create_totp::CreateTotp;
pub use delete_account::DeleteAccount;
pub use delete_totp::DeleteTotp;
pub use export_account::ExportAccount;
pub use request_email_change::RequestEmailChange;
pub use request_password_reset::RequestPasswordReset;
pub use request_verification::RequestVerification;
pub use reset_password::ResetPassword;
pub use set_password::SetPassword;
pub use show_account::ShowAccount;
pub use signup::Signup;
pub use undo_email::UndoEmail;
pub use verify_email::VerifyEmail;
pub use verify_page::VerifyPage;
