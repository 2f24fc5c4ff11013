//! The page that somebody sees who opens a link with a one-time token.

use std::fmt::Write;

use crate::{HtmlPage, escape};

/// What a link is about, and what can be done with it. Every text is plain.
///
/// Looking at the page does nothing. Whatever is done, one of its forms does, by a POST to the
/// page's own address: programs that open links press no buttons.
#[derive(Default)]
pub struct TokenPage<'a> {
    /// The heading.
    pub title: &'a str,
    /// Why what was tried was in vain.
    pub complaint: Option<&'a str>,
    /// What this is about.
    pub text: &'a str,
    /// The facts, each with its name.
    pub facts: Vec<(&'a str, String)>,
    /// What can be done.
    pub forms: &'a [TokenForm],
    /// What to know besides.
    pub note: &'a str,
}

/// A button, and what its holder writes or says with it.
pub struct TokenForm {
    /// What is sent.
    pub field: TokenField,
    /// What the button says.
    pub button: &'static str,
}

/// What a form of a [`TokenPage`] sends.
pub enum TokenField {
    /// Nothing.
    Nothing,
    /// The field `password`: the one that the account has.
    Password,
    /// The field `password`: one that is chosen here.
    NewPassword,
    /// The field of this name, which is `yes`.
    Yes(&'static str),
}

impl From<TokenPage<'_>> for HtmlPage {
    fn from(page: TokenPage<'_>) -> Self {
        let mut content = String::new();
        // A string takes everything that is written to it.
        if let Some(complaint) = page.complaint {
            let _ = writeln!(content, "<p role=\"alert\"><b>{}</b></p>", escape(complaint));
        }
        if !page.text.is_empty() {
            let _ = writeln!(content, "<p>{}</p>", escape(page.text));
        }
        if !page.facts.is_empty() {
            let facts = page.facts.iter().fold(String::new(), |facts, (name, value)| {
                facts + "<dt>" + &escape(name) + "</dt><dd>" + &escape(value) + "</dd>"
            });
            let _ = writeln!(content, "<dl>{facts}</dl>");
        }
        for TokenForm { field, button } in page.forms {
            let (field, button) = (field.html(), escape(button));
            let _ =
                writeln!(content, "<form method=\"post\">{field}<button>{button}</button></form>");
        }
        if !page.note.is_empty() {
            let _ = writeln!(content, "<p><small>{}</small></p>", escape(page.note));
        }
        Self { title: page.title.to_owned(), content }
    }
}

impl TokenField {
    fn html(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Password => "<p><input type=\"password\" name=\"password\" \
                 aria-label=\"Password\" autocomplete=\"current-password\" maxlength=\"256\" \
                 required autofocus></p>"
                .to_owned(),
            Self::NewPassword => "<p><input type=\"password\" name=\"password\" \
                 aria-label=\"New password\" autocomplete=\"new-password\" minlength=\"8\" \
                 maxlength=\"256\" required autofocus></p>"
                .to_owned(),
            Self::Yes(name) => format!("<input type=\"hidden\" name=\"{name}\" value=\"yes\">"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_its_texts_as_text_and_leaves_out_what_it_has_not() {
        let forms = [
            TokenForm { field: TokenField::Nothing, button: "<Press>" },
            TokenForm { field: TokenField::Yes("decline"), button: "No" },
        ];
        let page = TokenPage {
            title: "<title>",
            complaint: Some("<complaint>"),
            text: "<text>",
            facts: vec![("<name>", "<value>".to_owned())],
            forms: &forms,
            note: "<note>",
        };
        let page = HtmlPage::from(page);
        assert_eq!(page.title, "<title>");
        assert_eq!(
            page.content,
            "<p role=\"alert\"><b>&lt;complaint&gt;</b></p>\n\
             <p>&lt;text&gt;</p>\n\
             <dl><dt>&lt;name&gt;</dt><dd>&lt;value&gt;</dd></dl>\n\
             <form method=\"post\"><button>&lt;Press&gt;</button></form>\n\
             <form method=\"post\"><input type=\"hidden\" name=\"decline\" value=\"yes\">\
             <button>No</button></form>\n\
             <p><small>&lt;note&gt;</small></p>\n"
        );
        assert_eq!(HtmlPage::from(TokenPage::default()).content, "");
    }
}
