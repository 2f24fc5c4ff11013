//! Which types of file are taken, and whether a file is what its name says.

use std::io::{Read, Seek};

use crate::inspection::archive::Archive;
use crate::inspection::source::Source;
use crate::inspection::{image, office, pdf};
use crate::{FileName, InspectionError, Invalid, MAX_UPLOAD_BYTES, Rejection, TextCheck};

/// What `infer` is given: as much as it reads of a file itself.
const HEAD_BYTES: u64 = 8192;

/// Of the formats of Office 97 and others it reads a directory, which may be anywhere.
const COMPOUND_HEAD_BYTES: u64 = MAX_UPLOAD_BYTES as u64;
const COMPOUND_SIGNATURE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// A type of file that can be recognised by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileType {
    extension: String,
    content: Content,
}

/// How a type is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Office Open XML: a zip that says of each part what it is (ECMA-376, part 2).
    OfficeOpenXml { media_type: &'static str, folder: &'static str },
    /// Text in UTF-8 or UTF-16, without control characters.
    Text { media_type: &'static str },
    /// A zip of anything.
    Zip,
    /// The first bytes, as the `infer` crate knows them, and for some types the structure.
    Signature,
}

impl FileType {
    /// The type that goes with `extension`.
    fn of_extension(extension: &str) -> Option<Self> {
        let content = match extension {
            "docx" => Content::OfficeOpenXml {
                media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                folder: "word/",
            },
            "pptx" => Content::OfficeOpenXml {
                media_type: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                folder: "ppt/",
            },
            "xlsx" => Content::OfficeOpenXml {
                media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                folder: "xl/",
            },
            "zip" => Content::Zip,
            "txt" => Content::Text { media_type: "text/plain" },
            "csv" => Content::Text { media_type: "text/csv" },
            other if infer::is_supported(other) => Content::Signature,
            _ => return None,
        };
        Some(Self { extension: extension.to_owned(), content })
    }

    /// The media type of a file that is of this type and in order.
    fn inspect<R: Read + Seek>(
        &self,
        source: &mut Source<R>,
    ) -> Result<&'static str, InspectionError> {
        match self.content {
            Content::OfficeOpenXml { media_type, folder } => {
                let archive = Archive::read(source)?;
                office::check_document(source, &archive, media_type, folder)?;
                Ok(media_type)
            }
            Content::Text { media_type } => {
                TextCheck::check(source)?;
                Ok(media_type)
            }
            // A docx is a zip as well, and may be called so.
            Content::Zip => {
                check_archive(source)?;
                Ok("application/zip")
            }
            Content::Signature => self.inspect_signature(source),
        }
    }

    fn inspect_signature<R: Read + Seek>(
        &self,
        source: &mut Source<R>,
    ) -> Result<&'static str, InspectionError> {
        let is_compound = source.starts_with(COMPOUND_SIGNATURE)?;
        let head = source.head(if is_compound { COMPOUND_HEAD_BYTES } else { HEAD_BYTES })?;
        let found = infer::get(head).filter(|found| found.extension() == self.extension);
        let media_type = found.ok_or(Rejection::ContentMismatch)?.mime_type();
        if head.starts_with(b"PK\x03\x04") {
            check_archive(source)?; // such as OpenDocument and EPUB
        } else if media_type == "application/pdf" {
            pdf::check(source)?;
        } else if media_type.starts_with("image/") {
            image::check(source, media_type)?;
        }
        Ok(media_type)
    }
}

fn check_archive<R: Read + Seek>(source: &mut Source<R>) -> Result<(), InspectionError> {
    let archive = Archive::read(source)?;
    if office::is_package(&archive) {
        office::check_package(source, &archive)?;
    }
    Ok(())
}

/// The types that an installation takes, from `ALLOWED_FILE_TYPES`.
#[derive(Debug, Clone)]
pub struct AllowedFileTypes(Vec<FileType>);

impl AllowedFileTypes {
    /// What is taken when nothing else is configured.
    pub const DEFAULT: &str = "pptx,docx,xlsx,pdf,png,jpg,txt,csv,zip";

