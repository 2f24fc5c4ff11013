//! Bytes by place.

use std::io::{self, Read, Seek, SeekFrom};

/// A file whose bytes are read by offset and length, a window at a time.
pub(crate) struct Source<R> {
    reader: R,
    length: u64,
    window_start: u64,
    window: Vec<u8>,
}

impl<R: Read + Seek> Source<R> {
    /// What is read at once where one place after another is looked at.
    pub(crate) const READ_AHEAD: u64 = 256 * 1024;

    /// The first `length` bytes of `reader`.
    pub(crate) fn new(reader: R, length: u64) -> Self {
        Self { reader, length, window_start: 0, window: Vec::new() }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The `count` bytes at `offset`; `None` when the file ends before them.
    pub(crate) fn bytes(&mut self, offset: u64, count: u64) -> io::Result<Option<&[u8]>> {
        self.bytes_ahead(offset, count, 0)
    }

    /// As [`Self::bytes`]. When the reader has to be asked, it is asked for `ahead` bytes.
    pub(crate) fn bytes_ahead(
        &mut self,
        offset: u64,
        count: u64,
        ahead: u64,
    ) -> io::Result<Option<&[u8]>> {
        let Some(end) = offset.checked_add(count).filter(|end| *end <= self.length) else {
            return Ok(None);
        };
        let window_end = self.window_start + self.window.len() as u64;
        if offset < self.window_start || end > window_end {
            let size = count.max(ahead).min(self.length - offset);
            self.window_start = offset;
            self.window.clear();
            self.window.resize(to_usize(size)?, 0);
            self.reader.seek(SeekFrom::Start(offset))?;
            if let Err(error) = self.reader.read_exact(&mut self.window) {
                self.window.clear();
                return Err(error);
            }
        }
        let start = to_usize(offset - self.window_start)?;
        Ok(self.window.get(start..start + to_usize(count)?))
    }

    /// The last `count` bytes, or all when there are fewer.
    pub(crate) fn tail(&mut self, count: u64) -> io::Result<&[u8]> {
        let count = count.min(self.length);
        Ok(self.bytes(self.length - count, count)?.unwrap_or_default())
    }

    /// The first `count` bytes, or all when there are fewer.
    pub(crate) fn head(&mut self, count: u64) -> io::Result<&[u8]> {
        let count = count.min(self.length);
        Ok(self.bytes(0, count)?.unwrap_or_default())
    }

    pub(crate) fn starts_with(&mut self, signature: &[u8]) -> io::Result<bool> {
        Ok(self.head(signature.len() as u64)? == signature)
    }
}

fn to_usize(count: u64) -> io::Result<usize> {
    usize::try_from(count).map_err(|_| io::ErrorKind::OutOfMemory.into())
}

/// The little-endian number of two bytes at `at`; `None` when there are fewer.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

/// The little-endian number of four bytes at `at`; `None` when there are fewer.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The little-endian number of eight bytes at `at`; `None` when there are fewer.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// Where `pattern` last begins in `bytes`.
pub(crate) fn last_position(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).rposition(|window| window == pattern)
}
