//! Text: valid UTF-8, or UTF-16 with a byte order mark, without control characters.

use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

use super::source::Source;
use super::{InspectionError, Rejection};

/// Before these many bytes are there, nothing is decided: the signature of PDF has as many.
const START_BYTES: usize = 5;

/// The check of a text, which sees its bytes in order and holds at most five of them.
///
/// It is saved and continued with serde, as the digest of a large file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextCheck {
    encoding: Option<Encoding>,
    /// Bytes that are the beginning of a character, or of the file.
    pending: Vec<u8>,
    invalid: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
}

impl TextCheck {
    /// At the beginning of a text.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a check that has seen nothing is no default")]
    pub fn new() -> Self {
        Self { encoding: None, pending: Vec::new(), invalid: false }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// `ContentMismatch` for control characters and PDF: this is no text.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        self.take(bytes, false)
    }

    /// Takes the end of the text.
    ///
    /// # Errors
    /// As [`Self::update`], and `TextEncoding` when it is a text in another encoding.
    pub fn finish(mut self) -> Result<(), Rejection> {
        self.take(&[], true)?;
        if self.invalid || !self.pending.is_empty() {
            return Err(Rejection::TextEncoding);
        }
        Ok(())
    }

    /// All of a file.
    pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), InspectionError> {
        let mut check = Self::new();
        let mut place = 0;
        while place < source.length() {
            let count = Source::<R>::READ_AHEAD.min(source.length() - place);
            check.update(source.bytes(place, count)?.unwrap_or_default())?;
            place += count;
        }
        Ok(check.finish()?)
    }

    fn take(&mut self, bytes: &[u8], is_end: bool) -> Result<(), Rejection> {
        let joined;
        let mut bytes = bytes;
        if !self.pending.is_empty() {
            joined = [self.pending.as_slice(), bytes].concat();
            bytes = &joined;
        }
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None if bytes.len() < START_BYTES && !is_end => {
                self.pending = bytes.to_vec();
                return Ok(());
            }
            None => {
                if bytes.starts_with(b"%PDF-") {
                    return Err(Rejection::ContentMismatch);
                }
                match bytes {
                    [0xff, 0xfe, ..] => Encoding::Utf16LittleEndian,
                    [0xfe, 0xff, ..] => Encoding::Utf16BigEndian,
                    _ => Encoding::Utf8,
                }
            }
        };
        self.encoding = Some(encoding);
        let rest = match encoding {
            Encoding::Utf8 => self.take_utf8(bytes)?,
            Encoding::Utf16LittleEndian => self.take_utf16(bytes, u16::from_le_bytes)?,
            Encoding::Utf16BigEndian => self.take_utf16(bytes, u16::from_be_bytes)?,
        };
        self.pending = rest.to_vec();
        Ok(())
    }

    /// The bytes of a character that is not complete.
    fn take_utf8<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Rejection> {
        // In another encoding than UTF-8 these are control characters as well.
        if bytes.iter().any(|byte| is_control(u16::from(*byte))) {
            return Err(Rejection::ContentMismatch);
        }
        if self.invalid {
            return Ok(&[]);
        }
        let Err(error) = std::str::from_utf8(bytes) else { return Ok(&[]) };
        if error.error_len().is_some() {
            self.invalid = true;
            return Ok(&[]);
        }
        Ok(bytes.get(error.valid_up_to()..).unwrap_or_default())
    }

    fn take_utf16<'a>(
        &mut self,
        bytes: &'a [u8],
        unit: fn([u8; 2]) -> u16,
    ) -> Result<&'a [u8], Rejection> {
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first_chunk() {
            let first = unit(*first);
            if is_control(first) {
                return Err(Rejection::ContentMismatch);
            }
            rest = match first {
                0xd800..=0xdbff => match after.split_first_chunk() {
                    None => break,
                    Some((second, after)) if (0xdc00..=0xdfff).contains(&unit(*second)) => after,
                    Some(_) => {
                        self.invalid = true;
                        after
                    }
                },
                0xdc00..=0xdfff => {
                    self.invalid = true;
                    after
                }
                _ => after,
            };
        }
        Ok(rest)
    }
}

/// ASCII's control characters, but not tab, line ends and form feed.
fn is_control(unit: u16) -> bool {
    matches!(unit, 0..=8 | 0x0b | 0x0e..=0x1f | 0x7f)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pieces: &[&[u8]]) -> Result<(), Rejection> {
        let mut check = TextCheck::new();
        for piece in pieces {
            check.update(piece)?;
            // As between two runs of the job.
            check = serde_json::from_str(&serde_json::to_string(&check).unwrap()).unwrap();
            assert!(check.pending.len() < START_BYTES);
        }
        check.finish()
    }

    fn utf16(text: &str) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn utf8_and_utf16_with_a_mark_are_taken() {
        for text in ["", "a", "grüße\r\n", "\u{feff}with a mark", "日本語", "😀", "a\tb\x0cc"]
        {
            assert_eq!(check(&[text.as_bytes()]), Ok(()), "{text:?}");
            assert_eq!(check(&[&utf16(text)]), Ok(()), "{text:?}");
            let swapped: Vec<_> =
                utf16(text).chunks(2).flat_map(|unit| [unit[1], unit[0]]).collect();
            assert_eq!(check(&[&swapped]), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn other_encodings_are_refused() {
        let mut half = utf16("a");
        half.push(b'b');
        for bytes in [
            b"caf\xe9;1\r\n".as_slice(), // Windows-1252
            b"\xe2\x82",                 // the beginning of a character
            b"\xc0\xaf",                 // a slash, in more bytes than it needs
            b"\xed\xa0\x80",             // half of a surrogate pair
            b"\xff\xfe\x00\xd8",         // the same in UTF-16
            b"\xff\xfe\x00\xdc\x41\x00",
            b"\xff\xfe\x00\xd8\x41\x00",
            &half,
        ] {
            assert_eq!(check(&[bytes]), Err(Rejection::TextEncoding), "{bytes:x?}");
        }
    }

    #[test]
    fn what_has_control_characters_or_is_pdf_is_no_text() {
        for bytes in [
            b"\x7fELF".as_slice(),
            b"\0",
            b"caf\xe9\x01",
            b"%PDF-1.7\n",
            b"\xff\xfea\0\0\0",
            b"\xfe\xff\0\x1b",
        ] {
            assert_eq!(check(&[bytes]), Err(Rejection::ContentMismatch), "{bytes:x?}");
        }
        assert_eq!(check(&[b"A PDF begins with %PDF-."]), Ok(()));
    }

    proptest! {
        #[test]
        fn where_the_pieces_are_cut_does_not_matter(
            start in prop_oneof![
                Just(vec![]), Just(vec![0xff, 0xfe]), Just(vec![0xfe, 0xff]), Just(b"%PDF-".to_vec())
            ],
            rest in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..20),
                "\\PC{0,8}".prop_map(String::into_bytes),
            ],
            cuts in proptest::collection::vec(0..25_usize, 0..4),
        ) {
            let bytes = [start, rest].concat();
            let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut <= bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(check(&pieces), check(&[&bytes]));
        }

        #[test]
        fn all_of_unicode_but_control_characters_is_taken(text in "\\PC*") {
            prop_assert_eq!(check(&[text.as_bytes()]), Ok(()));
            prop_assert_eq!(check(&[&utf16(&text)]), Ok(()));
        }
    }
}