    /// Reads a comma-separated list of extensions.
    ///
    /// # Errors
    /// When it is empty or names a type whose content cannot be recognised.
    pub fn parse(list: &str) -> Result<Self, Invalid> {
        let types = list.split(',').map(|item| {
            let extension =
                usual_spelling(&item.trim().trim_start_matches('.').to_lowercase()).to_owned();
            FileType::of_extension(&extension).ok_or_else(|| {
                Invalid::because("must list extensions of known types, such as pdf,docx,png")
            })
        });
        types.collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// The media type of a file of `length` bytes, decided by its name and content.
    ///
    /// Of a text every byte is read; of other files, what `docs/inspection.md` says. `content` is
    /// read from any place, in any order, each time for as many bytes as are useful: from S3, each
    /// read can be one request. It is read from its start, whatever its position.
    ///
    /// # Errors
    /// `Rejected` when its extension is not allowed, its content is of another type or is not taken.
    /// `Unreadable` when `content` cannot be read or ends before `length`.
    pub fn inspect(
        &self,
        name: &FileName,
        content: impl Read + Seek,
        length: u64,
    ) -> Result<&'static str, InspectionError> {
        self.file_type(name)?.inspect(&mut Source::new(content, length))
    }

    /// The check of a file of which every byte counts, and the media type of what passes it: for a
    /// reader that goes through the file once, for its digest, and would not read it again. `None`
    /// when [`Self::inspect`] reads no more than it must.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn text_check(
        &self,
        name: &FileName,
    ) -> Result<Option<(TextCheck, &'static str)>, Rejection> {
        Ok(match self.file_type(name)?.content {
            Content::Text { media_type } => Some((TextCheck::new(), media_type)),
            _ => None,
        })
    }

    fn file_type(&self, name: &FileName) -> Result<&FileType, Rejection> {
        let extension = name.extension();
        let allowed = self.0.iter().find(|known| known.extension == usual_spelling(&extension));
        allowed.ok_or(Rejection::NotAllowed)
    }

    /// Whether the name's extension is allowed.
    #[must_use]
    pub fn allow(&self, name: &FileName) -> bool {
        let extension = name.extension();
        self.0.iter().any(|known| known.extension == usual_spelling(&extension))
    }

    /// The list, for messages.
    #[must_use]
    pub fn names(&self) -> String {
        self.0.iter().map(|known| known.extension.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn usual_spelling(extension: &str) -> &str {
    if extension == "jpeg" { "jpg" } else { extension }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::inspection::samples::{document, word, zip_document, zip_of};

    #[test]
    fn the_list_names_each_extension_once_in_its_usual_spelling() {
        assert_eq!(AllowedFileTypes::parse("jpeg, .PDF,csv").unwrap().names(), "jpg, pdf, csv");
    }

    fn check(name: &str, bytes: &[u8]) -> Result<&'static str, Rejection> {
        check_by(AllowedFileTypes::DEFAULT, name, bytes)
    }

    fn check_by(list: &str, name: &str, bytes: &[u8]) -> Result<&'static str, Rejection> {
        let allowed = AllowedFileTypes::parse(list).unwrap();
        let name = FileName::parse(name).unwrap();
        match allowed.inspect(&name, Cursor::new(bytes), bytes.len() as u64) {
            Ok(media_type) => Ok(media_type),
            Err(InspectionError::Rejected(rejection)) => Err(rejection),
            Err(InspectionError::Unreadable(error)) => panic!("{error}"),
        }
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn content_of_the_named_type_is_taken() {
        let docx = zip_document(&word());
        assert!(check("a.docx", &docx).unwrap().ends_with("wordprocessingml.document"));
        assert_eq!(check("a.zip", &docx), Ok("application/zip"), "a docx is a zip too");
        let pptx = document("ppt/presentation.xml", "presentationml.presentation");
        let pptx = check("a.pptx", &zip_document(&pptx)).unwrap();
        assert!(pptx.ends_with("presentationml.presentation"));
        let xlsx = document("xl/workbook.xml", "spreadsheetml.sheet");
        assert!(check("a.xlsx", &zip_document(&xlsx)).unwrap().ends_with("spreadsheetml.sheet"));
        assert_eq!(check("a.PNG", PNG), Ok("image/png"));
        assert_eq!(check("a.pdf", b"%PDF-1.7\n"), Ok("application/pdf"));
        assert_eq!(check("a.jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF"), Ok("image/jpeg"));
        assert_eq!(check("a.txt", "grüße".as_bytes()), Ok("text/plain"));
        assert_eq!(check("a.txt", b"\xff\xfeh\0i\0"), Ok("text/plain"), "UTF-16 of Notepad");
    }

    #[test]
    fn content_of_another_type_is_refused() {
        let plain_zip = zip_of(&[("a.txt", "")]);
        let docx = zip_document(&word());
        let (first_half, second_half) = docx.split_at(docx.len() / 2);
        for (name, bytes) in [
            ("a.pdf", PNG),
            ("a.docx", &plain_zip),
            ("a.xlsx", &docx),
            ("a.docx", b"PK\x03\x04"),
            ("a.docx", first_half),
            ("a.docx", second_half),
            ("a.txt", PNG),
            ("a.csv", b"%PDF-1.7\n"),
            ("a.png", b""),
            ("a.zip", b""),
            ("a.zip", b"PK"),
            ("a.zip", b"a note"),
        ] {
            assert_eq!(check(name, bytes), Err(Rejection::ContentMismatch), "{name}");
        }
    }

    #[test]
    fn a_text_in_a_code_page_is_refused() {
        assert_eq!(check("a.csv", b"caf\xe9;1\r\n"), Err(Rejection::TextEncoding));
    }

    #[test]
    fn an_extension_off_the_list_is_refused_whatever_the_content() {
        for name in ["a.exe", "a.pdf.exe", "noextension", "a.html", "a.docm"] {
            assert_eq!(check(name, b"%PDF-1.7\n"), Err(Rejection::NotAllowed), "{name}");
        }
    }

    #[test]
    fn an_archive_is_inspected_whatever_its_extension() {
        let mut docm = word();
        docm.push(("word/vbaProject.bin".into(), "code".into()));
        let docm = zip_document(&docm);
        assert_eq!(check("a.docx", &docm), Err(Rejection::Macros));
        assert_eq!(check("a.zip", &docm), Err(Rejection::Macros));
        let epub = zip_of(&[("mimetype", "application/epub+zip"), ("a.txt", "")]);
        assert_eq!(check_by("epub", "a.epub", &epub), Ok("application/epub+zip"));
        let twice = [epub, b"more".to_vec()].concat();
        assert_eq!(check_by("epub", "a.epub", &twice), Err(Rejection::TrailingData));
    }

    #[test]
    fn a_text_can_be_checked_piece_by_piece() {
        let allowed = AllowedFileTypes::parse("csv,zip").unwrap();
        let check = |name| allowed.text_check(&FileName::parse(name).unwrap());
        assert_eq!(check("a.csv"), Ok(Some((TextCheck::new(), "text/csv"))));
        assert_eq!(check("a.zip"), Ok(None));
        assert_eq!(check("a.txt"), Err(Rejection::NotAllowed));
    }

    #[test]
    fn what_cannot_be_read_is_not_rejected() {
        let allowed = AllowedFileTypes::parse(AllowedFileTypes::DEFAULT).unwrap();
        for name in ["a.zip", "a.docx", "a.txt", "a.pdf", "a.png"] {
            let name = FileName::parse(name).unwrap();
            let shorter_than_it_should_be = Cursor::new(b"%PDF");
            let result = allowed.inspect(&name, shorter_than_it_should_be, 100);
            assert!(matches!(result, Err(InspectionError::Unreadable(_))), "{result:?}");
        }
    }

    #[test]
    fn a_list_may_name_other_known_types_but_no_unknown_ones() {
        assert!(AllowedFileTypes::parse("gif, .PDF").is_ok());
        for list in ["", "pdf,", "pdf,docm", "*"] {
            assert!(AllowedFileTypes::parse(list).is_err(), "{list:?}");
        }
    }
}
