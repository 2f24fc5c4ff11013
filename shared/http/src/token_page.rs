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
    /// Another way, which is a relative address and what it says.
    pub way: Option<(String, &'static str)>,
    /// Whether it is as wide as a text to read, and not as a form.
    pub wide: bool,
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
    /// The field `password`: the one that the account of this name has.
    Password(String),
    /// The field `password`: one that is chosen here for the account of this name.
    NewPassword(String),
    /// The field of this name, which is `yes`.
    Yes(&'static str),
    /// Nothing, to the page's own path with this query.
    Query(String),
}

impl From<TokenPage<'_>> for HtmlPage {
    fn from(page: TokenPage<'_>) -> Self {
        let mut content = String::new();
        // A string takes everything that is written to it.
        if let Some(complaint) = page.complaint {
            let _ = writeln!(
                content,
                "<p class=\"err gap-b\" role=\"alert\">{}</p>",
                escape(complaint)
            );
        }
        if !page.text.is_empty() {
            let _ = writeln!(content, "<p class=\"lead\">{}</p>", escape(page.text));
        }
        if !page.facts.is_empty() {
            let facts = page.facts.iter().fold(String::new(), |facts, (name, value)| {
                facts + "<dt>" + &escape(name) + "</dt><dd>" + &escape(value) + "</dd>"
            });
            let _ = writeln!(content, "<dl class=\"facts\">{facts}</dl>");
        }
        let mut kind = "primary";
        for TokenForm { field, button } in page.forms {
            let (action, field, button) = (field.action(), field.html(), escape(button));
            let _ = writeln!(
                content,
                "<form method=\"post\"{action}>{field}\
                 <button class=\"btn btn-l {kind} gap-t\">{button}</button></form>"
            );
            kind = "secondary";
        }
        if !page.note.is_empty() {
            let _ = writeln!(content, "<p class=\"hint gap-t\">{}</p>", escape(page.note));
        }
        if let Some((address, text)) = page.way {
            let (address, text) = (escape(&address), escape(text));
            let _ = writeln!(content, "<p class=\"after\"><a href=\"{address}\">{text}</a></p>");
        }
        Self { title: page.title.to_owned(), content, wide: page.wide }
    }
}

impl TokenField {
    /// The attribute `action` of a form that does not go to the page's own address.
    fn action(&self) -> String {
        match self {
            Self::Query(query) => format!(" action=\"?{}\"", escape(query)),
            _ => String::new(),
        }
    }

    fn html(&self) -> String {
        match self {
            Self::Nothing | Self::Query(_) => String::new(),
            Self::Password(username) => {
                input(username, "Password", "autocomplete=\"current-password\"")
            }
            Self::NewPassword(username) => {
                input(username, "New password", "autocomplete=\"new-password\" minlength=\"8\"")
            }
            Self::Yes(name) => format!("<input type=\"hidden\" name=\"{name}\" value=\"yes\">"),
        }
    }
}

/// The field `password` with its label. The name is not sent: it tells password managers whose it is.
fn input(username: &str, label: &str, attributes: &str) -> String {
    let username = escape(username);
    format!(
        "<input type=\"text\" autocomplete=\"username\" value=\"{username}\" hidden>\
         <div class=\"field gap-t\"><label for=\"password\">{label}</label>\
         <input class=\"input\" id=\"password\" type=\"password\" name=\"password\" {attributes} \
         maxlength=\"256\" required autofocus></div>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_its_texts_as_text_and_leaves_out_what_it_has_not() {
        let forms = [
            TokenForm { field: TokenField::Nothing, button: "<Press>" },
            TokenForm { field: TokenField::Yes("decline"), button: "No" },
            TokenForm { field: TokenField::Query("<query>".to_owned()), button: "Go" },
        ];
        let page = TokenPage {
            title: "<title>",
            complaint: Some("<complaint>"),
            text: "<text>",
            facts: vec![("<name>", "<value>".to_owned())],
            forms: &forms,
            note: "<note>",
            way: Some(("?<way>".to_owned(), "<way>")),
            wide: true,
        };
        let page = HtmlPage::from(page);
        assert_eq!((&*page.title, page.wide), ("<title>", true));
        assert_eq!(
            page.content,
            "<p class=\"err gap-b\" role=\"alert\">&lt;complaint&gt;</p>\n\
             <p class=\"lead\">&lt;text&gt;</p>\n\
             <dl class=\"facts\"><dt>&lt;name&gt;</dt><dd>&lt;value&gt;</dd></dl>\n\
             <form method=\"post\"><button class=\"btn btn-l primary gap-t\">&lt;Press&gt;</button></form>\n\
             <form method=\"post\"><input type=\"hidden\" name=\"decline\" value=\"yes\">\
             <button class=\"btn btn-l secondary gap-t\">No</button></form>\n\
             <form method=\"post\" action=\"?&lt;query&gt;\">\
             <button class=\"btn btn-l secondary gap-t\">Go</button></form>\n\
             <p class=\"hint gap-t\">&lt;note&gt;</p>\n\
             <p class=\"after\"><a href=\"?&lt;way&gt;\">&lt;way&gt;</a></p>\n"
        );
        assert_eq!(HtmlPage::from(TokenPage::default()).content, "");
    }
}
