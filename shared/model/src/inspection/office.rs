//! Office Open XML: what an archive holds is said by `[Content_Types].xml`, and what refers to what
//! by the parts called `.rels` (ECMA-376, part 2).
//!
//! A program that opens the document follows these two, not the names of folders. So do the checks.

use std::collections::HashMap;
use std::collections::hash_map;
use std::io::{Cursor, Read, Seek};

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::archive::{Archive, Entry};
use super::source::Source;
use super::{InspectionError, Rejection};

/// The largest part that is unpacked. Excel permits 65,530 links in a sheet, of which each has about
/// 200 bytes in a `.rels` part.
pub(crate) const MAX_PART_BYTES: u64 = 16 * 1024 * 1024;

/// The largest `[Content_Types].xml`, which is held as a table: 400 bytes for each of 10,000 parts.
pub(crate) const MAX_TYPES_BYTES: u64 = 4 * 1024 * 1024;

/// All that is unpacked of one document, so that many parts take no longer than a few large ones.
pub(crate) const MAX_PARTS_BYTES: u64 = 64 * 1024 * 1024;

/// The most that a document may claim to unpack to: Apache POI's limit for each part. Office opens
/// nothing near it.
pub(crate) const MAX_UNPACKED_BYTES: u64 = 4 << 30;

const CONTENT_TYPES: &str = "[content_types].xml";
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Content types of parts with code: VBA, and the macro sheets of Excel 4. `macroEnabled` is in the
/// types of main parts and of embedded documents.
const MACRO_TYPES: [&str; 4] = ["macroenabled", "vbaproject", "vbadata", "macrosheet"];
const MACRO_NAMES: [&str; 2] = ["vbaproject.bin", "vbadata.xml"];
const MACRO_RELATIONSHIPS: [&str; 4] =
    ["vbaproject", "wordvbadata", "xlmacrosheet", "xlintlmacrosheet"];

const OBJECT_TYPES: [&str; 2] = ["oleobject", "activex"];
const OBJECT_RELATIONSHIPS: [&str; 4] = ["oleobject", "control", "activexcontrolbinary", "afchunk"];

/// What is loaded as a part of the document, or runs, when it is opened. Links, pictures and links
/// to other workbooks are not among them: Office asks before it follows those, or shows them alone.
const LOADED_RELATIONSHIPS: [&str; 7] =
    ["attachedtemplate", "oleobject", "package", "frame", "subdocument", "afchunk", "control"];

/// The last part of the type of the relationship that leads to the main part.
const MAIN_RELATIONSHIP: &str = "officedocument";

/// Whether the archive is a package: names of its parts do not depend on case.
pub(crate) fn is_package(archive: &Archive) -> bool {
    archive.entries.iter().any(|entry| part_name(entry) == CONTENT_TYPES)
}

/// Checks a document of the type `media_type`, such as
/// `application/vnd.openxmlformats-officedocument.wordprocessingml.document`, whose main part is in
/// `folder`, such as `word/`.
pub(crate) fn check_document<R: Read + Seek>(
    source: &mut Source<R>,
    archive: &Archive,
    media_type: &str,
    folder: &str,
) -> Result<(), InspectionError> {
    if !is_package(archive) {
        return Err(Rejection::ContentMismatch.into());
    }
    let size = archive.entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
    if size > MAX_UNPACKED_BYTES {
        return Err(Rejection::EntriesTooLarge.into());
    }
    let package = Package::read(source, archive)?;
    package.check_main_part(&format!("{media_type}.main+xml"), folder)?;
    Ok(())
}

/// Checks what is called a plain archive, and is a package: its extension does not make it safe.
pub(crate) fn check_package<R: Read + Seek>(
    source: &mut Source<R>,
    archive: &Archive,
) -> Result<(), InspectionError> {
    Package::read(source, archive).map(|_| ())
}

/// A package without macros, embedded objects and external parts.
struct Package {
    /// Each part's content type by its name, both in lower case.
    parts: HashMap<String, String>,
    /// Where the relationships called `officeDocument` of the package itself lead.
    main_targets: Vec<String>,
}

