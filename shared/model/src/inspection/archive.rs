//! Zip archives, from their lists of entries (PKWARE's APPNOTE 6.3.10).
//!
//! An archive has two lists of its entries: the central directory at its end, and a header before
//! each entry's data. Readers differ in which one they follow, where they look for it and what they
//! forgive; what one reader checks can thus be other than what the next one unpacks. The `zip`
//! crate, like most, is made to read whatever can be read. Here an archive must leave no choice: it
//! begins with its first entry, ends with its comment, and its lists agree. A property test compares
//! what is accepted with what the `zip` crate reads.
//!
//! Nothing is unpacked but what [`Archive::unpack`] is asked for.

use std::io::{Read, Seek};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::source::{Source, last_position, u16_at, u32_at, u64_at};
use super::{InspectionError, Rejection};
use crate::file::deceives;

/// More entries are refused. The header of each is read: in the worst case with a ranged read of
/// its own, of about 20 ms from S3, so that this many take under four minutes of the check's 15.
pub(crate) const MAX_ENTRIES: u64 = 10_000;

/// The largest central directory, which is held in memory: 838 bytes for each of 10,000 entries.
pub(crate) const MAX_DIRECTORY_BYTES: u64 = 8 * 1024 * 1024;

/// The most that all entries may claim to unpack to: twice the largest file that is taken (5 TiB).
pub(crate) const MAX_UNPACKED_BYTES: u64 = 10 << 40;

/// How many times its packed size an entry, and the archive as a whole, may unpack to. It is the
/// limit of Apache POI (`ZipSecureFile.setMinInflateRatio`, 0.01). Text packs 3 to 10 times, a
/// sparse spreadsheet or table 50 times; DEFLATE can do 1,032.
pub(crate) const MAX_RATIO: u64 = 100;

/// What unpacks to less may have any ratio: empty and uniform entries are harmless when small.
pub(crate) const RATIO_FROM_BYTES: u64 = 1024 * 1024;

/// The longest name, in bytes: `PATH_MAX` of Linux. No file could be made of a longer one.
const MAX_NAME_BYTES: usize = 4096;

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const CENTRAL_HEADER: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const ZIP64_END: &[u8] = b"PK\x06\x06";
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";

const LOCAL_HEADER_BYTES: u64 = 30;
const CENTRAL_HEADER_BYTES: usize = 46;
const END_BYTES: usize = 22;
const ZIP64_LOCATOR_BYTES: u64 = 20;
/// Of version 1, which has no extensible data.
const ZIP64_END_BYTES: u64 = 56;
const MAX_COMMENT_BYTES: usize = u16::MAX as usize;

/// Encryption, strong encryption, and a central directory that is itself encrypted.
const ENCRYPTION_FLAGS: u16 = 1 | 1 << 6 | 1 << 13;
/// Sizes and checksum follow the data, and the local header may have zeros.
const SIZES_FOLLOW: u16 = 1 << 3;
const UTF8_NAME: u16 = 1 << 11;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const AES: u16 = 99;

const ZIP64_FIELD: u16 = 0x0001;
const UNICODE_PATH_FIELD: u16 = 0x7075;

/// The entries of an archive that passed every check.
#[derive(Debug)]
pub(crate) struct Archive {
    /// In the order of the central directory.
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    /// As it is in the archive: UTF-8, or bytes of an unknown code page.
    pub(crate) name: Vec<u8>,
    pub(crate) size: u64,
    packed: u64,
    crc32: u32,
    method: u16,
    flags: u16,
    header: u64,
    data: u64,
}

/// Where the central directory is.
struct Directory {
    entries: u64,
    size: u64,
    offset: u64,
    /// Where it must end: at the record after it.
    end: u64,
}

