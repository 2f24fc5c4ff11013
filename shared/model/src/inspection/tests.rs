//! Hand-made files for each rejection, at and on both sides of each limit.

use std::io::Cursor;

use proptest::prelude::*;
use zip::ZipArchive;

use super::archive::{
    MAX_DIRECTORY_BYTES, MAX_ENTRIES, MAX_RATIO, MAX_UNPACKED_BYTES, RATIO_FROM_BYTES,
};
use super::samples::{
    Raw, Sparse, content_types, deflated, document, raw_zip, relationship, word, zip_document,
    zip_of,
};
use super::{InspectionError, Rejection, office};
use crate::{AllowedFileTypes, FileName};

type Verdict = Result<(), Rejection>;

fn check(name: &str, bytes: &[u8]) -> Verdict {
    verdict(name, Cursor::new(bytes), bytes.len() as u64)
}

fn verdict(name: &str, content: impl std::io::Read + std::io::Seek, length: u64) -> Verdict {
    let allowed = AllowedFileTypes::parse("zip,docx,xlsx,pptx,pdf,png,jpg,gif,webp,bmp,txt");
    match allowed.unwrap().inspect(&FileName::parse(name).unwrap(), content, length) {
        Ok(_) => Ok(()),
        Err(InspectionError::Rejected(rejection)) => Err(rejection),
        Err(InspectionError::Unreadable(error)) => panic!("{name}: {error}"),
    }
}

/// Replaces `old`, which occurs `times` times.
fn replace(bytes: &[u8], old: &[u8], new: &[u8], times: usize) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    let mut found = 0;
    for place in 0..=bytes.len() - old.len() {
        if bytes[place..].starts_with(old) {
            bytes[place..place + old.len()].copy_from_slice(new);
            found += 1;
        }
    }
    assert_eq!(found, times);
    bytes
}

/// Writes `new` at `offset` after the last `signature`.
fn patch(bytes: &[u8], signature: &[u8], offset: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let start = super::source::last_position(&bytes, signature).unwrap() + offset;
    bytes[start..start + new.len()].copy_from_slice(new);
    bytes
}

const END: &[u8] = b"PK\x05\x06";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

fn two_entries() -> Vec<u8> {
    zip_of(&[("a.txt", "first"), ("folder/b.txt", "second")])
}

#[test]
fn archives_as_programs_write_them_are_taken() {
    let mut commented = two_entries();
    let place = commented.len() - 2;
    commented.splice(place.., [5, 0]).for_each(drop);
    commented.extend(b"hello");
    let nested = zip_of(&[("inner.zip", two_entries())]);
    let mut streamed = Raw::stored("a.txt", b"data");
    streamed.flags = 1 << 3;
    let streamed = patch(&raw_zip(&[streamed]), LOCAL, 14, &[0; 12]); // checksum and sizes follow
    let mut code_page = Raw::stored(b"b\x81cher.txt", b""); // "bücher.txt" in CP437
    code_page.flags = 0;
    for (what, bytes) in [
        ("two entries", two_entries()),
        ("none", raw_zip(&[])),
        ("a comment", commented),
        ("an archive in it", nested),
        ("a folder and what is in it", zip_of(&[("a/", ""), ("a/b", ""), ("a!", ""), ("A/b", "")])),
        ("compressed entries", deflated(&[("a.txt", &[b'a'; 1000])])),
        ("sizes that follow the data", streamed),
        ("a name in a code page", raw_zip(&[code_page])),
        ("names that end in dots", zip_of(&[("a..", ""), ("..b", ""), ("...", "")])),
    ] {
        assert_eq!(check("a.zip", &bytes), Ok(()), "{what}");
    }
}

#[test]
fn an_archive_begins_with_its_first_entry_and_ends_with_its_comment() {
    let zip = two_entries();
    let prefixed = [b"MZ self-extracting".as_slice(), &zip].concat();
    // As `zip -A` does it: offsets count from the beginning of the file.
    let adjust = |bytes: &[u8], shift: u32, starts: &[u32]| {
        let mut bytes = bytes.to_vec();
        let mut place = bytes.len() - 6;
        let directory = u32::from_le_bytes(*bytes[place..].first_chunk().unwrap()) + shift;
        bytes[place..place + 4].copy_from_slice(&directory.to_le_bytes());
        place = directory as usize;
        for start in starts {
            bytes[place + 42..place + 46].copy_from_slice(&(start + shift).to_le_bytes());
            place += 46 + usize::from(bytes[place + 28]);
        }
        bytes
    };
    let second = u32::try_from(super::source::last_position(&zip, LOCAL).unwrap()).unwrap();
    assert_eq!(check("a.zip", &adjust(&zip, 0, &[0, second])), Ok(()), "the surgery itself");
    for (what, bytes, expected) in [
        ("a program in front", prefixed.clone(), Rejection::DataBeforeArchive),
        ("and right offsets", adjust(&prefixed, 18, &[0, second]), Rejection::DataBeforeArchive),
        (
            "bytes before none",
            [b"1".as_slice(), &raw_zip(&[])].concat(),
            Rejection::DataBeforeArchive,
        ),
        ("an archive in front", [zip.clone(), zip.clone()].concat(), Rejection::DataBeforeArchive),
        ("one byte behind", [zip.as_slice(), b"\n"].concat(), Rejection::TrailingData),
        ("64 KiB behind", [zip.as_slice(), &vec![0; 65_535]].concat(), Rejection::TrailingData),
        ("a comment too short", patch(&zip, END, 20, &[1, 0]), Rejection::MalformedArchive),
        (
            "an end in the comment",
            [&patch(&zip, END, 20, &[22, 0]), END, &[0; 16], &[9, 0]].concat(),
            Rejection::MalformedArchive,
        ),
        ("its first byte missing", zip[1..].to_vec(), Rejection::ContentMismatch),
        ("its last byte missing", zip[..zip.len() - 1].to_vec(), Rejection::MalformedArchive),
        ("its end missing", zip[..zip.len() - 22].to_vec(), Rejection::ContentMismatch),
    ] {
        assert_eq!(check("a.zip", &bytes), Err(expected), "{what}");
    }
}

