//! Accounts: signing up, proving an address, accepting an invitation.

mod set_password;
mod signup;
mod verify_email;
mod verify_page;

pub use set_password::SetPassword;
pub use signup::Signup;
pub use verify_email::VerifyEmail;
pub use verify_page::VerifyPage;
