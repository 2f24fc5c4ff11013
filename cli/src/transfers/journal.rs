//! What is kept of a download until it is finished: link and lease, before the first byte.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use share_model::{ContentDigest, FileName};
use url::Url;

use crate::failure::{AtPath, Failure, Status};
use crate::folders::{Folders, open_alone, read_json, running, write_json};
use crate::transfers::random_text;

/// The largest file that the service takes: 5 TiB, the limit of S3.
const LARGEST: u64 = 5 << 40;

/// What is kept of a download until it is finished. There is no `Debug`: it holds secrets.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// Where the link leads.
    pub(crate) service: Url,
    /// The link's secret.
    pub(crate) token: String,
    /// The secret with which this download continues.
    pub(crate) lease: String,
    /// Where the file goes.
    pub(crate) target: PathBuf,
    pub(crate) filename: FileName,
    pub(crate) size: u64,
    pub(crate) sha256: ContentDigest,
    /// Whether the link needs the login of its maker.
    pub(crate) bind: bool,
    /// Whether the bytes come from S3. The first answer says it.
    pub(crate) presigned: Option<bool>,
}

/// What a file is, as the service says it.
pub(crate) struct Content {
    pub(crate) filename: FileName,
    pub(crate) size: u64,
    pub(crate) sha256: ContentDigest,
}

/// The place of a journal, which nobody else continues at the same time.
pub(crate) struct Place {
    path: PathBuf,
    lock: PathBuf,
    _locked: File,
}

impl Drop for Place {
    fn drop(&mut self) {
        // The lock goes with the journal. What stays here by mistake is empty.
        if !self.path.exists() {
            let _ = fs::remove_file(&self.lock);
        }
    }
}

impl Place {
    /// The journal of the download that `meant` describes: the same text for the same command.
    pub(crate) fn open(folders: &Folders, meant: &str) -> Result<Self, Failure> {
        let name = ContentDigest::of(meant.as_bytes()).hex();
        let folder = folders.state.join("downloads");
        let lock = folder.join(format!("{name}.lock"));
        let locked = open_alone(&lock)?.ok_or_else(running)?;
        Ok(Self { path: folder.join(format!("{name}.json")), lock, _locked: locked })
    }

    pub(crate) fn read(&self) -> Result<Option<Journal>, Failure> {
        read_json(&self.path)
    }

    pub(crate) fn write(&self, journal: &Journal) -> Result<(), Failure> {
        write_json(&self.path, journal)
    }

    /// Waits until the journal is on the disk: of a link that is used up there is no second one.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        File::open(&self.path).and_then(|file| file.sync_all()).at(&self.path)
    }

    /// The file that has the numbers of the chunks that are there.
    pub(crate) fn chunks(&self) -> PathBuf {
        self.path.with_extension("chunks")
    }

    /// Forgets the download.
    pub(crate) fn forget(&self) -> Result<(), Failure> {
        // The journal last: while it is there, the same command comes to this point again.
        for path in [&self.chunks(), &self.path] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Failure::local(path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Journal {
    /// A download of these bytes that has not begun.
    pub(crate) fn new(
        service: Url,
        token: String,
        target: PathBuf,
        content: Content,
        bind: bool,
    ) -> Result<Self, Failure> {
        let Content { filename, size, sha256 } = content;
        if !(1..=LARGEST).contains(&size) {
            return Err(Failure::new(Status::Failed, "The service gives a size that no file has"));
        }
        let lease = random_text()?;
        let presigned = None;
        Ok(Self { service, token, lease, target, filename, size, sha256, bind, presigned })
    }

    /// The same download, by another link to the same bytes.
    pub(crate) fn continue_with(&mut self, token: String) -> Result<(), Failure> {
        (self.token, self.lease) = (token, random_text()?);
        Ok(())
    }

    /// Where the bytes are until all are there.
    pub(crate) fn part(&self) -> PathBuf {
        part_of(&self.target)
    }
}

/// Where the bytes of a file are until all are there.
pub(crate) fn part_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
