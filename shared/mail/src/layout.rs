//! How a mail looks, as text and as HTML.

use askama::Template;

/// A mail that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The subject, one line.
    pub subject: String,
    /// The part for programs that show plain text. It ends with a line break.
    pub text: String,
    /// The part for programs that show HTML: a whole document.
    pub html: String,
}

/// What a mail says, whichever part of it is read. Parts are below each other.
pub(crate) struct Content {
    pub(crate) subject: &'static str,
    pub(crate) blocks: Vec<Block>,
}

pub(crate) enum Block {
    /// A paragraph.
    Text(String),
    /// Names and values, a line each.
    Facts(Vec<(&'static str, String)>),
    /// What is to be done, as a button, and below it the address to which the button leads.
    Button { label: &'static str, address: String },
    /// An address that is no button, because a mail has at most one.
    Address(String),
    /// A paragraph of less weight.
    Note(String),
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    blocks: &'a [Block],
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    subject: &'a str,
    blocks: &'a [Block],
}

impl Content {
    pub(crate) fn message(&self) -> Message {
        let blocks = &self.blocks;
        Message {
            subject: self.subject.to_owned(),
            text: rendered(&Text { blocks }),
            html: rendered(&Html { subject: self.subject, blocks }),
        }
    }
}

#[expect(clippy::expect_used, reason = "only a value that fails to show itself could fail here")]
fn rendered(template: &impl Template) -> String {
    template.render().expect("text is written into a string")
}
