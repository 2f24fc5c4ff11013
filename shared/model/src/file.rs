//! What is known about a file beside its bytes.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::user::uuid_v7;
use crate::{ContentDigest, Invalid, UserId, Username, rfc3339_millis};

/// The largest file that travels through the gateway: 4 MiB.
///
/// A Lambda event is at most 6 MB and carries the body as base64, which leaves about 4.5 MB for
/// the multipart form around the file.
pub const MAX_UPLOAD_BYTES: usize = 4 * 1024 * 1024;

/// A file's identity and the key under which its bytes are stored, a UUID version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileId(Uuid);

impl FileId {
    /// An identity born at `now`; `random` keeps apart those of one millisecond.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(uuid_v7(now, random))
    }

    /// The second in which it was born.
    #[must_use]
    pub fn born_at(self) -> Timestamp {
        let born = self.0.get_timestamp().map(|born| born.to_unix().0);
        let second = born.and_then(|second| i64::try_from(second).ok()).unwrap_or_default();
        Timestamp::from_second(second).unwrap_or_default()
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for FileId {
    type Err = Invalid;

    /// Accepts only the hyphenated form that answers carry, in either case (RFC 9562, section 4).
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match Uuid::try_parse(text) {
            Ok(id) if text.len() == 36 => Ok(Self(id)),
            _ => Err(Invalid::because("must be a file id as the file list shows it")),
        }
    }
}

/// The name that the uploader gave a file: 1 to 255 bytes of Unicode, a plain name without a path.
///
/// It is shown and sent back, never used as a path or key. Control characters would forge headers
/// or log lines, and direction marks would let `gpj.exe` look like `exe.jpg`.
///
/// Whatever is read is checked as [`FileName::parse`] does: a name that a server says, too. So these
/// rules can become looser and not stricter, or records of before could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct FileName(String);

impl TryFrom<String> for FileName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl FileName {
    /// In bytes of UTF-8, as most file systems have it.
    pub const MAX_BYTES: usize = 255;

    /// # Errors
    /// When the name is empty, too long, a path, or holds characters that deceive.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |reason: &str| Err(Invalid::because(reason));
        if text.trim().is_empty() {
            return refuse("the file needs a name");
        }
        if text.len() > Self::MAX_BYTES {
            return refuse("the file name must be at most 255 bytes of UTF-8");
        }
        if text.contains(['/', '\\']) {
            return refuse("the file name must not be a path");
        }
        if text.chars().any(|c| c.is_control() || deceives(c)) {
            return refuse("the file name must not hold control or direction characters");
        }
        if text.starts_with([' ', '.']) || text.ends_with([' ', '.']) {
            return refuse("the file name must not begin or end with a dot or a space");
        }
        Ok(Self(text.to_owned()))
    }

    /// The nearest name to one that comes from elsewhere: the last part of a path, without control
    /// and direction characters, and without dots and spaces around it; of a name that is too long
    /// the beginning and the extension. `None` when nothing is left.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        let last = text.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next()?;
        let plain: String = last.chars().filter(|c| !c.is_control() && !deceives(*c)).collect();
        let around = |c: char| c == '.' || c.is_whitespace();
        let name = plain.trim_matches(around);
        if name.len() <= Self::MAX_BYTES {
            return Self::parse(name).ok();
        }
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let most = Self::MAX_BYTES.checked_sub(extension.len() + 1)?;
        let stem = stem.get(..stem.floor_char_boundary(most)).unwrap_or_default();
        Self::parse(&format!("{}.{extension}", stem.trim_end_matches(around))).ok()
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the last dot, in lower case; empty when there is no dot.
    #[must_use]
    pub fn extension(&self) -> String {
        self.0.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_lowercase())
    }
}