#[test]
fn lists_that_contradict_each_other_are_refused() {
    let zip = zip_of(&[("a.txt", "content")]);
    let malformed = Rejection::MalformedArchive;
    for (what, bytes, expected) in [
        ("another disk", patch(&zip, END, 4, &[1, 0]), malformed),
        ("another count here", patch(&zip, END, 8, &[2, 0]), malformed),
        ("two entries said", patch(&zip, END, 8, &[2, 0, 2, 0]), malformed),
        ("none said", patch(&zip, END, 8, &[0, 0, 0, 0]), malformed),
        ("an offset too far", patch(&zip, END, 16, &[0xff, 0, 0, 0]), malformed),
        ("a list too long", patch(&zip, END, 12, &[0xff, 0xff, 0, 0]), malformed),
        ("no central header", patch(&zip, CENTRAL, 0, b"X"), malformed),
        ("no local header", patch(&zip, LOCAL, 3, b"X"), malformed),
        ("a header past the list", patch(&zip, CENTRAL, 42, &[0xff; 2]), malformed),
        ("another local name", patch(&zip, LOCAL, 30, b"b"), malformed),
        ("another local size", patch(&zip, LOCAL, 22, &[9]), malformed),
        ("another local packed size", patch(&zip, LOCAL, 18, &[9]), malformed),
        ("another local method", patch(&zip, LOCAL, 8, &[8]), malformed),
        ("encrypted in one list", patch(&zip, LOCAL, 6, &[1]), malformed),
        ("stored in other sizes", patch(&zip, CENTRAL, 20, &[3]), malformed),
        ("a large size, unsaid", patch(&zip, CENTRAL, 24, &[0xff; 4]), malformed),
    ] {
        assert_eq!(check("a.zip", &bytes), Err(expected), "{what}");
    }
    let names = zip_of(&[("a.txt", ""), ("b.txt", "")]);
    let longer = patch(&names, CENTRAL, 28, &[6, 0]);
    assert_eq!(check("a.zip", &longer), Err(malformed), "a name past the list");
}

#[test]
fn names_that_lead_out_deceive_or_come_twice_are_refused() {
    let unsafe_name = Rejection::UnsafeEntryName;
    for (names, expected) in [
        (vec!["../a"], unsafe_name),
        (vec!["a/../b"], unsafe_name),
        (vec!["a/.."], unsafe_name),
        (vec![".."], unsafe_name),
        (vec!["/a"], unsafe_name),
        (vec!["C:a"], unsafe_name),
        (vec!["a\\b"], unsafe_name),
        (vec!["a\0b"], unsafe_name),
        (vec!["a\nb"], unsafe_name),
        (vec!["gpj.\u{202e}exe"], unsafe_name),
        (vec![""], unsafe_name),
        (vec!["a", "b", "a"], Rejection::DuplicateNames),
        (vec!["a/b", "./a//b"], Rejection::DuplicateNames),
        (vec!["a", "a!", "a/b"], Rejection::DuplicateNames),
        (vec!["a/", "a"], Rejection::DuplicateNames),
    ] {
        let entries: Vec<_> = names.iter().map(|name| Raw::stored(name, b"")).collect();
        assert_eq!(check("a.zip", &raw_zip(&entries)), Err(expected), "{names:?}");
    }
    let named = |length| check("a.zip", &raw_zip(&[Raw::stored("a".repeat(length), b"")]));
    assert_eq!([named(4095), named(4096), named(4097)], [Ok(()), Ok(()), Err(unsafe_name)]);
    let mut code_page = Raw::stored(b"b\x81cher.txt", b"");
    code_page.flags = 1 << 11; // says that it is UTF-8
    assert_eq!(check("a.zip", &raw_zip(&[code_page])), Err(Rejection::MalformedArchive));
}

#[test]
fn a_second_name_in_an_extra_field_must_be_safe_and_needed() {
    let with_field = |name: &[u8], other: &[u8]| {
        let length = |length: usize| u16::try_from(length).unwrap().to_le_bytes();
        let mut field =
            [&[0x75, 0x70], length(5 + other.len()).as_slice(), &[1; 5], other].concat();
        let zip = raw_zip(&[Raw::stored(name, b"")]);
        let end = super::source::last_position(&zip, END).unwrap();
        let mut bytes = patch(&zip, CENTRAL, 30, &length(field.len()));
        bytes.splice(end..end, field.drain(..));
        let size = u32::try_from(46 + name.len() + 9 + other.len()).unwrap();
        patch(&bytes, END, 12, &size.to_le_bytes())
    };
    for (name, other, expected) in [
        (b"b\x81.txt".as_slice(), "bü.txt", Ok(())),
        (b"a.txt", "a.txt", Ok(())),
        (b"a.txt", "b.txt", Err(Rejection::MalformedArchive)),
        (b"b\x81.txt", "../bu.txt", Err(Rejection::UnsafeEntryName)),
    ] {
        assert_eq!(check("a.zip", &with_field(name, other.as_bytes())), expected, "{other}");
    }
}

