//! The bytes that an upload sends: of a file, of a folder as a zip archive, or of standard input.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use share_model::{ContentDigest, DigestProgress, FileName};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::failure::{AtPath, Failure, Status, unexpected};

/// Bytes that are read and sent at once.
const CHUNK: usize = 256 * 1024;

/// The bytes of an upload, which can be read at any place and more than once.
#[derive(Clone)]
pub(crate) struct Source {
    /// What was made for this upload. Other files are opened when they are read, because there can be
    /// more of them than a process may have open.
    made: Option<Arc<File>>,
    /// Where they come from.
    pub(crate) path: PathBuf,
    /// As the service is to call it.
    pub(crate) name: FileName,
    /// How many there are.
    pub(crate) size: u64,
    /// When the file was changed last, in nanoseconds; nothing for what was made for this upload.
    modified: Option<i128>,
    /// What tells them from others of the same path and size: when the file was changed, or the digest
    /// of what was made for this upload.
    pub(crate) version: String,
}

impl Source {
    /// A file, under `name` or its own.
    pub(crate) fn file(path: &Path, name: Option<&str>) -> Result<Self, Failure> {
        let about = fs::metadata(path).at(path)?;
        if !about.is_file() {
            return Err(Failure::file(path, "is not a file").advise(
                "Send a folder with --zip, as one archive, or with --recursive, as many files.",
            ));
        }
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file_name(name.unwrap_or(&own))?;
        // So that the same file is the same from wherever the command is given.
        let path = fs::canonicalize(path).at(path)?;
        let (size, modified) = (about.len(), modified(&about));
        let (modified, version) = (Some(modified), modified.to_string());
        Self { made: None, path, name, size, modified, version }.not_empty()
    }

    /// Standard input, kept in a file without a name until the command ends.
    pub(crate) fn standard_input(name: Option<&str>) -> Result<Self, Failure> {
        let name = name.ok_or_else(|| {
            Failure::new(Status::Usage, "Standard input has no name")
                .advise("Give it one with --name.")
        })?;
        let path = PathBuf::from("-");
        let mut file = temporary()?;
        io::copy(&mut io::stdin().lock(), &mut file).map_err(|error| not_copied(&path, &error))?;
        Self::made(file, path, file_name(name)?)
    }