/// The form in which texts are compared without regard to case, and to how a keyboard composes
/// letters: Unicode's default caseless matching, and Normalization Form C.
#[must_use]
pub fn caseless(text: &str) -> String {
    // By way of the upper case, which letters such as the two small sigmas share. Letter by letter,
    // because the lower case of a sigma depends on its place in a word.
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// Unicode's bidirectional controls (UAX #9), separators and invisible characters, but not the
/// joiners that Persian and Indic names and emoji need.
pub(crate) fn deceives(character: char) -> bool {
    matches!(character,
        '\u{061C}' | '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// One file, as the Files table holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Identity.
    pub id: FileId,
    /// Name given by the uploader.
    pub filename: FileName,
    /// Bytes.
    pub size: u64,
    /// Media type, decided by extension and content, not by the uploader.
    pub content_type: String,
    /// Digest of the bytes.
    pub sha256: ContentDigest,
    /// The name that the uploader had then.
    pub uploaded_by: Username,
    /// Who that was; none in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploader: Option<UserId>,
    /// When it was complete.
    #[serde(with = "rfc3339_millis")]
    pub uploaded_at: Timestamp,
    /// Whether the uploader is told of the first complete download of each link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notify: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_upload_leaves_room_in_a_lambda_event_of_6_mb_as_base64() {
        assert_eq!(MAX_UPLOAD_BYTES, 4_194_304);
        assert!(MAX_UPLOAD_BYTES.div_ceil(3) * 4 < 6_000_000);
    }

    #[test]
    fn a_file_id_has_hyphens_and_is_read_in_either_case() {
        let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        assert_eq!(text.parse::<FileId>().unwrap().to_string(), text);
        assert!(text.to_uppercase().parse::<FileId>().is_ok());
        for other in [text.replace('-', ""), format!("{{{text}}}"), format!("urn:uuid:{text}")] {
            assert!(other.parse::<FileId>().is_err(), "{other}");
        }
    }

    #[test]
    fn name_length_is_checked_in_bytes_at_and_one_above() {
        assert!(FileName::parse(&format!("{}.txt", "a".repeat(251))).is_ok());
        assert!(FileName::parse(&format!("{}.txt", "a".repeat(252))).is_err());
        assert!(FileName::parse(&format!("{}.txt", "é".repeat(126))).is_err(), "256 bytes");
    }

    #[test]
    fn names_that_deceive_or_escape_are_refused() {
        for name in [
            "",
            "  ",
            "..",
            "../a.txt",
            "a/b.txt",
            "a\\b.txt",
            "a\0.txt",
            "a\r\nSet-Cookie: x.txt",
            "a\u{202E}txt.exe",
            "\u{FEFF}a.txt",
            ".htaccess",
            "a.txt.",
            " a.txt",
            "a.txt ",
        ] {
            assert!(FileName::parse(name).is_err(), "{name:?} was accepted");
        }
        for name in ["a.txt", "Bericht Q3 – Übersicht.docx", "say \"hi\".pdf", "日本語.csv"] {
            assert!(FileName::parse(name).is_ok(), "{name:?} was refused");
        }
    }

    #[test]
    fn the_nearest_name_is_a_part_of_what_was_given() {
        let long = format!("{}.pdf", "é".repeat(200));
        for (given, nearest) in [
            ("report.pdf", Some("report.pdf")),
            ("../../etc/report.pdf", Some("report.pdf")),
            ("C:\\files\\report.pdf", Some("report.pdf")),
            ("folder/", Some("folder")),
            ("re\r\nport\u{202e}.pdf", Some("report.pdf")),
            (" .report.pdf. ", Some("report.pdf")),
            (&long, Some(format!("{}.pdf", "é".repeat(125)).as_str())),
            ("..", None),
            ("\u{200b}", None),
            ("", None),
        ] {
            let name = FileName::nearest(given);
            assert_eq!(name.as_ref().map(FileName::as_str), nearest, "{given:?}");
        }
    }

    #[test]
    fn the_last_extension_counts() {
        assert_eq!(FileName::parse("report.pdf.EXE").unwrap().extension(), "exe");
        assert_eq!(FileName::parse("noext").unwrap().extension(), "");
    }

    #[test]
    fn texts_that_differ_in_case_or_composition_only_are_one() {
        for (one, other) in [
            ("Übersicht.PDF", "übersicht.pdf"),
            ("U\u{308}bersicht", "\u{fc}bersicht"),
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("ΟΔΟΣ", "οδοσ"),
            ("100%_a*b\"c", "100%_A*B\"C"),
        ] {
            assert_eq!(caseless(one), caseless(other));
        }
        assert_ne!(caseless("u"), caseless("ü"));
        assert!(caseless("ΟΔΟΣΑ").contains(&caseless("ΟΔΟΣ")));
    }

    proptest! {
        #[test]
        fn the_caseless_form_of_a_caseless_form_is_the_same(text in "\\PC{0,40}") {
            let once = caseless(&text);
            prop_assert_eq!(caseless(&once), once);
        }

        #[test]
        fn an_accepted_name_is_one_line_without_a_path(text in "\\PC{0,90}|(?s).{0,90}") {
            if let Ok(name) = FileName::parse(&text) {
                prop_assert!(!name.as_str().contains(['/', '\\', '\r', '\n', '\0']));
                prop_assert!((1..=255).contains(&name.as_str().len()));
            }
        }

        #[test]
        fn what_is_read_is_checked_as_what_is_given(text in "\\PC{0,90}|(?s).{0,90}|[a-z./ ]{1,5}") {
            let json = serde_json::to_string(&text).unwrap();
            let read = serde_json::from_str::<FileName>(&json).ok();
            prop_assert_eq!(&read, &FileName::parse(&text).ok());
            if let Some(name) = read {
                prop_assert_eq!(serde_json::to_string(&name).unwrap(), json);
            }
        }

        #[test]
        fn any_text_has_a_nearest_name_or_none(text in "\\PC{0,300}|(?s).{0,300}") {
            if let Some(name) = FileName::nearest(&text) {
                prop_assert!(FileName::parse(name.as_str()).is_ok());
            }
        }

        #[test]
        fn a_file_id_survives_its_text(millis in 0_i64..4_000_000_000_000, random: [u8; 10]) {
            let id = FileId::new(Timestamp::from_millisecond(millis).unwrap(), random);
            prop_assert_eq!(id.to_string().parse::<FileId>().unwrap(), id);
        }

        #[test]
        fn other_texts_are_not_file_ids(text in ".{0,60}") {
            prop_assume!(Uuid::try_parse(&text).is_err());
            prop_assert!(text.parse::<FileId>().is_err());
        }
    }
}