#[test]
fn encrypted_entries_are_refused() {
    let zip = zip_of(&[("a.txt", "content")]);
    for flags in [1_u16, 1 << 6, 1 << 13] {
        let bytes = patch(&zip, CENTRAL, 8, &flags.to_le_bytes());
        assert_eq!(check("a.zip", &bytes), Err(Rejection::EncryptedEntry), "{flags:b}");
    }
    let aes = patch(&zip, CENTRAL, 10, &[99, 0]);
    assert_eq!(check("a.zip", &aes), Err(Rejection::EncryptedEntry));
}

#[test]
fn entries_that_share_bytes_are_refused() {
    let zip = zip_of(&[("a", "12345678"), ("b", "12345678")]);
    let second = super::source::last_position(&zip, LOCAL).unwrap();
    let one_place = patch(&zip, CENTRAL, 42, &[0; 4]);
    let one_place = replace(&one_place, b"b", b"a", 2); // two names, or they are duplicates
    let one_place = patch(&one_place, CENTRAL, 46, b"b");
    let overlapping = Err(Rejection::OverlappingEntries);
    assert_eq!(check("a.zip", &one_place), overlapping, "twice the same");
    let set_sizes = |bytes: &[u8], size: u8| {
        let bytes = replace(bytes, &[8, 0, 0, 0, 8, 0, 0, 0], &[size, 0, 0, 0, size, 0, 0, 0], 4);
        assert_eq!(bytes.len(), zip.len());
        bytes
    };
    assert_eq!(check("a.zip", &set_sizes(&zip, 7)), Ok(()), "a gap");
    assert_eq!(check("a.zip", &set_sizes(&zip, 9)), overlapping, "one byte");
    assert_eq!(second, 39);
}

/// An archive whose directory says that its one entry of `packed` zeros unpacks to `size`.
fn claims(packed: usize, size: u64) -> Vec<u8> {
    let mut entry = Raw::stored("a", &vec![0; packed]);
    entry.method = 8;
    entry.size = u32::try_from(size).unwrap();
    raw_zip(&[entry])
}

#[test]
fn what_unpacks_to_more_than_100_times_its_size_is_refused() {
    let bomb = Err(Rejection::CompressionRatio);
    let packed = usize::try_from(RATIO_FROM_BYTES / MAX_RATIO).unwrap() + 1;
    let limit = packed as u64 * MAX_RATIO;
    assert_eq!(check("a.zip", &claims(packed, limit - 1)), Ok(()));
    assert_eq!(check("a.zip", &claims(packed, limit)), Ok(()));
    assert_eq!(check("a.zip", &claims(packed, limit + 1)), bomb);
    assert_eq!(check("a.zip", &claims(10, RATIO_FROM_BYTES)), Ok(()), "small");
    assert_eq!(check("a.zip", &claims(10, RATIO_FROM_BYTES + 1)), bomb);
    assert_eq!(check("a.zip", &claims(0, RATIO_FROM_BYTES + 1)), bomb, "of nothing");
    let zeros = vec![0; 2 * 1024 * 1024];
    assert_eq!(check("a.zip", &deflated(&[("zeros", &zeros)])), bomb, "a real one");
    let hidden = [Raw::stored("noise", &vec![1; 100_000]), {
        let mut entry = Raw::stored("zeros", &[0; 100]);
        entry.method = 8;
        entry.size = 2_000_000;
        entry
    }];
    assert_eq!(check("a.zip", &raw_zip(&hidden)), bomb, "beside other entries");
    let many: Vec<_> = (0..3)
        .map(|number| {
            let mut entry = Raw::stored(number.to_string(), &[0; 100]);
            entry.method = 8;
            entry.size = u32::try_from(RATIO_FROM_BYTES).unwrap();
            entry
        })
        .collect();
    assert_eq!(check("a.zip", &raw_zip(&many)), bomb, "in small pieces");
}

#[test]
fn an_archive_has_at_most_10_000_entries() {
    let numbered = |count: u64| {
        let entries: Vec<_> =
            (0..count).map(|number| Raw::stored(number.to_string(), b"")).collect();
        check("a.zip", &raw_zip(&entries))
    };
    let verdicts = [MAX_ENTRIES - 1, MAX_ENTRIES, MAX_ENTRIES + 1].map(numbered);
    assert_eq!(verdicts, [Ok(()), Ok(()), Err(Rejection::TooManyEntries)]);
}

/// A directory of this size and one entry, with numbers of zip64: no file is that large.
#[test]
fn a_list_of_entries_has_at_most_8_mib() {
    let with_comments = |length: u64| {
        // Comments of entries fill the list.
        let mut entries: Vec<Raw> = Vec::new();
        let mut rest = length;
        while rest > 0 {
            let header = 46 + 3;
            let comment = (rest - header).min(65_535);
            let comment = if rest - header - comment < header && rest - header > comment {
                comment - header
            } else {
                comment
            };
            entries.push(Raw::stored(format!("{:03}", entries.len()), b""));
            entries.last_mut().unwrap().size = 0;
            rest -= header + comment;
            entries.last_mut().unwrap().comment = usize::try_from(comment).unwrap();
        }
        check("a.zip", &raw_zip(&entries))
    };
    let verdicts =
        [-1, 0, 1].map(|more| with_comments(MAX_DIRECTORY_BYTES.checked_add_signed(more).unwrap()));
    assert_eq!(verdicts, [Ok(()), Ok(()), Err(Rejection::TooManyEntries)]);
}

