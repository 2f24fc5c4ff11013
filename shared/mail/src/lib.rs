//! The mails of the product: what each says, as plain text and as HTML.
//!
//! A [`Mail`] names what has happened. [`Mail::message`] gives its subject and its two parts, which
//! are made from the same blocks with the two templates in `templates/`, so that both say the
//! same. A mail loads nothing from anywhere, and every address in it is that of a page, which does
//! nothing when it is only opened.

mod layout;
mod mail;

pub use layout::Message;
pub use mail::{Mail, SecondFactorChange};
