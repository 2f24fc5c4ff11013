//! Which types of file are taken, and whether a file is what its name says.

use std::io::Cursor;

use zip::ZipArchive;

use crate::{FileName, Invalid};

/// A type of file that can be recognised by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileType {
    extension: String,
    content: Content,
}

/// How a type is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Office Open XML: a zip that lists its parts' types and keeps the document in `folder`
    /// (ECMA-376, part 2).
    OfficeOpenXml { folder: &'static str, media_type: &'static str },
    /// Text of any encoding that keeps control characters out.
    Text { media_type: &'static str },
    /// The first bytes, as the `infer` crate knows them.
    Signature,
}

impl FileType {
    /// The type that goes with `extension`.
    fn of_extension(extension: &str) -> Option<Self> {
        let office = |folder, media_type| Content::OfficeOpenXml { folder, media_type };
        let content = match extension {
            "docx" => office(
                "word/",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ),
            "pptx" => office(
                "ppt/",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            ),
            "xlsx" => {
                office("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
            }
            "txt" => Content::Text { media_type: "text/plain" },
            "csv" => Content::Text { media_type: "text/csv" },
            other if infer::is_supported(other) => Content::Signature,
            _ => return None,
        };
        Some(Self { extension: extension.to_owned(), content })
    }

    /// The media type of `bytes` when they are of this type.
    fn recognise(&self, bytes: &[u8]) -> Option<&'static str> {
        match self.content {
            Content::OfficeOpenXml { folder, media_type } => {
                is_office_document(bytes, folder).then_some(media_type)
            }
            Content::Text { media_type } => is_text(bytes).then_some(media_type),
            // A docx is a zip as well, and may be called so.
            Content::Signature if self.extension == "zip" => {
                ZipArchive::new(Cursor::new(bytes)).is_ok().then_some("application/zip")
            }
            Content::Signature => infer::get(bytes)
                .filter(|found| found.extension() == self.extension)
                .map(|found| found.mime_type()),
        }
    }
}

fn is_office_document(bytes: &[u8], folder: &str) -> bool {
    // Reads the list of entries only; nothing is unpacked, so a zip bomb costs nothing.
    let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else { return false };
    let mut names = archive.file_names();
    archive.index_for_name("[Content_Types].xml").is_some()
        && names.any(|name| name.is_ok_and(|name| name.starts_with(folder)))
}

fn is_text(bytes: &[u8]) -> bool {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r\x0c".contains(byte);
    (utf16 && bytes.len().is_multiple_of(2))
        || (!bytes.iter().any(control) && !bytes.starts_with(b"%PDF-"))
}

/// Why a file was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeRefusal {
    /// Its extension is not on the list.
    NotAllowed,
    /// Its content is not what its extension says.
    ContentMismatch,
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

    /// The media type of a file, decided by its name and content.
    ///
    /// # Errors
    /// When the name's extension is not allowed or the content is of another type.
    pub fn media_type(&self, name: &FileName, bytes: &[u8]) -> Result<&'static str, TypeRefusal> {
        let extension = name.extension();
        let allowed = self.0.iter().find(|known| known.extension == usual_spelling(&extension));
        let file_type = allowed.ok_or(TypeRefusal::NotAllowed)?;
        file_type.recognise(bytes).ok_or(TypeRefusal::ContentMismatch)
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
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    #[test]
    fn the_list_names_each_extension_once_in_its_usual_spelling() {
        assert_eq!(AllowedFileTypes::parse("jpeg, .PDF,csv").unwrap().names(), "jpg, pdf, csv");
    }

    fn zip_of(names: &[&str]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for name in names {
            writer.start_file(*name, stored).unwrap();
            writer.write_all(b"<xml/>").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn check(name: &str, bytes: &[u8]) -> Result<&'static str, TypeRefusal> {
        let allowed = AllowedFileTypes::parse(AllowedFileTypes::DEFAULT).unwrap();
        allowed.media_type(&FileName::parse(name).unwrap(), bytes)
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn content_of_the_named_type_is_taken() {
        let docx = zip_of(&["[Content_Types].xml", "word/document.xml"]);
        assert!(check("a.docx", &docx).unwrap().ends_with("wordprocessingml.document"));
        assert_eq!(check("a.zip", &docx), Ok("application/zip"), "a docx is a zip too");
        let behind_other_bytes = [b"self-extracting".as_slice(), &docx].concat();
        assert_eq!(check("a.zip", &behind_other_bytes), Ok("application/zip"));
        let pptx = zip_of(&["[Content_Types].xml", "ppt/presentation.xml"]);
        assert!(check("a.pptx", &pptx).unwrap().ends_with("presentationml.presentation"));
        let xlsx = zip_of(&["[Content_Types].xml", "xl/workbook.xml"]);
        assert!(check("a.xlsx", &xlsx).unwrap().ends_with("spreadsheetml.sheet"));
        assert_eq!(check("a.PNG", PNG), Ok("image/png"));
        assert_eq!(check("a.pdf", b"%PDF-1.7\n"), Ok("application/pdf"));
        assert_eq!(check("a.jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF"), Ok("image/jpeg"));
        assert_eq!(check("a.txt", "grüße".as_bytes()), Ok("text/plain"));
        assert_eq!(check("a.csv", b"caf\xe9;1\r\n"), Ok("text/csv"), "Windows-1252");
        assert_eq!(check("a.txt", b"\xff\xfeh\0i\0"), Ok("text/plain"), "UTF-16 of Notepad");
    }

    #[test]
    fn content_of_another_type_is_refused() {
        let plain_zip = zip_of(&["a.txt"]);
        let docx = zip_of(&["[Content_Types].xml", "word/document.xml"]);
        for (name, bytes) in [
            ("a.pdf", PNG),
            ("a.docx", &plain_zip),
            ("a.xlsx", &docx),
            ("a.docx", b"PK\x03\x04"),
            ("a.txt", PNG),
            ("a.csv", b"%PDF-1.7\n"),
            ("a.png", b""),
            ("a.zip", b"PK"),
        ] {
            assert_eq!(check(name, bytes), Err(TypeRefusal::ContentMismatch), "{name}");
        }
    }

    #[test]
    fn an_extension_off_the_list_is_refused_whatever_the_content() {
        for name in ["a.exe", "a.pdf.exe", "noextension", "a.html", "a.docm"] {
            assert_eq!(check(name, b"%PDF-1.7\n"), Err(TypeRefusal::NotAllowed), "{name}");
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