    /// The folder as a zip archive. The same folder gives the same bytes, so that its upload can
    /// continue.
    pub(crate) fn zip(folder: &Path, name: Option<&str>) -> Result<Self, Failure> {
        let path = fs::canonicalize(folder).at(folder)?;
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file_name(name.unwrap_or(&format!("{own}.zip")))?;
        let mut archive = ZipWriter::new(temporary()?);
        let not_written = |error: ZipError| match error {
            ZipError::Io(error) => not_copied(&path, &error),
            other => unexpected("The archive cannot be written", other),
        };
        // What is in a folder is often compressed already, and sending is not to wait for it.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        for file in files_in(&path)? {
            let inside = file.strip_prefix(&path).unwrap_or(&file).to_string_lossy();
            archive.start_file(inside, options).map_err(not_written)?;
            io::copy(&mut File::open(&file).at(&file)?, &mut archive)
                .map_err(|error| not_copied(&file, &error))?;
        }
        let file = archive.finish().map_err(not_written)?;
        Self::made(file, path, name)
    }

    fn made(mut file: File, path: PathBuf, name: FileName) -> Result<Self, Failure> {
        file.flush().and_then(|()| file.rewind()).at(&path)?;
        let size = file.metadata().at(&path)?.len();
        let version = String::new();
        let file = Some(Arc::new(file));
        let made = Self { made: file, path, name, size, modified: None, version };
        let version = made.hash(0, size)?.hex();
        Self { version, ..made }.not_empty()
    }

    fn not_empty(self) -> Result<Self, Failure> {
        if self.size == 0 {
            return Err(Failure::file(&self.path, "is empty"));
        }
        Ok(self)
    }

    fn open(&self) -> io::Result<Arc<File>> {
        self.made.clone().map_or_else(|| File::open(&self.path).map(Arc::new), Ok)
    }

    /// Fails when somebody has changed the file since the command began.
    pub(crate) fn check_unchanged(&self) -> Result<(), Failure> {
        let Some(modified_then) = self.modified else { return Ok(()) };
        let now = fs::metadata(&self.path).at(&self.path)?;
        if now.len() == self.size && modified(&now) == modified_then {
            return Ok(());
        }
        Err(Failure::file(&self.path, "has changed while it was sent")
            .advise("Give the same command again."))
    }

    /// The SHA-256 of `size` bytes from `offset` on.
    pub(crate) async fn digest(&self, offset: u64, size: u64) -> Result<ContentDigest, Failure> {
        let source = self.clone();
        let hashed = tokio::task::spawn_blocking(move || source.hash(offset, size));
        hashed.await.map_err(|error| unexpected("Reading", error))?
    }

    fn hash(&self, offset: u64, size: u64) -> Result<ContentDigest, Failure> {
        let mut progress = DigestProgress::default();
        let file = self.open().at(&self.path)?;
        let mut buffer = vec![0; CHUNK];
        let mut at = 0;
        while at < size {
            let chunk = chunk(&mut buffer, size - at);
            self.read(&file, chunk, offset + at)?;
            progress.add(chunk);
            at += chunk.len() as u64;
        }
        Ok(progress.finish())
    }

    /// `size` bytes from `offset` on, to be sent. What is read ahead is at most three chunks.
    pub(crate) fn body(
        &self,
        offset: u64,
        size: u64,
        sent: impl Fn(u64) + Send + 'static,
    ) -> reqwest::Body {
        let source = self.clone();
        let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(2);
        tokio::task::spawn_blocking(move || {
            let file = source.open();
            let mut at = 0;
            while at < size {
                let mut buffer = vec![0; CHUNK];
                let length = chunk(&mut buffer, size - at).len();
                buffer.truncate(length);
                let read = match &file {
                    Ok(file) => file.read_exact_at(&mut buffer, offset + at),
                    Err(error) => Err(io::Error::from(error.kind())),
                };
                let failed = read.is_err();
                let bytes = read.map(|()| Bytes::from(buffer));
                // Nobody reads on when the request has ended.
                if sender.blocking_send(bytes).is_err() || failed {
                    return;
                }
                at += length as u64;
                sent(length as u64);
            }
        });
        let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        });
        reqwest::Body::wrap_stream(chunks)
    }

    /// All bytes of a small file.
    pub(crate) async fn whole(&self) -> Result<Vec<u8>, Failure> {
        let source = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; usize::try_from(source.size).unwrap_or_default()];
            source.read(&*source.open().at(&source.path)?, &mut bytes, 0)?;
            Ok(bytes)
        });
        read.await.map_err(|error| unexpected("Reading", error))?
    }

    fn read(&self, file: &File, buffer: &mut [u8], offset: u64) -> Result<(), Failure> {
        match file.read_exact_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.check_unchanged()?;
                Err(Failure::local(&self.path, &error))
            }
            other => other.at(&self.path),
        }
    }
}

/// A file without a name, in the folder for temporary files.
fn temporary() -> Result<File, Failure> {
    let folder = std::env::temp_dir();
    let file = tempfile::tempfile_in(&folder).at(&folder);
    file.map_err(|failure| failure.advise("Name another folder in TMPDIR."))
}

/// Why the bytes of `path` have not been copied to a temporary file.
fn not_copied(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Failure::local(&std::env::temp_dir(), error)
                .advise("Free some space there, or name another folder in TMPDIR.")
        }
        _ => Failure::local(path, error),
    }
}

/// As much of the buffer as `left` bytes need.
fn chunk(buffer: &mut [u8], left: u64) -> &mut [u8] {
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
    buffer.split_at_mut(length).0
}

fn modified(about: &fs::Metadata) -> i128 {
    i128::from(about.mtime()) * 1_000_000_000 + i128::from(about.mtime_nsec())
}

fn file_name(text: &str) -> Result<FileName, Failure> {
    FileName::parse(text).map_err(|reason| {
        Failure::new(Status::Usage, format!("{text:?} cannot be the name of a file: {reason}"))
            .advise("Give another with --name.")
    })
}

/// All files in the folder and in those inside it, by name.
///
/// # Errors
/// When there is something else, such as a link, which may lead anywhere: nothing is left out in silence.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).at(&folder)? {
            let entry = entry.at(&folder)?;
            let kind = entry.file_type().at(&entry.path())?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            } else {
                return Err(Failure::file(&entry.path(), "is no file and no folder")
                    .advise("Move it away, or give the files themselves."));
            }
        }
    }
    files.sort();
    Ok(files)
}
