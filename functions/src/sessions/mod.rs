//! Sessions: logging in.

mod login;

pub use login::Login;
