//! An object as something that is read from any place, for what cannot wait asynchronously.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use share_model::{ByteRange, FileId};
use tokio::runtime::Handle;

use crate::Objects;

/// How much is fetched at a time: 256 KiB, so that a list of thousands of entries is a few requests.
const BLOCK_BYTES: u64 = 256 * 1024;

/// Reads an object block by block, and keeps the last block. It must be used outside of the
/// runtime's own threads, as in `spawn_blocking`.
pub struct ObjectReader {
    objects: Objects,
    file: FileId,
    length: u64,
    position: u64,
    block: Option<(u64, Bytes)>,
    runtime: Handle,
}

impl ObjectReader {
    /// The object of `file`, which has `length` bytes. `runtime` waits for S3.
    #[must_use]
    pub fn new(objects: Objects, file: FileId, length: u64, runtime: Handle) -> Self {
        Self { objects, file, length, position: 0, block: None, runtime }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length {
            return Ok(0);
        }
        let start = self.position - self.position % BLOCK_BYTES;
        let bytes = match &self.block {
            Some((first, bytes)) if *first == start => bytes.clone(),
            _ => {
                let last = (start + BLOCK_BYTES).min(self.length) - 1;
                let part = self.objects.read_part(self.file, ByteRange { first: start, last });
                let bytes = self.runtime.block_on(part).map_err(io::Error::other)?;
                self.block = Some((start, bytes.clone()));
                bytes
            }
        };
        let offset = usize::try_from(self.position - start).unwrap_or(usize::MAX);
        let mut rest = bytes.get(offset..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        let position = match place {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
