//! The name that a file had where it came from.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_DISPOSITION;
use percent_encoding::percent_decode_str;
use url::Url;

/// The file's name: `filename*`, else `filename` of `Content-Disposition` (RFC 6266), else the
/// URL's last segment. For an export, `export_name` replaces the last segment, which is an id, and
/// gives the extension to a name without it.
pub(crate) fn propose(
    headers: &HeaderMap,
    url: &Url,
    export_name: Option<&'static str>,
) -> Option<String> {
    let sent = headers
        .get(CONTENT_DISPOSITION)
        .and_then(|value| from_content_disposition(value.as_bytes()));
    match (sent, export_name) {
        (Some(name), Some(export_name)) => Some(with_extension_of(export_name, name)),
        (Some(name), None) => Some(name),
        (None, Some(export_name)) => Some(export_name.to_owned()),
        (None, None) => {
            let segment = url.path_segments()?.next_back().filter(|segment| !segment.is_empty())?;
            Some(percent_decode_str(segment).decode_utf8_lossy().into_owned())
        }
    }
}

fn with_extension_of(export_name: &str, name: String) -> String {
    let extension = export_name.split_once('.').map_or("", |(_, extension)| extension);
    let has_it = name.rsplit_once('.').is_some_and(|(_, own)| own.eq_ignore_ascii_case(extension));
    if has_it { name } else { format!("{name}.{extension}") }
}

fn from_content_disposition(value: &[u8]) -> Option<String> {
    // Servers send UTF-8, and some ISO 8859-1, which is what HTTP once said.
    let text = std::str::from_utf8(value).map_or_else(|_| latin_1(value), str::to_owned);
    let parameters = parameters(&text);
    let find = |name: &str| {
        parameters.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    find("filename*")
        .and_then(|value| decode_extended(value))
        .or_else(|| find("filename").cloned())
        .filter(|name| !name.is_empty())
}

/// The parameters after the disposition's type, with quoted values unquoted.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut rest = text.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, remaining) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted)
        } else {
            let (value, remaining) = after.split_once(';').unwrap_or((after, ""));
            (value.trim_end().to_owned(), remaining)
        };
        let name = name.trim_start_matches([';', ' ', '\t']).trim_end();
        parameters.push((name.to_owned(), value));
        rest = remaining;
    }
    parameters
}

/// A quoted string without its first quote, and what stands after its last one.
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(character),
        }
    }
    (value, characters.as_str())
}

/// `UTF-8'en'na%C3%AFve.txt` (RFC 8187, section 3.2).
fn decode_extended(value: &str) -> Option<String> {
    let (charset, value) = value.split_once('\'')?;
    let (_language, value) = value.split_once('\'')?;
    let bytes = percent_decode_str(value);
    if charset.eq_ignore_ascii_case("UTF-8") {
        return bytes.decode_utf8().ok().map(Cow::into_owned);
    }
    charset.eq_ignore_ascii_case("ISO-8859-1").then(|| latin_1(&bytes.collect::<Vec<u8>>()))
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn the_name_comes_from_the_header_else_from_the_url() {
        let url = "https://example.com/a/Quarter%203%20%C3%BC.pdf?x=1";
        for (case, header, expected) in [
            ("no header", "", "Quarter 3 ü.pdf"),
            ("no parameters", "attachment", "Quarter 3 ü.pdf"),
            ("a token", "attachment; filename=report.pdf", "report.pdf"),
            ("quoted", "attachment; filename=\"report 3.pdf\"", "report 3.pdf"),
            ("upper case", "ATTACHMENT; FILENAME=\"report.pdf\"", "report.pdf"),
            ("a semicolon in quotes", "attachment; filename=\"a;b=c.pdf\"", "a;b=c.pdf"),
            ("an escaped quote", r#"attachment; filename="a \"b\".pdf""#, "a \"b\".pdf"),
            ("spaces without quotes", "attachment; filename=a b.pdf", "a b.pdf"),
            ("spaces around", "attachment ; filename = \"a.pdf\" ", "a.pdf"),
            ("no closing quote", "attachment; filename=\"a.pdf", "a.pdf"),
            ("exact", "attachment; filename*=UTF-8''na%C3%AFve%20plan.txt", "naïve plan.txt"),
            ("exact, a language", "attachment; filename*=utf-8'en'a%2Bb.txt", "a+b.txt"),
            ("exact, ISO 8859-1", "attachment; filename*=iso-8859-1''na%EFve.txt", "naïve.txt"),
            (
                "exact before simple",
                "attachment; filename=\"x.txt\"; filename*=UTF-8''y.txt",
                "y.txt",
            ),
            ("exact comes first", "attachment; filename*=UTF-8''y.txt; filename=x.txt", "y.txt"),
            ("exact is not UTF-8", "attachment; filename*=UTF-8''%FF; filename=x.txt", "x.txt"),
            ("an unknown charset", "attachment; filename*=KOI8-R''%FF; filename=x.txt", "x.txt"),
            ("an empty name", "attachment; filename=\"\"", "Quarter 3 ü.pdf"),
            ("other parameters", "attachment; size=\"3;\"; filename=x.txt", "x.txt"),
            ("a path is not changed", "attachment; filename=\"../../x\"", "../../x"),
            ("raw UTF-8", "attachment; filename=\"ü.txt\"", "ü.txt"),
        ] {
            let mut headers = HeaderMap::new();
            if !header.is_empty() {
                let value = HeaderValue::from_bytes(header.as_bytes()).unwrap();
                headers.insert(CONTENT_DISPOSITION, value);
            }
            let name = propose(&headers, &url.parse().unwrap(), None);
            assert_eq!(name.as_deref(), Some(expected), "{case}");
        }
    }

    #[test]
    fn raw_latin_1_is_read_as_such() {
        assert_eq!(
            from_content_disposition(b"attachment; filename=\"\xfc.txt\"").as_deref(),
            Some("ü.txt")
        );
    }

    #[test]
    fn a_url_without_a_last_segment_gives_no_name() {
        let name = |url: &str| propose(&HeaderMap::new(), &url.parse().unwrap(), None);
        assert_eq!(name("https://example.com"), None);
        assert_eq!(name("https://example.com/folder/"), None);
    }

    #[test]
    fn an_export_has_its_extension() {
        let url: Url = "https://doc-0.googleusercontent.com/1a2b3c".parse().unwrap();
        for (header, expected) in [
            ("attachment", "document.docx"),
            ("attachment; filename=\"Plan\"", "Plan.docx"),
            ("attachment; filename=\"Plan.docx\"", "Plan.docx"),
            ("attachment; filename=\"Plan.DOCX\"", "Plan.DOCX"),
            ("attachment; filename=\"Plan v1.2\"", "Plan v1.2.docx"),
        ] {
            let headers = HeaderMap::from_iter([(
                CONTENT_DISPOSITION,
                header.parse::<HeaderValue>().unwrap(),
            )]);
            let name = propose(&headers, &url, Some("document.docx"));
            assert_eq!(name.as_deref(), Some(expected), "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = from_content_disposition(&value);
        }
    }
}