impl Package {
    fn read<R: Read + Seek>(
        source: &mut Source<R>,
        archive: &Archive,
    ) -> Result<Self, InspectionError> {
        let mut names: Vec<_> = archive.entries.iter().map(part_name).collect();
        if names.iter().any(|name| MACRO_NAMES.iter().any(|end| name.ends_with(end))) {
            return Err(Rejection::Macros.into());
        }
        // Names that differ in case alone are one name here.
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Rejection::DuplicateNames.into());
        }
        if archive.entries.iter().any(|entry| !entry.has_plain_method()) {
            return Err(Rejection::MalformedDocument.into());
        }
        let mut budget = MAX_PARTS_BYTES;
        let mut types = ContentTypes::default();
        let mut relationships = Relationships::default();
        for entry in &archive.entries {
            let name = part_name(entry);
            if name == CONTENT_TYPES {
                for_each_element(
                    &unpack(source, entry, MAX_TYPES_BYTES, &mut budget)?,
                    |element| types.add(element),
                )?;
            } else if extension(&name) == "rels" {
                let of_package = name == "_rels/.rels";
                for_each_element(
                    &unpack(source, entry, MAX_PART_BYTES, &mut budget)?,
                    |element| relationships.add(element, of_package),
                )?;
            } else if is_embedded_workbook(&name) {
                let workbook = unpack(source, entry, MAX_PART_BYTES, &mut budget)?;
                check_embedded_workbook(workbook)?;
            } else if has_folder(&name, "embeddings") || has_folder(&name, "activex") {
                return Err(Rejection::EmbeddedObject.into());
            }
        }
        let parts = archive.entries.iter().map(part_name).map(|name| {
            let content_type = types.of(&name);
            (name, content_type)
        });
        Ok(Self { parts: parts.collect(), main_targets: relationships.main_targets })
    }

    /// There is a main part of this type and none of another, and the package leads to it. One that
    /// says of no part that it is the main one is taken by the folder in which programs keep it:
    /// Office does not open it, and nothing else of it is trusted.
    fn check_main_part(&self, main_type: &str, folder: &str) -> Result<(), Rejection> {
        let main_type = main_type.to_lowercase();
        let mut main_types = self.parts.values().filter(|found| found.ends_with(".main+xml"));
        let mut main_targets = self.main_targets.iter();
        let fits = match main_types.next() {
            Some(first) => {
                *first == main_type
                    && main_types.all(|found| *found == main_type)
                    && main_targets.all(|target| self.parts.get(target) == Some(&main_type))
            }
            None => {
                self.parts.keys().any(|name| name.starts_with(folder))
                    && main_targets.all(|target| target.starts_with(folder))
            }
        };
        if fits { Ok(()) } else { Err(Rejection::ContentMismatch) }
    }
}

/// The data of a chart, or a workbook put into the document. Others than workbooks are refused.
fn is_embedded_workbook(name: &str) -> bool {
    has_folder(name, "embeddings") && extension(name) == "xlsx"
}

/// A workbook in a document is inspected as one that is uploaded. It may have none in itself.
fn check_embedded_workbook(content: Vec<u8>) -> Result<(), InspectionError> {
    let length = content.len() as u64;
    let mut source = Source::new(Cursor::new(content), length);
    let archive = match Archive::read(&mut source) {
        Err(InspectionError::Rejected(Rejection::ContentMismatch)) => {
            return Err(Rejection::EmbeddedObject.into());
        }
        other => other?,
    };
    let nested = |entry| has_folder(&part_name(entry), "embeddings");
    if archive.entries.iter().any(nested) {
        return Err(Rejection::EmbeddedObject.into());
    }
    check_document(&mut source, &archive, WORKBOOK, "xl/").map_err(|error| match error {
        InspectionError::Rejected(Rejection::ContentMismatch) => Rejection::EmbeddedObject.into(),
        other => other,
    })
}

