//! Images: their structure from the first byte to the end marker, without their pixels.
//!
//! PNG (W3C), JPEG (ITU-T T.81), GIF (`GIF89a`) and WebP (RFC 9649) are walked from one length to the
//! next. Other images are known by their first bytes alone. No image may be an archive as well.

use std::io::{Read, Seek};

use super::archive::ends_as_archive;
use super::source::{Source, u16_at, u32_at};
use super::{InspectionError, Rejection, SHORT_BYTES};

/// More pixels are refused: 4 GiB as RGBA, which no program that shows the image can be asked for.
const MAX_PIXELS: u64 = 1 << 30;

/// How far an image is walked. The rest of a larger one is not looked at, but for its end, so that
/// no number of small blocks makes the check read more.
const WALK_BYTES: u64 = 32 * 1024 * 1024;

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB\x60\x82";

/// Checks a file whose first bytes are those of an image of this type.
pub(crate) fn check<R: Read + Seek>(
    source: &mut Source<R>,
    media_type: &str,
) -> Result<(), InspectionError> {
    if ends_as_archive(source)? {
        return Err(Rejection::DataBeforeArchive.into());
    }
    let walked = match media_type {
        "image/png" => png(source),
        "image/jpeg" => jpeg(source),
        "image/gif" => gif(source),
        "image/webp" => webp(source),
        _ => Ok(()),
    };
    match walked {
        Err(Walk::Broken) if source.length() <= SHORT_BYTES => Ok(()),
        Err(Walk::Broken) => Err(Rejection::MalformedImage.into()),
        Err(Walk::Refused(error)) => Err(error),
        Ok(()) => Ok(()),
    }
}

/// Why a walk ended.
enum Walk {
    /// The structure ends too early, or is none. A short file may be so.
    Broken,
    Refused(InspectionError),
}

impl From<std::io::Error> for Walk {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.into())
    }
}

impl From<Rejection> for Walk {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection.into())
    }
}

fn bytes<R: Read + Seek>(source: &mut Source<R>, offset: u64, count: u64) -> Result<&[u8], Walk> {
    source.bytes_ahead(offset, count, Source::<R>::READ_AHEAD)?.ok_or(Walk::Broken)
}

fn check_dimensions(width: u32, height: u32) -> Result<(), Walk> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(Rejection::MalformedImage.into());
    }
    if pixels == 0 { Err(Walk::Broken) } else { Ok(()) }
}

fn check_end<R: Read + Seek>(source: &Source<R>, end: u64) -> Result<(), Walk> {
    match source.length() {
        length if length > end => Err(Rejection::TrailingData.into()),
        length if length < end => Err(Walk::Broken),
        _ => Ok(()),
    }
}

fn png<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Walk> {
    if !source.starts_with(PNG_SIGNATURE)? {
        return Err(Walk::Broken);
    }
    let mut place = PNG_SIGNATURE.len() as u64;
    let header = bytes(source, place, 16)?;
    let side = |at| header.get(at..)?.first_chunk().copied().map(u32::from_be_bytes);
    if !header.starts_with(b"\0\0\0\x0dIHDR") {
        return Err(Walk::Broken);
    }
    check_dimensions(side(8).unwrap_or_default(), side(12).unwrap_or_default())?;
    while place < WALK_BYTES {
        let chunk = bytes(source, place, 8)?;
        let (length, kind) = chunk.split_first_chunk().ok_or(Walk::Broken)?;
        let length = u32::from_be_bytes(*length);
        if length > i32::MAX.unsigned_abs() || !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(Walk::Broken);
        }
        let is_end = kind == b"IEND";
        place += 12 + u64::from(length); // with the length, the type and the checksum
        if is_end {
            return check_end(source, place);
        }
    }
    let end = source.tail(PNG_END.len() as u64)?;
    if end == PNG_END { Ok(()) } else { Err(Walk::Broken) }
}

/// One image, or several: cameras put previews and depth maps behind the picture (CIPA DC-007,
/// Multi-Picture Format), and phones, a video or data of their own.
fn jpeg<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Walk> {
    let mut place = 0;
    loop {
        let Some(end) = jpeg_end(source, place)? else { return Ok(()) };
        if end == source.length() {
            return Ok(());
        }
        let count = 8.min(source.length() - end);
        let is_video = bytes(source, end, count)?.ends_with(b"ftyp");
        if is_video || source.tail(4)? == b"SEFT" {
            return Ok(());
        }
        // Between two images there may be zeros.
        place = end;
        while place < source.length().min(end + SHORT_BYTES) && bytes(source, place, 1)? == [0] {
            place += 1;
        }
        if place == source.length() {
            return Ok(());
        }
        let count = 3.min(source.length() - place);
        if bytes(source, place, count)? != [0xff, 0xd8, 0xff] {
            return Err(Rejection::TrailingData.into());
        }
    }
}

