//! Small pages for people who open a link in a browser.

use http::{HeaderValue, StatusCode, header};

use crate::answer::{Response, typed};

/// A page: a heading and a few lines.
pub struct HtmlPage {
    /// The heading, plain text.
    pub title: String,
    /// What stands below it, HTML. Outside data in it has gone through [`escape`].
    pub content: String,
}

const FRAME: &str = include_str!("html_page.html");

/// Nothing is loaded, nothing runs, nobody may frame it; the one form goes back to this site.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

impl HtmlPage {
    /// The response that holds it.
    pub(crate) fn respond(&self, status: StatusCode) -> Response {
        let html = FRAME.replace("{{title}}", &escape(&self.title));
        let html = html.replace("{{content}}", &self.content);
        let mut response = typed(status, "text/html; charset=utf-8", html);
        let policy = HeaderValue::from_static(POLICY);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }
}

/// `text` as HTML that shows it.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_that_looks_like_markup_is_shown_as_text() {
        let markup = "<a href=\"x\" title='y'>&amp;</a>";
        let shown = "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;";
        assert_eq!(escape(markup), shown);
    }
}
