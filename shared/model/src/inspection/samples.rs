//! Archives and documents for tests, and readers that count or make up their bytes.

use std::io::{Cursor, Read, Result, Seek, SeekFrom, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub(crate) const WORD: &str = "wordprocessingml.document";

/// A zip with these entries, not compressed.
pub(crate) fn zip_of<B: AsRef<[u8]>>(entries: &[(&str, B)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in entries {
        writer.start_file(*name, stored).unwrap();
        writer.write_all(content.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The same entries, compressed. The `zip` crate comes without DEFLATE here.
pub(crate) fn deflated(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let entries = entries.iter().map(|(name, content)| {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(content);
        Raw {
            name: name.as_bytes().to_vec(),
            data: encoder.finish().unwrap(),
            size: u32::try_from(content.len()).unwrap(),
            crc32: crc.sum(),
            method: 8,
            flags: 0,
            comment: 0,
        }
    });
    raw_zip(&entries.collect::<Vec<_>>())
}

/// An entry in every detail.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) name: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) size: u32,
    pub(crate) crc32: u32,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    /// The length of its comment, of spaces.
    pub(crate) comment: usize,
}

impl Raw {
    pub(crate) fn stored(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        Self {
            name: name.as_ref().to_vec(),
            data: data.to_vec(),
            size: u32::try_from(data.len()).unwrap(),
            crc32: crc.sum(),
            method: 0,
            flags: 0,
            comment: 0,
        }
    }

    /// All of a header that both lists have.
    fn common(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [20, self.flags, self.method, 0, 0x21] {
            bytes.extend(number.to_le_bytes());
        }
        let packed = u32::try_from(self.data.len()).unwrap();
        for number in [self.crc32, packed, self.size] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }
}

/// Writes what it is given, however wrong.
pub(crate) fn raw_zip(entries: &[Raw]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = u32::try_from(bytes.len()).unwrap();
        bytes
            .extend([b"PK\x03\x04".as_slice(), &entry.common(), &entry.name, &entry.data].concat());
        directory.extend([b"PK\x01\x02\x14\0".as_slice(), &entry.common()].concat());
        directory.extend(u16::try_from(entry.comment).unwrap().to_le_bytes());
        directory.extend([0; 8]);
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
        directory.extend(vec![b' '; entry.comment]);
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let numbers = [directory.len(), bytes.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
    bytes.extend(directory);
    bytes.extend(
        [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &numbers.concat(), &[0, 0]].concat(),
    );
    bytes
}

/// `[Content_Types].xml` with these overrides.
pub(crate) fn content_types(overrides: &[(&str, &str)]) -> String {
    let overrides = overrides
        .iter()
        .map(|(part, kind)| format!(r#"<Override PartName="{part}" ContentType="{kind}"/>"#))
        .collect::<Vec<_>>()
        .concat();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>"#
    )
}

/// A `.rels` part with one relationship; `end` goes into its element.
pub(crate) fn relationship(kind: &str, target: &str, end: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}" {end}/></Relationships>"#
    )
}

/// The entries of a document whose main part is `part`, of the kind `wordprocessingml.document` or
/// such.
pub(crate) fn document(part: &str, kind: &str) -> Vec<(String, String)> {
    let main = format!("application/vnd.openxmlformats-officedocument.{kind}.main+xml");
    vec![
        ("[Content_Types].xml".into(), content_types(&[(&format!("/{part}"), &main)])),
        ("_rels/.rels".into(), relationship("officeDocument", part, "")),
        (part.into(), "<document/>".into()),
    ]
}

pub(crate) fn word() -> Vec<(String, String)> {
    document("word/document.xml", WORD)
}

pub(crate) fn zip_document(entries: &[(String, String)]) -> Vec<u8> {
    let entries: Vec<_> =
        entries.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
    deflated(&entries)
}

/// `start`, zeros and `end`, together of any length; and how much of it was read.
pub(crate) struct Sparse {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Vec<u8>,
    pub(crate) length: u64,
    pub(crate) read: u64,
    place: u64,
}

impl Sparse {
    pub(crate) fn new(start: &[u8], end: &[u8], length: u64) -> Self {
        Self { start: start.to_vec(), end: end.to_vec(), length, read: 0, place: 0 }
    }
}

impl Read for &mut Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.length.saturating_sub(self.place);
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..count];
        buffer.fill(0);
        let end_start = self.length - self.end.len() as u64;
        for (start, bytes) in [(0, &self.start), (end_start, &self.end)] {
            // Where the two ranges meet, in the file.
            let from = start.max(self.place);
            let to = (start + bytes.len() as u64).min(self.place + count as u64);
            if from < to {
                let range = |base| {
                    let at = |place: u64| usize::try_from(place - base).unwrap();
                    at(from)..at(to)
                };
                buffer[range(self.place)].copy_from_slice(&bytes[range(start)]);
            }
        }
        self.place += count as u64;
        self.read += count as u64;
        Ok(count)
    }
}

impl Seek for &mut Sparse {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let SeekFrom::Start(place) = to else { return Err(std::io::ErrorKind::Unsupported.into()) };
        self.place = place;
        Ok(place)
    }
}
