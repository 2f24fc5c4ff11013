//! Google's share links, which show a page, and the links that bring the file.

use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use url::Url;

/// The link that brings the file which a share link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The link.
    pub url: Url,
    /// A name with the export's extension, for when the answer has none: `document.docx`. A file
    /// on Drive has its own.
    pub name: Option<&'static str>,
}

/// The link that brings the file, when the address is a share link of Google Docs, Sheets, Slides
/// or Drive; the first three as docx, xlsx and pptx.
///
/// `None` for every other address, and for links that say themselves what to export.
///
/// Google documents none of these links. `confirm=t` skips the page that says that a file is too
/// large to be scanned for viruses; yt-dlp and gdown use the same.
#[must_use]
pub fn export_link(url: &Url) -> Option<Export> {
    let mut path: Vec<&str> = url.path_segments()?.filter(|segment| !segment.is_empty()).collect();
    // `/a/example.com` names an organisation and `/u/1` one of several accounts in a browser.
    for prefix in ["a", "u"] {
        if path.first() == Some(&prefix) && path.len() > 2 {
            path.drain(..2);
        }
    }
    if path.get(1) == Some(&"u") && path.len() > 3 {
        path.drain(1..3);
    }
    let host = url.host_str()?;
    match (host, path.as_slice()) {
        ("docs.google.com", [kind, "d", id, rest @ ..])
            if is_id(id) && rest.first() != Some(&"export") =>
        {
            let (name, export) = match *kind {
                "document" => ("document.docx", "document/d/ID/export?format=docx"),
                "spreadsheets" => ("spreadsheet.xlsx", "spreadsheets/d/ID/export?format=xlsx"),
                "presentation" => ("presentation.pptx", "presentation/d/ID/export?format=pptx"),
                "file" => return drive_file(url, id),
                _ => return None,
            };
            let link = format!("https://docs.google.com/{}", export.replace("ID", id));
            Some(Export { url: with_resource_key(&link, url)?, name: Some(name) })
        }
        ("drive.google.com", ["file", "d", id, ..]) => drive_file(url, id),
        ("drive.google.com" | "docs.google.com", ["open" | "uc"])
        | ("drive.usercontent.google.com", ["download" | "uc"]) => {
            drive_file(url, &query(url, "id")?)
        }
        _ => None,
    }
}

fn drive_file(url: &Url, id: &str) -> Option<Export> {
    if !is_id(id) {
        return None;
    }
    let link =
        format!("https://drive.usercontent.google.com/download?id={id}&export=download&confirm=t");
    Some(Export { url: with_resource_key(&link, url)?, name: None })
}

/// A resource key is part of the permission for files that were shared before September 2021.
fn with_resource_key(link: &str, original: &Url) -> Option<Url> {
    let mut link = Url::parse(link).ok()?;
    if let Some(key) = query(original, "resourcekey") {
        link.query_pairs_mut().append_pair("resourcekey", &key);
    }
    Some(link)
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// `e` stands before the id of a page published to the web, which cannot be exported.
fn is_id(text: &str) -> bool {
    text != "e"
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether this is Google's page for logging in, to which what is not shared redirects.
pub(crate) fn is_log_in(url: &Url) -> bool {
    url.host_str() == Some("accounts.google.com")
}

/// Whether an answer of Google shows a page instead of bringing a file. A file that happens to be
/// HTML is sent as an attachment.
pub(crate) fn is_page(url: &Url, headers: &HeaderMap) -> bool {
    let begins = |name, prefix: &[u8]| {
        headers.get(name).is_some_and(|value: &http::HeaderValue| {
            value
                .as_bytes()
                .get(..prefix.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
        })
    };
    url.host_str().is_some_and(|host| {
        host.ends_with(".google.com") || host.ends_with(".googleusercontent.com")
    }) && begins(CONTENT_TYPE, b"text/html")
        && !begins(CONTENT_DISPOSITION, b"attachment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_google_is_told_from_a_file() {
        for (case, url, content_type, disposition, page) in [
            ("a page of Drive", "https://drive.google.com/x", "text/html; charset=utf-8", "", true),
            ("upper case", "https://drive.usercontent.google.com/x", "Text/HTML", "", true),
            ("shown inline", "https://doc-0.googleusercontent.com/x", "text/html", "inline", true),
            (
                "an HTML file",
                "https://docs.google.com/x",
                "text/html",
                "attachment; filename=a",
                false,
            ),
            ("a PDF", "https://docs.google.com/x", "application/pdf", "", false),
            ("another host", "https://example.com/x", "text/html", "", false),
            ("a name that ends alike", "https://evilgoogle.com/x", "text/html", "", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
            if !disposition.is_empty() {
                headers.insert(CONTENT_DISPOSITION, disposition.parse().unwrap());
            }
            assert_eq!(is_page(&url.parse().unwrap(), &headers), page, "{case}");
        }
    }
}