/// A part's name as programs compare it: without the slash in front, and without regard to case.
fn part_name(entry: &Entry) -> String {
    String::from_utf8_lossy(&entry.name).to_ascii_lowercase()
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn has_folder(name: &str, folder: &str) -> bool {
    let mut components = name.rsplit('/').skip(1);
    components.any(|component| component == folder)
}

fn unpack<R: Read + Seek>(
    source: &mut Source<R>,
    entry: &Entry,
    limit: u64,
    budget: &mut u64,
) -> Result<Vec<u8>, InspectionError> {
    let content = Archive::unpack(source, entry, limit.min(*budget))?;
    *budget -= content.len() as u64;
    Ok(content)
}

#[derive(Default)]
struct ContentTypes {
    by_extension: HashMap<String, String>,
    by_name: HashMap<String, String>,
}

impl ContentTypes {
    fn add(&mut self, element: &BytesStart<'_>) -> Result<(), Rejection> {
        let (list, key) = match element.local_name().as_ref() {
            b"Default" => (&mut self.by_extension, "Extension"),
            b"Override" => (&mut self.by_name, "PartName"),
            _ => return Ok(()),
        };
        let key = attribute(element, key)?.ok_or(Rejection::MalformedDocument)?;
        let content_type = attribute(element, "ContentType")?;
        let content_type = content_type.ok_or(Rejection::MalformedDocument)?.to_ascii_lowercase();
        // Whether or not a part has it.
        if MACRO_TYPES.iter().any(|part| content_type.contains(part)) {
            return Err(Rejection::Macros);
        }
        if OBJECT_TYPES.iter().any(|part| content_type.contains(part)) {
            return Err(Rejection::EmbeddedObject);
        }
        let key = key.trim_start_matches('/').to_ascii_lowercase();
        match list.entry(key) {
            hash_map::Entry::Occupied(_) => Err(Rejection::MalformedDocument),
            hash_map::Entry::Vacant(place) => {
                place.insert(content_type);
                Ok(())
            }
        }
    }

    fn of(&self, name: &str) -> String {
        let by_name = self.by_name.get(name);
        by_name.or_else(|| self.by_extension.get(extension(name))).cloned().unwrap_or_default()
    }
}

#[derive(Default)]
struct Relationships {
    main_targets: Vec<String>,
}

impl Relationships {
    fn add(&mut self, element: &BytesStart<'_>, of_package: bool) -> Result<(), Rejection> {
        if element.local_name().as_ref() != b"Relationship" {
            return Ok(());
        }
        let target = attribute(element, "Target")?.ok_or(Rejection::MalformedDocument)?;
        let kind = attribute(element, "Type")?.ok_or(Rejection::MalformedDocument)?;
        let mode = attribute(element, "TargetMode")?.unwrap_or_default();
        // What one reader trims, decodes or cuts off, and another one does not.
        let plain = |text: &String| text.trim() == text;
        if ![&target, &kind, &mode].into_iter().all(plain)
            || kind.contains(['%', '?', '#'])
            || kind.ends_with('/')
            || !["", "internal", "external"].contains(&&*mode.to_ascii_lowercase())
        {
            return Err(Rejection::MalformedDocument);
        }
        let kind = kind.to_ascii_lowercase();
        let kind = kind.rsplit('/').next().unwrap_or_default();
        let external = mode.eq_ignore_ascii_case("External")
            || target.contains("://")
            || target.starts_with("\\\\");
        if external && LOADED_RELATIONSHIPS.contains(&kind) {
            return Err(Rejection::ExternalTemplate);
        }
        if MACRO_RELATIONSHIPS.contains(&kind) {
            return Err(Rejection::Macros);
        }
        // A workbook in a folder of this name is inspected; nothing else is.
        let is_workbook = || {
            let target = target.to_ascii_lowercase();
            let mut path = target.rsplit('/');
            let name = path.next().unwrap_or_default();
            extension(name) == "xlsx" && path.next() == Some("embeddings") && !target.contains('%')
        };
        if OBJECT_RELATIONSHIPS.contains(&kind) || (kind == "package" && !is_workbook()) {
            return Err(Rejection::EmbeddedObject);
        }
        if of_package && kind == MAIN_RELATIONSHIP {
            let target = target.trim_start_matches("./").trim_start_matches('/');
            self.main_targets.push(target.to_ascii_lowercase());
        }
        Ok(())
    }
}

/// Calls `visit` for each element of a part. Document types are refused, and so is any encoding but
/// UTF-8: what is read here must be what Office reads.
fn for_each_element(
    part: &[u8],
    mut visit: impl FnMut(&BytesStart<'_>) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let malformed = Rejection::MalformedDocument;
    let text = std::str::from_utf8(part).map_err(|_| malformed)?;
    let mut reader = Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        match reader.read_event().map_err(|_| malformed)? {
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose().map_err(|_| malformed)?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case(b"UTF-8")) {
                    return Err(malformed);
                }
            }
            Event::Start(element) => {
                depth += 1;
                visit(&element)?;
            }
            Event::Empty(element) => visit(&element)?,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof if depth == 0 => return Ok(()),
            Event::DocType(_) | Event::Eof => return Err(malformed),
            _ => {}
        }
    }
}

/// An attribute without a prefix, with references to characters resolved.
fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Rejection> {
    let malformed = Rejection::MalformedDocument;
    let mut value = None;
    // The reader's own check for repeated names compares each with each.
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| malformed)?;
        if attribute.key.as_ref() == name.as_bytes() {
            let text =
                attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| malformed)?;
            if value.replace(text.into_owned()).is_some() {
                return Err(malformed);
            }
        }
    }
    Ok(value)
}
