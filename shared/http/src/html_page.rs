//! Small pages for people who open a link in a browser.

use std::sync::LazyLock;

use http::{HeaderValue, StatusCode, header};
use share_model::ContentDigest;

use crate::answer::{Response, typed};

/// A page: a heading and a few lines.
#[derive(Debug)]
pub struct HtmlPage {
    /// The heading, plain text.
    pub title: String,
    /// What stands below it, HTML. Outside data in it has gone through [`escape`].
    pub content: String,
    /// Whether it is as wide as a text to read, and not as a form.
    pub wide: bool,
}

const FRAME: &str = include_str!("html_page.html");

/// The styles of the web app, in sections that begin with `/* ---------- Name ---------- */`.
const APP_STYLES: &str = include_str!("../../../web/app/app.css");

/// What these pages have of them. It is small enough to be a part of each page, so that a page
/// needs no second request and looks the same under every path.
const SECTIONS: &[&str] =
    &["Tokens", "Base", "Spacing helpers", "Layout", "Buttons", "Forms", "Facts", "Preferences"];

static STYLES: LazyLock<String> = LazyLock::new(|| sections(APP_STYLES, SECTIONS));

/// Nothing is loaded, nothing runs, nobody may frame it; its forms go back to this site. The styles
/// are named by their digest.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let styles = ContentDigest::of(STYLES.as_bytes()).base64();
    format!(
        "default-src 'none'; style-src 'sha256-{styles}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
});

impl HtmlPage {
    /// The policy of a page whose form may also lead to `origin`, by a redirect.
    #[must_use]
    pub fn policy_for_forms_to(origin: &str) -> String {
        POLICY.replace("form-action 'self'", &format!("form-action 'self' {origin}"))
    }

    /// The response that holds it.
    pub(crate) fn respond(&self, status: StatusCode) -> Response {
        let places = [
            ("title", &*escape(&self.title)),
            ("styles", &STYLES),
            ("width", if self.wide { "read-page" } else { "form-page" }),
            ("content", &self.content),
        ];
        let mut response = typed(status, "text/html; charset=utf-8", fill(FRAME, &places));
        let policy = HeaderValue::try_from(&**POLICY);
        // A page without its styles is better than one without a policy.
        let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }
}

/// The sections of `styles` with these names, one after the other.
fn sections(styles: &str, names: &[&str]) -> String {
    let parts = styles.split("/* ---------- ").filter_map(|part| part.split_once(" ---------- */"));
    let wanted = parts.filter(|(name, _)| names.contains(name));
    wanted.map(|(_, rules)| rules.trim_end()).collect()
}

/// `frame` with its places, such as `{{title}}`, filled in. One pass: what is put in has no places.
fn fill(frame: &str, values: &[(&str, &str)]) -> String {
    let mut parts = frame.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for (name, rest) in parts.filter_map(|part| part.split_once("}}")) {
        let value = values.iter().find(|(place, _)| *place == name);
        filled.extend([value.map_or("", |(_, value)| value), rest]);
    }
    filled
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
    use super::{APP_STYLES, FRAME, SECTIONS, STYLES, escape, fill, sections};

    #[test]
    fn the_styles_are_whole_sections_of_those_of_the_app() {
        let styles = "/* ---------- A ---------- */\na { }\n/* ---------- B ---------- */\nb { }\n\n/* \
                      ---------- C ---------- */\nc { }\n";
        assert_eq!(sections(styles, &["C", "A"]), "\na { }\nc { }");
        for name in SECTIONS {
            assert!(!sections(APP_STYLES, &[name]).is_empty(), "{name}");
        }
        assert_eq!(STYLES.matches('{').count(), STYLES.matches('}').count());
        // A `<` would end or begin an element of the page.
        assert!(STYLES.len() < 20_000 && !STYLES.contains('<'), "{}", STYLES.len());
    }

    #[test]
    fn a_title_that_looks_like_a_place_of_the_frame_is_shown_as_it_is() {
        let filled = fill(
            "<{{title}}|{{content}}|{{title}}>",
            &[("title", "{{content}}"), ("content", "{{title}}")],
        );
        assert_eq!(filled, "<{{content}}|{{title}}|{{content}}>");
        let page = fill(FRAME, &[("title", "a"), ("content", "b")]);
        assert!(!page.contains("{{") && page.contains("<h1>a</h1>\nb\n</main>"), "{page}");
    }

    #[test]
    fn text_that_looks_like_markup_is_shown_as_text() {
        let markup = "<a href=\"x\" title='y'>&amp;</a>";
        let shown = "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;";
        assert_eq!(escape(markup), shown);
    }
}