/// The end of an archive with one stored entry of `size` zeros called `a`, in zip64.
fn zip64(size: u64, claimed: u64, method: u8) -> Sparse {
    let mut local =
        [b"PK\x03\x04\x2d\0\0\0".as_slice(), &[method, 0], &[0; 8], &[0xff; 8]].concat();
    let local_field =
        [&[1, 0, 16, 0], claimed.to_le_bytes().as_slice(), &size.to_le_bytes()].concat();
    local.extend([&[1, 0, 20, 0], b"a".as_slice(), &local_field].concat());
    let offset = local.len() as u64 + size;
    let mut end =
        [b"PK\x01\x02\x2d\0\x2d\0\0\0".as_slice(), &[method, 0], &[0; 8], &[0xff; 8]].concat();
    end.extend([&[1, 0, 20, 0, 0, 0], [0; 12].as_slice(), b"a", &local_field].concat());
    let directory = end.len() as u64;
    end.extend(
        [b"PK\x06\x06".as_slice(), &44_u64.to_le_bytes(), &[45, 0, 45, 0], &[0; 8]].concat(),
    );
    for number in [1, 1, directory, offset] {
        end.extend(number.to_le_bytes());
    }
    end.extend(
        [b"PK\x06\x07\0\0\0\0".as_slice(), &(offset + directory).to_le_bytes(), &[1, 0, 0, 0]]
            .concat(),
    );
    end.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &[0xff; 12], &[0; 2]].concat());
    let length = offset + end.len() as u64;
    Sparse::new(&local, &end, length)
}

#[test]
fn an_archive_of_many_gigabytes_is_checked_from_its_ends() {
    const GIB: u64 = 1 << 30;
    for size in [1, 5 * GIB, 5 << 40] {
        let mut archive = zip64(size, size, 0);
        let length = archive.length;
        assert_eq!(verdict("a.zip", &mut archive, length), Ok(()), "{size}");
        assert!(archive.read < 1024 * 1024, "{} bytes read of {size}", archive.read);
    }
    let packed = MAX_UNPACKED_BYTES / 100 + 1;
    for (claimed, expected) in [
        (MAX_UNPACKED_BYTES - 1, Ok(())),
        (MAX_UNPACKED_BYTES, Ok(())),
        (MAX_UNPACKED_BYTES + 1, Err(Rejection::EntriesTooLarge)),
        (u64::MAX, Err(Rejection::EntriesTooLarge)),
    ] {
        let mut archive = zip64(packed, claimed, 8);
        let length = archive.length;
        assert_eq!(verdict("a.zip", &mut archive, length), expected, "{claimed}");
    }
    let archive = zip64(10, 10, 0);
    let end = &archive.end;
    for (what, end) in [
        ("another count in the old record", patch(end, END, 8, &[2, 0, 2, 0])),
        ("another offset in the locator", patch(end, b"PK\x06\x07", 8, &[0xff])),
        ("another length of the record", patch(end, b"PK\x06\x06", 4, &[45])),
        ("another disk", patch(end, b"PK\x06\x06", 16, &[1])),
        ("an offset past the end", patch(end, b"PK\x06\x06", 48, &[0xff; 8])),
        ("2^64 - 1 entries here", patch(end, b"PK\x06\x06", 24, &[0xff; 8])),
    ] {
        let mut archive = Sparse::new(&archive.start, &end, archive.length);
        let length = archive.length;
        assert_eq!(
            verdict("a.zip", &mut archive, length),
            Err(Rejection::MalformedArchive),
            "{what}"
        );
    }
    let many = patch(end, b"PK\x06\x06", 24, &[0xff; 16]);
    let mut archive = Sparse::new(&archive.start, &many, archive.length);
    let length = archive.length;
    assert_eq!(verdict("a.zip", &mut archive, length), Err(Rejection::TooManyEntries));
}

#[test]
fn ten_gibibytes_of_zeros_are_refused_after_a_few_mebibytes() {
    const LENGTH: u64 = 10 << 30;
    for (name, start, end) in [
        ("a.zip", LOCAL, b"".as_slice()),
        ("a.zip", LOCAL, &raw_zip(&[])),
        ("a.docx", LOCAL, b""),
        ("a.pdf", b"%PDF-1.7", b""),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01", b""),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x04\0\0\xff\xda\0\x02", b""),
        ("a.gif", b"GIF89a\x01\0\x01\0\0\0\0\x21\xf9", b""),
        ("a.webp", b"RIFF\0\0\0\0WEBP", b""),
    ] {
        let mut zeros = Sparse::new(start, end, LENGTH);
        let verdict = verdict(name, &mut zeros, LENGTH);
        assert!(verdict.is_err() || name == "a.jpg", "{name}: {verdict:?}");
        assert!(zeros.read < 33 * 1024 * 1024, "{name}: {} bytes read", zeros.read);
    }
}

fn docx_with(more: &[(&str, &str)]) -> Vec<u8> {
    let mut entries = word();
    for (name, content) in more {
        entries.retain(|(known, _)| known != name);
        entries.push(((*name).into(), (*content).into()));
    }
    zip_document(&entries)
}

