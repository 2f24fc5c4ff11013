//! Why a file is not taken.

use std::{fmt, io};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! rejections {
    ($($variant:ident $text:literal;)*) => {
        /// Why a file was not taken. In JSON it is the name in `snake_case`; the text goes into
        /// "The file was not taken: …."
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Rejection {
            $(#[doc = $text] $variant,)*
        }

        impl Rejection {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The rest of the sentence "The file was not taken: …."
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

rejections! {
    NotAllowed "files of its type are not taken";
    ContentMismatch "its content is not what its name's extension says";
    MalformedArchive "the archive's lists of its entries are broken or contradict each other";
    TooManyEntries "the archive has more than 10,000 entries, or a list of them of over 8 MiB";
    EntriesTooLarge "it would unpack to more bytes than are permitted";
    CompressionRatio "it would unpack to more than 100 times its size";
    DuplicateNames "two entries of the archive have one name";
    DataBeforeArchive "an archive follows other bytes";
    TrailingData "other bytes follow its end";
    EncryptedEntry "an entry of the archive is encrypted";
    UnsafeEntryName "the name of an entry of the archive leads out of it, or deceives";
    OverlappingEntries "entries of the archive share bytes";
    Macros "the document has macros";
    ExternalTemplate "the document loads a template, an object or a part from elsewhere";
    EmbeddedObject "the document has an embedded object";
    TextEncoding "the text is neither UTF-8, nor UTF-16 with a byte order mark";
    MalformedImage "the image is broken, or has over 1,073,741,824 pixels";
    MalformedDocument "the document's structure is broken";
    DigestMismatch "its SHA-256 is not the one that was announced";
    Malware "malware was found in it";
    ScanFailed "it could not be scanned for malware";
    TooLarge "it is larger than is permitted";
    QuotaExceeded "it would exceed the quota";
    ImportFailed "it could not be fetched";
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

/// Why there is no media type.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// The file is not taken.
    #[error("the file was not taken: {0}")]
    Rejected(Rejection),
    /// The file could not be read. This says nothing about it: try again.
    #[error("the file could not be read")]
    Unreadable(#[from] io::Error),
}

impl From<Rejection> for InspectionError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_snake_case_and_texts_fit_into_the_sentence() {
        for rejection in Rejection::ALL {
            let code = serde_json::to_string(rejection).unwrap();
            assert!(code.trim_matches('"').bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert_eq!(serde_json::from_str::<Rejection>(&code).unwrap(), *rejection);
            let text = rejection.to_string();
            assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        }
    }
}