impl Archive {
    /// Reads both lists and compares them.
    pub(crate) fn read<R: Read + Seek>(source: &mut Source<R>) -> Result<Self, InspectionError> {
        let is_archive = source.starts_with(LOCAL_HEADER)? || source.starts_with(END)?;
        let directory = match Directory::find(source) {
            // What neither begins nor ends as an archive is none at all.
            Err(InspectionError::Rejected(
                Rejection::MalformedArchive | Rejection::TrailingData,
            )) if !is_archive => return Err(Rejection::ContentMismatch.into()),
            other => other?,
        };
        if directory.entries > MAX_ENTRIES || directory.size > MAX_DIRECTORY_BYTES {
            return Err(Rejection::TooManyEntries.into());
        }
        let list = source.bytes(directory.offset, directory.size)?;
        let entries = read_central_headers(list.ok_or(Rejection::MalformedArchive)?, &directory)?;
        let mut archive = Self { entries };
        archive.check_sizes(source.length())?;
        archive.check_names()?;
        archive.read_local_headers(source, directory.offset)?;
        Ok(archive)
    }

    fn check_sizes(&self, length: u64) -> Result<(), Rejection> {
        let sum = |size: fn(&Entry) -> u64| {
            self.entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(size(entry)))
        };
        let unpacked = sum(|entry| entry.size);
        if unpacked > MAX_UNPACKED_BYTES {
            return Err(Rejection::EntriesTooLarge);
        }
        // Entries that share bytes are refused later on, but would pass for small ones here.
        let packed = sum(|entry| entry.packed).min(length);
        let mut sizes = self.entries.iter().map(|entry| (entry.size, entry.packed));
        if is_bomb(unpacked, packed) || sizes.any(|(size, packed)| is_bomb(size, packed)) {
            return Err(Rejection::CompressionRatio);
        }
        Ok(())
    }

    /// No name twice, and none that is both a file and a folder: a link could stand for the folder.
    fn check_names(&self) -> Result<(), Rejection> {
        let mut paths: Vec<_> = self.entries.iter().map(|entry| path(&entry.name)).collect();
        // With zeros in place of slashes, a folder's content follows it directly.
        paths.sort_unstable();
        for pair in paths.windows(2) {
            let [(first, is_folder), (second, _)] = pair else { continue };
            let rest = second.strip_prefix(first.as_slice());
            match rest {
                Some([]) => return Err(Rejection::DuplicateNames),
                Some([0, ..]) if !is_folder => return Err(Rejection::DuplicateNames),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_local_headers<R: Read + Seek>(
        &mut self,
        source: &mut Source<R>,
        directory_offset: u64,
    ) -> Result<(), InspectionError> {
        let mut order: Vec<&mut Entry> = self.entries.iter_mut().collect();
        order.sort_by_key(|entry| entry.header);
        let first = order.first().map_or(directory_offset, |entry| entry.header);
        if first != 0 {
            return Err(Rejection::DataBeforeArchive.into());
        }
        let starts: Vec<_> = order.iter().map(|entry| entry.header).collect();
        let ends = starts.iter().skip(1).chain([&directory_offset]);
        for (place, (entry, end)) in order.into_iter().zip(ends).enumerate() {
            // Headers that lie close together are read at once; others, on their own.
            let near = starts
                .iter()
                .skip(place)
                .take_while(|start| **start < entry.header.saturating_add(Source::<R>::READ_AHEAD));
            let ahead = near.last().map_or(0, |last| last - entry.header) + 2 * LOCAL_HEADER_BYTES;
            let count = LOCAL_HEADER_BYTES + entry.name.len() as u64;
            let header = source.bytes_ahead(entry.header, count, ahead.max(count))?;
            let extra = entry.local_extra(header.ok_or(Rejection::MalformedArchive)?)?;
            entry.data = entry.header.saturating_add(count).saturating_add(u64::from(extra));
            if entry.data.saturating_add(entry.packed) > *end {
                return Err(Rejection::OverlappingEntries.into());
            }
        }
        Ok(())
    }

    /// The bytes of an entry, whose checksum and size must be right.
    ///
    /// # Errors
    /// `EntriesTooLarge` when there are more than `limit`.
    pub(crate) fn unpack<R: Read + Seek>(
        source: &mut Source<R>,
        entry: &Entry,
        limit: u64,
    ) -> Result<Vec<u8>, InspectionError> {
        if entry.size > limit {
            return Err(Rejection::EntriesTooLarge.into());
        }
        let size = usize::try_from(entry.size).map_err(|_| Rejection::EntriesTooLarge)?;
        // One byte more, to see when there are more than there should be.
        let mut content = Vec::with_capacity(size + 1);
        let mut inflate = Decompress::new(false);
        let mut read = 0;
        while read < entry.packed {
            let count = (entry.packed - read).min(Source::<R>::READ_AHEAD);
            let packed = source.bytes(entry.data + read, count)?;
            let packed = packed.ok_or(Rejection::MalformedArchive)?;
            if entry.method == STORED {
                content.extend_from_slice(packed);
                read += count;
                continue;
            }
            let status = inflate.decompress_vec(packed, &mut content, FlushDecompress::None);
            let progress = inflate.total_in() > read;
            read = inflate.total_in();
            match status {
                Ok(Status::StreamEnd) => break,
                Ok(Status::Ok | Status::BufError) if progress && content.len() <= size => {}
                _ => return Err(Rejection::MalformedArchive.into()),
            }
        }
        let mut crc = Crc::new();
        crc.update(&content);
        if content.len() != size || read != entry.packed || crc.sum() != entry.crc32 {
            return Err(Rejection::MalformedArchive.into());
        }
        Ok(content)
    }
}

fn is_bomb(unpacked: u64, packed: u64) -> bool {
    unpacked > RATIO_FROM_BYTES && unpacked > packed.saturating_mul(MAX_RATIO)
}

/// Whether a reader that looks for an archive at the end of the file finds one.
pub(crate) fn ends_as_archive<R: Read + Seek>(
    source: &mut Source<R>,
) -> Result<bool, InspectionError> {
    Ok(matches!(find_end(source.tail((END_BYTES + MAX_COMMENT_BYTES) as u64)?), Ok(Some(_))))
}

/// Where the end record begins in the last bytes of the file; `None` when there is none.
fn find_end(tail: &[u8]) -> Result<Option<usize>, Rejection> {
    let ends_with_comment = |place: &usize| {
        let comment = u16_at(tail, place + 20).map(usize::from);
        comment.is_some_and(|comment| place + END_BYTES + comment == tail.len())
    };
    let Some(last) = last_position(tail, END) else { return Ok(None) };
    if ends_with_comment(&last) {
        return Ok(Some(last));
    }
    // The signature may stand in a comment. Readers would disagree about which one counts.
    let before = tail.get(..last).unwrap_or_default();
    let places = before.windows(END.len()).enumerate().filter(|(_, window)| *window == END);
    if places.map(|(place, _)| place).any(|place| ends_with_comment(&place)) {
        return Err(Rejection::MalformedArchive);
    }
    let comment = u16_at(tail, last + 20).map_or(usize::MAX, usize::from);
    if last.saturating_add(END_BYTES).saturating_add(comment) < tail.len() {
        return Err(Rejection::TrailingData);
    }
    Err(Rejection::MalformedArchive)
}

impl Directory {
    fn find<R: Read + Seek>(source: &mut Source<R>) -> Result<Self, InspectionError> {
        let length = source.length();
        let tail = source.tail((END_BYTES + MAX_COMMENT_BYTES) as u64)?;
        let place = find_end(tail)?.ok_or(Rejection::ContentMismatch)?;
        let end = length - (tail.len() - place) as u64;
        let record = tail.get(place..).unwrap_or_default();
        let number = |at| u16_at(record, at).ok_or(Rejection::MalformedArchive);
        let large = |at| u32_at(record, at).ok_or(Rejection::MalformedArchive);
        let (this_disk, directory_disk, here) = (number(4)?, number(6)?, number(8)?);
        let (entries, size, offset) = (number(10)?, large(12)?, large(16)?);
        let mut directory =
            Self { entries: entries.into(), size: size.into(), offset: offset.into(), end };
        let zip64 = Self::find_zip64(source, end)?;
        let mut disks = [this_disk, directory_disk];
        if let Some(large) = zip64 {
            // Where a number fits into the old record, both must say the same.
            let agree = (entries == u16::MAX || directory.entries == large.entries)
                && (size == u32::MAX || directory.size == large.size)
                && (offset == u32::MAX || directory.offset == large.offset);
            if !agree {
                return Err(Rejection::MalformedArchive.into());
            }
            directory = large;
            disks = disks.map(|disk| if disk == u16::MAX { 0 } else { disk });
        } else if here != entries {
            return Err(Rejection::MalformedArchive.into());
        }
        if disks != [0, 0] {
            return Err(Rejection::MalformedArchive.into());
        }
        directory.check_place(source)?;
        Ok(directory)
    }

    /// The record of an archive with large numbers, which ends where the locator before the end
    /// record begins.
    fn find_zip64<R: Read + Seek>(
        source: &mut Source<R>,
        end: u64,
    ) -> Result<Option<Self>, InspectionError> {
        let malformed = Rejection::MalformedArchive;
        let Some(place) = end.checked_sub(ZIP64_LOCATOR_BYTES) else { return Ok(None) };
        let locator = source.bytes(place, ZIP64_LOCATOR_BYTES)?.unwrap_or_default();
        if !locator.starts_with(ZIP64_LOCATOR) {
            return Ok(None);
        }
        let said = u64_at(locator, 8).ok_or(malformed)?;
        if u32_at(locator, 4) != Some(0) || u32_at(locator, 16).is_none_or(|disks| disks > 1) {
            return Err(malformed.into());
        }
        let start = place.checked_sub(ZIP64_END_BYTES).ok_or(malformed)?;
        let record = source.bytes(start, ZIP64_END_BYTES)?.unwrap_or_default();
        let number = |at| u64_at(record, at).ok_or(malformed);
        let (here, entries, size, offset) = (number(24)?, number(32)?, number(40)?, number(48)?);
        if !record.starts_with(ZIP64_END)
            || number(4)? != ZIP64_END_BYTES - 12
            || number(16)? != 0 // both numbers of disks
            || here != entries
        {
            return Err(malformed.into());
        }
        if said < start {
            return Err(Rejection::DataBeforeArchive.into());
        }
        if said > start {
            return Err(malformed.into());
        }
        Ok(Some(Self { entries, size, offset, end: start }))
    }

    /// The directory ends where the next record begins. When it says that it ends before, whole
    /// archives that follow other bytes are told from broken ones by what stands there.
    fn check_place<R: Read + Seek>(&self, source: &mut Source<R>) -> Result<(), InspectionError> {
        let malformed = Rejection::MalformedArchive;
        let said = self.offset.checked_add(self.size).ok_or(malformed)?;
        if said == self.end {
            return Ok(());
        }
        let real = self.end.checked_sub(self.size).ok_or(malformed)?;
        let found = source.bytes(real, CENTRAL_HEADER.len() as u64)?;
        if said < self.end && (self.size == 0 || found == Some(CENTRAL_HEADER)) {
            return Err(Rejection::DataBeforeArchive.into());
        }
        Err(malformed.into())
    }
}

fn read_central_headers(list: &[u8], directory: &Directory) -> Result<Vec<Entry>, Rejection> {
    let mut entries = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let (entry, length) = Entry::from_central_header(rest, directory.offset)?;
        entries.push(entry);
        rest = rest.get(length..).ok_or(Rejection::MalformedArchive)?;
    }
    if entries.len() as u64 != directory.entries {
        return Err(Rejection::MalformedArchive);
    }
    Ok(entries)
}

impl Entry {
    /// The entry that `bytes` begin with, and the length of its header.
    fn from_central_header(bytes: &[u8], directory: u64) -> Result<(Self, usize), Rejection> {
        let malformed = Rejection::MalformedArchive;
        if !bytes.starts_with(CENTRAL_HEADER) {
            return Err(malformed);
        }
        let number = |at| u16_at(bytes, at).ok_or(malformed);
        let large = |at| u32_at(bytes, at).ok_or(malformed);
        let (flags, method, crc32) = (number(8)?, number(10)?, large(16)?);
        let lengths = [number(28)?, number(30)?, number(32)?].map(usize::from);
        let [name_length, extra_length, comment_length] = lengths;
        let extra_start = CENTRAL_HEADER_BYTES + name_length;
        let comment_start = extra_start + extra_length;
        let length = comment_start + comment_length;
        let name = bytes.get(CENTRAL_HEADER_BYTES..extra_start).ok_or(malformed)?;
        let extra = bytes.get(extra_start..comment_start).ok_or(malformed)?;
        if bytes.len() < length {
            return Err(malformed);
        }
        if flags & ENCRYPTION_FLAGS != 0 || method == AES {
            return Err(Rejection::EncryptedEntry);
        }
        let mut zip64 = extra_field(extra, ZIP64_FIELD)?.unwrap_or_default();
        let mut size_of = |value: u32| {
            if value != u32::MAX {
                return Ok(u64::from(value));
            }
            let (number, rest) = zip64.split_first_chunk().ok_or(malformed)?;
            zip64 = rest;
            Ok(u64::from_le_bytes(*number))
        };
        let (size, packed) = (size_of(large(24)?)?, size_of(large(20)?)?);
        let header = size_of(large(42)?)?;
        let disk = number(34)?;
        if (disk != 0 && disk != u16::MAX)
            || header >= directory
            || (method == STORED && size != packed)
        {
            return Err(malformed);
        }
        check_name(name)?;
        if flags & UTF8_NAME != 0 && std::str::from_utf8(name).is_err() {
            return Err(malformed);
        }
        if let Some(unicode) = extra_field(extra, UNICODE_PATH_FIELD)? {
            let other = unicode.get(5..).ok_or(malformed)?; // after a version and a checksum
            check_name(other)?;
            // A second name is for what the first cannot spell.
            if other != name && std::str::from_utf8(name).is_ok() {
                return Err(malformed);
            }
        }
        let name = name.to_vec();
        Ok((Self { name, size, packed, crc32, method, flags, header, data: 0 }, length))
    }

    /// The length of the extra fields in the header before the data, which must agree with this
    /// one.
    fn local_extra(&self, header: &[u8]) -> Result<u16, Rejection> {
        let same = |at, central: u64| {
            let local = u32_at(header, at);
            local.is_some_and(|local| local == u32::MAX || u64::from(local) == central)
        };
        let encryption = |flags: u16| flags & ENCRYPTION_FLAGS;
        let agree = header.starts_with(LOCAL_HEADER)
            && u16_at(header, 6).map(encryption) == Some(encryption(self.flags))
            && u16_at(header, 8) == Some(self.method)
            && u16_at(header, 26).map(usize::from) == Some(self.name.len())
            && header.ends_with(&self.name);
        let sizes_follow = u16_at(header, 6).is_some_and(|flags| flags & SIZES_FOLLOW != 0);
        if !agree || !(sizes_follow || (same(18, self.packed) && same(22, self.size))) {
            return Err(Rejection::MalformedArchive);
        }
        u16_at(header, 28).ok_or(Rejection::MalformedArchive)
    }

    /// Whether it can be unpacked here: Office documents have no other methods (ECMA-376, part 2).
    pub(crate) fn has_plain_method(&self) -> bool {
        [STORED, DEFLATED].contains(&self.method)
    }
}

/// The content of the first extra field of this kind.
fn extra_field(mut extra: &[u8], kind: u16) -> Result<Option<&[u8]>, Rejection> {
    // Fewer than four bytes are padding, which `zipalign` and others leave.
    while let (Some(found), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(length);
        let field = extra.get(4..end).ok_or(Rejection::MalformedArchive)?;
        if found == kind {
            return Ok(Some(field));
        }
        extra = extra.get(end..).unwrap_or_default();
    }
    Ok(None)
}

/// A name that stays below the folder in which the archive is unpacked, and looks like what it is.
fn check_name(name: &[u8]) -> Result<(), Rejection> {
    let absolute = name.starts_with(b"/") || name.get(1) == Some(&b':');
    let mut components = name.split(|byte| *byte == b'/');
    let deceiving = match std::str::from_utf8(name) {
        Ok(text) => text.chars().any(|c| c.is_control() || deceives(c)),
        Err(_) => name.iter().any(u8::is_ascii_control),
    };
    if name.is_empty()
        || name.len() > MAX_NAME_BYTES
        || absolute
        || deceiving
        || name.contains(&b'\\')
        || components.any(|component| component == b"..")
    {
        return Err(Rejection::UnsafeEntryName);
    }
    Ok(())
}

/// A name as file systems read it, with zeros between its components; and whether it is a folder.
fn path(name: &[u8]) -> (Vec<u8>, bool) {
    let components =
        name.split(|byte| *byte == b'/').filter(|part| ![b"".as_slice(), b"."].contains(part));
    (components.collect::<Vec<_>>().join(&0), name.ends_with(b"/"))
}