const MAIN: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";

#[test]
fn documents_as_office_writes_them_are_taken() {
    let hyperlink = relationship("hyperlink", "https://example.com/", r#"TargetMode="External""#);
    let strict = relationship("x", "word/document.xml", "").replace(
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships/x",
        "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
    );
    for (what, bytes) in [
        ("nothing more", docx_with(&[])),
        ("a link", docx_with(&[("word/_rels/document.xml.rels", &hyperlink)])),
        (
            "a template inside",
            docx_with(&[(
                "word/_rels/settings.xml.rels",
                &relationship("attachedTemplate", "t.dotx", ""),
            )]),
        ),
        ("strict", docx_with(&[("_rels/.rels", &strict)])),
        (
            "an absolute target",
            docx_with(&[(
                "_rels/.rels",
                &relationship("officeDocument", "/word/document.xml", ""),
            )]),
        ),
        (
            "a mark and references",
            docx_with(&[(
                "[Content_Types].xml",
                &format!("\u{feff}{}", content_types(&[("&#47;word/document.xml", MAIN)])),
            )]),
        ),
        ("a binary part", docx_with(&[("word/printerSettings1.bin", "settings")])),
    ] {
        assert_eq!(check("a.docx", &bytes), Ok(()), "{what}");
    }
}

#[test]
fn documents_with_macros_objects_or_external_parts_are_refused() {
    let external =
        |kind| relationship(kind, "https://example.com/t.dotm", r#"TargetMode="External""#);
    let part_of =
        |kind: &str| content_types(&[("/word/document.xml", MAIN), ("/word/x.bin", kind)]);
    let main = |kind: &str| content_types(&[("/word/document.xml", kind)]);
    let internal = |kind| relationship(kind, "x.bin", "");
    let (macros, object) = (Rejection::Macros, Rejection::EmbeddedObject);
    let rels = "word/_rels/document.xml.rels";
    let types = "[Content_Types].xml";
    for (name, content, expected) in [
        ("word/vbaProject.bin", String::new(), macros),
        ("word/VBAPROJECT.BIN", String::new(), macros),
        ("custom/vbaProject.bin", String::new(), macros),
        ("word/vbaData.xml", String::new(), macros),
        (types, part_of("application/vnd.ms-office.vbaProject"), macros),
        (types, part_of("application/vnd.ms-excel.macrosheet+xml"), macros),
        (types, part_of("application/vnd.ms-excel.intlmacrosheet+xml"), macros),
        (types, main("application/vnd.ms-word.document.macroEnabled.main+xml"), macros),
        (types, main("application/vnd.ms-word.document.macro&#x45;nabled.main+xml"), macros),
        (rels, internal("vbaProject"), macros),
        (rels, internal("xlMacrosheet"), macros),
        ("word/_rels/settings.xml.rels", external("attachedTemplate"), Rejection::ExternalTemplate),
        (
            rels,
            external("attachedTemplate").replace("\"External\"", "\"external\""),
            Rejection::ExternalTemplate,
        ),
        (
            rels,
            relationship("attachedTemplate", "file://server/t.dotm", ""),
            Rejection::ExternalTemplate,
        ),
        (
            rels,
            relationship("attachedTemplate", r"\\server\t.dotm", ""),
            Rejection::ExternalTemplate,
        ),
        (rels, external("oleObject"), Rejection::ExternalTemplate),
        (rels, external("frame"), Rejection::ExternalTemplate),
        (rels, external("subDocument"), Rejection::ExternalTemplate),
        (rels, external("aFChunk"), Rejection::ExternalTemplate),
        ("word/embeddings/oleObject1.bin", String::new(), object),
        ("word/embeddings/data.docx", String::new(), object),
        ("word/activeX/activeX1.xml", "<a/>".into(), object),
        (types, part_of("application/vnd.openxmlformats-officedocument.oleObject"), object),
        (types, part_of("application/vnd.ms-office.activeX+xml"), object),
        (rels, internal("oleObject"), object),
        (rels, internal("control"), object),
        (rels, internal("aFChunk"), object),
        (rels, relationship("package", "obj/x.docx", ""), object),
        (rels, relationship("package", "media/x.xlsx", ""), object),
        (rels, relationship("package", "../embeddings/../media/x.xlsx", ""), object),
        (rels, relationship("package", "../embeddings/x%2exlsx", ""), object),
        (rels, external("attachedTemplate "), Rejection::MalformedDocument),
        (rels, external("attachedTemplate&#32;"), Rejection::MalformedDocument),
        (rels, external("attachedTemplate/"), Rejection::MalformedDocument),
        (rels, external("attachedTemplate#"), Rejection::MalformedDocument),
        (rels, external("attached%54emplate"), Rejection::MalformedDocument),
        (rels, internal("vbaProject&#9;"), Rejection::MalformedDocument),
        (
            rels,
            external("attachedTemplate").replace("\"External\"", "\" External\""),
            Rejection::MalformedDocument,
        ),
    ] {
        let docx = docx_with(&[(name, &content)]);
        assert_eq!(check("a.docx", &docx), Err(expected), "{name}: {content}");
        assert_eq!(check("a.zip", &docx), Err(expected), "as a zip: {name}: {content}");
    }
}

#[test]
fn a_document_is_what_its_content_types_say() {
    let types = "[Content_Types].xml";
    let mismatch = Rejection::ContentMismatch;
    let template = MAIN.replace("document.main", "template.main");
    let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";
    for (what, bytes, expected) in [
        ("no types", zip_of(&[("word/document.xml", "<a/>")]), mismatch),
        (
            "another folder",
            zip_of(&[(types, &content_types(&[])), ("xl/document.xml", &"<a/>".to_owned())]),
            mismatch,
        ),
        (
            "another folder is opened",
            docx_with(&[
                (types, &content_types(&[])),
                ("_rels/.rels", &relationship("officeDocument", "xl/x.xml", "")),
            ]),
            mismatch,
        ),
        (
            "a template",
            docx_with(&[(types, &content_types(&[("/word/document.xml", &template)]))]),
            mismatch,
        ),
        (
            "a second main part",
            docx_with(&[
                (types, &content_types(&[("/word/document.xml", MAIN), ("/xl/b.xml", sheet)])),
                ("xl/b.xml", "<a/>"),
            ]),
            mismatch,
        ),
        (
            "another part is opened",
            docx_with(&[("_rels/.rels", &relationship("officeDocument", "word/x.xml", ""))]),
            mismatch,
        ),
        ("a workbook", zip_document(&document("xl/workbook.xml", "spreadsheetml.sheet")), mismatch),
        (
            "one part, two cases",
            docx_with(&[("word/Document.xml", "<a/>")]),
            Rejection::DuplicateNames,
        ),
        (
            "one part, two types",
            docx_with(&[(
                types,
                &content_types(&[("/word/document.xml", MAIN), ("/word/Document.xml", sheet)]),
            )]),
            Rejection::MalformedDocument,
        ),
    ] {
        assert_eq!(check("a.docx", &bytes), Err(expected), "{what}");
    }
    // As tools write it that know no better.
    let folder_alone = zip_of(&[(types, "<Types/>"), ("word/document.xml", "<a/>")]);
    assert_eq!(check("a.docx", &folder_alone), Ok(()));
}

#[test]
fn parts_that_could_be_read_in_two_ways_are_refused() {
    let rels = "word/_rels/document.xml.rels";
    let good = relationship("hyperlink", "a", "");
    let declared = |encoding: &str| good.replace("?>", &format!(" encoding=\"{encoding}\"?>"));
    let doctype = good.replace("?>", "?><!DOCTYPE a [<!ENTITY x \"y\">]>");
    assert_eq!(check("a.docx", &docx_with(&[(rels, &declared("utf-8"))])), Ok(()));
    for (what, content) in [
        ("a document type", doctype),
        ("another encoding", declared("UTF-7")),
        ("an unknown entity", good.replace("\"a\"", "\"&x;\"")),
        ("an attribute twice", relationship("hyperlink", "a", "Target=\"b\"")),
        ("no target", good.replace("Target", "Other")),
        ("no end", good.replace("</Relationships>", "")),
        ("another end", good.replace("</Relationships>", "</Other>")),
        ("no markup", "<<<".to_owned()),
    ] {
        let docx = docx_with(&[(rels, &content)]);
        assert_eq!(check("a.docx", &docx), Err(Rejection::MalformedDocument), "{what}");
    }
    let utf16: Vec<_> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut entries = word();
    entries.retain(|(name, _)| name != rels);
    let entries: Vec<_> = entries.iter().map(|(n, c)| (n.as_str(), c.as_bytes())).collect();
    let utf16 = [entries, vec![(rels, utf16.as_slice())]].concat();
    assert_eq!(check("a.docx", &deflated(&utf16)), Err(Rejection::MalformedDocument));
}

#[test]
fn parts_are_what_the_archive_says_of_them() {
    let good = docx_with(&[]);
    // All entries' checksums and sizes are in both lists; the first is that of the types.
    let first = super::source::last_position(&good[..60], LOCAL).unwrap();
    let crc = good[first + 14..first + 18].to_vec();
    let size = good[first + 22..first + 26].to_vec();
    let number = u32::from_le_bytes(*size.first_chunk().unwrap());
    for (what, bytes) in [
        ("another checksum", replace(&good, &crc, &[1, 2, 3, 4], 2)),
        ("fewer bytes", replace(&good, &size, &(number + 1).to_le_bytes(), 2)),
        ("more bytes", replace(&good, &size, &(number - 1).to_le_bytes(), 2)),
        ("no data", {
            let mut bytes = good.clone();
            bytes[first + 30 + "[Content_Types].xml".len()..][..20].fill(0xff);
            bytes
        }),
    ] {
        assert_eq!(check("a.docx", &bytes), Err(Rejection::MalformedArchive), "{what}");
    }
    let mut other = Raw::stored("a.bin", b"");
    other.method = 14; // LZMA
    let entries = word();
    let mut raw: Vec<_> = entries.iter().map(|(n, c)| Raw::stored(n, c.as_bytes())).collect();
    raw.push(other);
    assert_eq!(check("a.docx", &raw_zip(&raw)), Err(Rejection::MalformedDocument), "LZMA");
}

#[test]
fn what_is_unpacked_of_a_document_is_limited() {
    let mut largest = relationship("hyperlink", "a", "");
    let rest = usize::try_from(office::MAX_PART_BYTES).unwrap() - largest.len();
    largest.push_str(&" ".repeat(rest));
    let verdict = |parts: &[(&str, &str)]| {
        let entries = word();
        let mut entries: Vec<_> = entries.iter().map(|(n, c)| (n.as_str(), c.as_str())).collect();
        entries.extend(parts);
        check("a.docx", &zip_of(&entries))
    };
    assert_eq!(verdict(&[("a.rels", &largest)]), Ok(()));
    let larger = format!("{largest} ");
    assert_eq!(verdict(&[("a.rels", &larger)]), Err(Rejection::EntriesTooLarge));
    assert_eq!(verdict(&[("a.xml", &larger)]), Ok(()), "which is not unpacked");
    let types = content_types(&[("/word/document.xml", MAIN)]);
    let rest = usize::try_from(office::MAX_TYPES_BYTES).unwrap() - types.len();
    let of_types = |rest| {
        let mut entries = word();
        entries[0].1 = format!("{types}{}", " ".repeat(rest));
        let entries: Vec<_> = entries.iter().map(|(n, c)| (n.as_str(), c.as_str())).collect();
        check("a.docx", &zip_of(&entries))
    };
    assert_eq!([of_types(rest - 1), of_types(rest)], [Ok(()), Ok(())]);
    assert_eq!(of_types(rest + 1), Err(Rejection::EntriesTooLarge), "of types");
    let all = office::MAX_PARTS_BYTES / office::MAX_PART_BYTES;
    let names: Vec<_> = (0..all).map(|number| format!("{number}.rels")).collect();
    let parts: Vec<_> = names.iter().map(|name| (name.as_str(), largest.as_str())).collect();
    assert_eq!(verdict(&parts), Err(Rejection::EntriesTooLarge), "all together");
    assert_eq!(verdict(&parts[1..]), Ok(()));
}

#[test]
fn an_embedded_workbook_is_inspected_as_one() {
    let workbook = document("xl/workbook.xml", "spreadsheetml.sheet");
    let with = |name, content: &[u8]| {
        let mut entries: Vec<_> =
            workbook.iter().map(|(n, c)| (n.as_str(), c.as_bytes())).collect();
        entries.push((name, content));
        deflated(&entries)
    };
    let embed = |content: &[u8]| {
        let entries = word();
        let mut entries: Vec<_> = entries.iter().map(|(n, c)| (n.as_str(), c.as_bytes())).collect();
        entries.push(("word/embeddings/Microsoft_Excel_Sheet.xlsx", content));
        check("a.docx", &deflated(&entries))
    };
    assert_eq!(embed(&zip_document(&workbook)), Ok(()));
    assert_eq!(embed(&with("xl/vbaProject.bin", b"")), Err(Rejection::Macros));
    let nested = with("xl/embeddings/a.xlsx", &zip_document(&workbook));
    assert_eq!(check("a.xlsx", &nested), Ok(()));
    assert_eq!(embed(&nested), Err(Rejection::EmbeddedObject));
    assert_eq!(embed(&docx_with(&[])), Err(Rejection::EmbeddedObject));
    assert_eq!(embed(b"MZ"), Err(Rejection::EmbeddedObject));
}

fn png() -> Vec<u8> {
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
      \0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"
        .to_vec()
}

/// A frame, a scan with a restart and a stuffed byte, and the end.
fn jpeg() -> Vec<u8> {
    b"\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\
      \xff\xda\0\x02ab\xff\0cd\xff\xd0ef\xff\xd9"
        .to_vec()
}

fn gif() -> Vec<u8> {
    b"GIF89a\x01\0\x01\0\x80\0\0abcdef\x21\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;"
        .to_vec()
}

fn webp() -> Vec<u8> {
    b"RIFF\x0c\0\0\0WEBPVP8L\0\0\0\0".to_vec()
}

/// A PNG with a chunk that makes it longer than what is short.
fn long_png() -> Vec<u8> {
    let png = png();
    let chunk = [b"\0\0\x08\0tEXt".as_slice(), &[b'a'; 2048], &[0; 4]].concat();
    [&png[..33], &chunk, &png[33..]].concat()
}

fn long_jpeg() -> Vec<u8> {
    let jpeg = jpeg();
    [&jpeg[..2], b"\xff\xe1\x08\x02", &[b'a'; 2048], &jpeg[2..]].concat()
}

#[test]
fn an_image_ends_where_it_says() {
    let video = b"\0\0\0\x18ftypmp42";
    for (name, good) in [
        ("a.png", png()),
        ("a.png", long_png()),
        ("a.jpg", jpeg()),
        ("a.jpg", long_jpeg()),
        ("a.gif", gif()),
        ("a.webp", webp()),
        ("a.jpg", [jpeg(), vec![0; 100], long_jpeg()].concat()), // Multi-Picture Format
        ("a.jpg", [jpeg().as_slice(), video, &[1; 99]].concat()), // a motion photo
        ("a.jpg", [jpeg().as_slice(), b"data SEFT"].concat()),
    ] {
        assert_eq!(check(name, &good), Ok(()), "{name}, {} bytes", good.len());
    }
    for (name, good) in [
        ("a.png", png()),
        ("a.png", long_png()),
        ("a.jpg", jpeg()),
        ("a.jpg", long_jpeg()),
        ("a.gif", gif()),
        ("a.webp", webp()),
    ] {
        let html = [good.as_slice(), b"<script>"].concat();
        assert_eq!(check(name, &html), Err(Rejection::TrailingData), "{name}");
        let zip = [good.clone(), two_entries()].concat();
        assert_eq!(check(name, &zip), Err(Rejection::DataBeforeArchive), "{name}");
    }
    let bmp = [b"BM".as_slice(), &two_entries()].concat();
    assert_eq!(check("a.bmp", &bmp), Err(Rejection::DataBeforeArchive));
}

#[test]
fn an_image_is_complete_unless_it_is_short() {
    for (name, good) in [("a.png", long_png()), ("a.jpg", long_jpeg())] {
        let cut = |length| check(name, &good[..length]);
        assert_eq!([cut(24), cut(1024)], [Ok(()), Ok(())], "{name}");
        let malformed = Err(Rejection::MalformedImage);
        assert_eq!([cut(1025), cut(good.len() - 1)], [malformed, malformed], "{name}");
    }
    let pixels = |width: u32, height: u32| {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        check("a.png", &patch(&png(), b"IHDR", 4, &sides))
    };
    let malformed = Err(Rejection::MalformedImage);
    assert_eq!(pixels(1 << 15, (1 << 15) - 1), Ok(()));
    assert_eq!(pixels(1 << 15, 1 << 15), Ok(()));
    assert_eq!(pixels(1 << 15, (1 << 15) + 1), malformed);
    assert_eq!(check("a.jpg", &patch(&jpeg(), b"\xff\xc0", 5, &[0xff; 4])), malformed);
    assert_eq!(check("a.gif", &patch(&gif(), b"GIF", 6, &[0xff; 4])), malformed);
}

fn pdf(offset: &str, end: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{}\nstartxref\n{offset}\n%%EOF{end}", "%".repeat(2000)).into_bytes()
}

#[test]
fn a_pdf_ends_with_a_place_in_itself() {
    let length = pdf("1234", "\n").len().to_string();
    let last = (pdf("1234", "\n").len() - 1).to_string();
    let malformed = Err(Rejection::MalformedDocument);
    for (what, bytes, expected) in [
        ("a good one", pdf("9", "\n"), Ok(())),
        ("the last place", pdf(&last, "\n"), Ok(())),
        ("a place behind", pdf(&length, "\n"), malformed),
        ("no place", pdf("", "\n"), malformed),
        ("a negative place", pdf("-1", "\n"), malformed),
        ("1,019 bytes behind", pdf("9", &"\0".repeat(1019)), Ok(())),
        ("1,020 bytes behind", pdf("9", &"\0".repeat(1020)), Err(Rejection::TrailingData)),
        ("2,000 bytes behind", pdf("9", &"\0".repeat(2000)), malformed),
        (
            "an archive behind",
            [pdf("9", "\n"), two_entries()].concat(),
            Err(Rejection::DataBeforeArchive),
        ),
        (
            "and a byte",
            [pdf("9", "\n"), two_entries(), vec![0]].concat(),
            Err(Rejection::TrailingData),
        ),
        ("no end", pdf("9", "")[..2010].to_vec(), malformed),
        ("a short one", b"%PDF-1.7\n".to_vec(), Ok(())),
        ("1,024 bytes", [b"%PDF-1.7\n".as_slice(), &[b' '; 1015]].concat(), Ok(())),
        ("1,025 bytes", [b"%PDF-1.7\n".as_slice(), &[b' '; 1016]].concat(), malformed),
        (
            "bytes in front",
            [b"x".as_slice(), &pdf("9", "\n")].concat(),
            Err(Rejection::ContentMismatch),
        ),
    ] {
        assert_eq!(check("a.pdf", &bytes), expected, "{what}");
    }
}

/// A good file of some type, or bytes that begin as one.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let good = prop_oneof![
        Just(two_entries()),
        Just(deflated(&[("a", b"content"), ("b/c", b"more content")])),
        Just(docx_with(&[])),
        Just(png()),
        Just(long_jpeg()),
        Just(gif()),
        Just(pdf("9", "\n")),
        proptest::collection::vec(any::<u8>(), 0..200),
    ];
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (good, changes).prop_map(|(mut bytes, changes)| {
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_inspection_panic_or_read_without_end(
        bytes in any_file(),
        at_the_end in any::<bool>(),
        extension in "zip|docx|xlsx|pdf|png|jpg|gif|webp",
    ) {
        let name = format!("a.{extension}");
        let _ = check(&name, &bytes);
        let (start, end) = if at_the_end { (&bytes[..4.min(bytes.len())], &bytes[..]) } else { (&bytes[..], &[][..]) };
        let mut sparse = Sparse::new(start, end, 10 << 30);
        let _ = verdict(&name, &mut sparse, 10 << 30);
        prop_assert!(sparse.read < 2 * 33 * 1024 * 1024, "{} bytes", sparse.read);
    }

    #[test]
    fn what_is_taken_the_zip_crate_reads_as_the_same_entries(bytes in any_file()) {
        if bytes.starts_with(b"PK") && check("a.zip", &bytes).is_ok() {
            let mut source = super::source::Source::new(Cursor::new(&bytes), bytes.len() as u64);
            let ours = super::archive::Archive::read(&mut source).unwrap();
            let mut theirs = ZipArchive::new(Cursor::new(&bytes)).unwrap();
            prop_assert_eq!(theirs.len(), ours.entries.len());
            prop_assert_eq!(theirs.offset(), 0);
            prop_assert!(!theirs.has_overlapping_entries().unwrap());
            for (index, entry) in ours.entries.iter().enumerate() {
                let other = theirs.by_index_raw(index).unwrap();
                prop_assert_eq!(other.name_raw(), entry.name.as_slice());
                prop_assert_eq!(other.size(), entry.size);
                prop_assert!(!other.encrypted());
            }
        }
    }
}