/// Where the image that begins at `place` ends; `None` when that is further than is looked.
fn jpeg_end<R: Read + Seek>(source: &mut Source<R>, mut place: u64) -> Result<Option<u64>, Walk> {
    place += 2; // start of image
    let mut has_frame = false;
    while place < WALK_BYTES {
        let [0xff, marker] = *bytes(source, place, 2)? else { return Err(Walk::Broken) };
        match marker {
            0xff => place += 1, // fill bytes
            0xd9 if has_frame => return Ok(Some(place + 2)),
            0x01 | 0xd0..=0xd7 => place += 2,
            0xc0..=0xfe if marker != 0xd8 && marker != 0xd9 => {
                let segment = bytes(source, place + 2, 2)?;
                let length = segment.first_chunk().copied().map_or(0, u16::from_be_bytes);
                if length < 2 {
                    return Err(Walk::Broken);
                }
                // Frame headers, among which are other tables.
                if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                    let sides = bytes(source, place + 5, 4)?;
                    let side = |at| sides.get(at..)?.first_chunk().copied().map(u16::from_be_bytes);
                    let (height, width) = (side(0).unwrap_or(0), side(2).unwrap_or(0));
                    // A height of 0 is given after the first scan.
                    check_dimensions(width.into(), u32::from(height.max(1)))?;
                    has_frame = true;
                }
                place += 2 + u64::from(length);
                if marker == 0xda {
                    let Some(end) = scan_end(source, place)? else { return Ok(None) };
                    place = end;
                }
            }
            _ => return Err(Walk::Broken),
        }
    }
    Ok(None)
}

/// Where the next marker stands after compressed data, in which `ff` is followed by `00` or the
/// number of a restart.
fn scan_end<R: Read + Seek>(source: &mut Source<R>, mut place: u64) -> Result<Option<u64>, Walk> {
    const STEP: u64 = 4096;
    while place < WALK_BYTES {
        let count = STEP.min(source.length().saturating_sub(place));
        if count < 2 {
            return Err(Walk::Broken);
        }
        let data = bytes(source, place, count)?;
        let is_marker =
            |pair: &[u8]| matches!(pair, [0xff, after] if !matches!(after, 0 | 0xd0..=0xd7));
        if let Some(found) = data.windows(2).position(is_marker) {
            return Ok(Some(place + found as u64));
        }
        place += count - 1; // the last byte may be the first of a marker
    }
    Ok(None)
}

fn gif<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Walk> {
    let header = bytes(source, 0, 13)?;
    if !header.starts_with(b"GIF87a") && !header.starts_with(b"GIF89a") {
        return Err(Walk::Broken);
    }
    let side = |at| u16_at(header, at).map_or(0, u32::from);
    let flags = header.get(10).copied().unwrap_or_default();
    // A side of 0 is taken from the frames.
    check_dimensions(side(6).max(1), side(8).max(1))?;
    let mut place = 13 + color_table(flags);
    while place < WALK_BYTES {
        match *bytes(source, place, 1)? {
            [0x3b] => return check_end(source, place + 1),
            [0x21] => place += 2, // an extension, and its label
            [0x2c] => {
                let flags = bytes(source, place + 9, 1)?.first().copied().unwrap_or_default();
                place += 11 + color_table(flags); // with the minimum code size
            }
            _ => return Err(Walk::Broken),
        }
        loop {
            let block = bytes(source, place, 1)?.first().copied().unwrap_or_default();
            place += 1 + u64::from(block);
            if block == 0 || place >= WALK_BYTES {
                break;
            }
        }
    }
    if source.tail(1)? == [0x3b] { Ok(()) } else { Err(Walk::Broken) }
}

/// The bytes of the table of colours that `flags` announce.
fn color_table(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// The length in the header is that of the file; an odd one is padded.
fn webp<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Walk> {
    let header = bytes(source, 0, 12)?;
    if !header.starts_with(b"RIFF") || !header.ends_with(b"WEBP") {
        return Err(Walk::Broken);
    }
    let length = u64::from(u32_at(header, 4).unwrap_or_default());
    check_end(source, 8 + length + length % 2)
}
