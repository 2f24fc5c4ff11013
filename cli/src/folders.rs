//! Where `share` keeps what it must remember: by the XDG Base Directory Specification, on macOS too.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::{BaseStrategy, base_strategy::Xdg};
use rustix::process::geteuid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;

use crate::failure::{AtPath, Failure, Status, unexpected};

/// The folder's name in each of the XDG folders. `share` alone is an older word for many things.
const NAME: &str = "secure-file-share";

/// After this time a transfer cannot be continued: uploads and links live for a week.
const OLD: Duration = Duration::from_hours(30 * 24);

/// The two folders of `share`.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// `~/.config/secure-file-share`: profiles, and sessions when there is no keyring.
    pub(crate) settings: PathBuf,
    /// `~/.local/state/secure-file-share`: transfers that are not finished.
    pub(crate) state: PathBuf,
}

impl Folders {
    /// # Errors
    /// When the home folder is not known, or when somebody else can change what is kept: where a
    /// password goes, and where a file.
    pub(crate) fn find() -> Result<Self, Failure> {
        let base = Xdg::new().map_err(|error| {
            Failure::new(Status::Local, format!("The home folder is not known: {error}"))
                .advise("Set HOME.")
        })?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir());
        let folders = Self { settings: base.config_dir().join(NAME), state: state.join(NAME) };
        for folder in [&folders.settings, &folders.state] {
            // One that is not there is made for this user alone.
            if fs::metadata(folder).is_ok_and(|it| is_open_to_others(&it)) {
                return Err(Failure::file(folder, "can be changed by other users")
                    .advise("See what is in it, and take it back with: chown and chmod 700"));
            }
        }
        Ok(folders)
    }
}

/// Whether other users can change what is in the folder. Root can anyway, and works in folders of others.
fn is_open_to_others(folder: &fs::Metadata) -> bool {
    let user = geteuid().as_raw();
    let of_another = ![0, user].contains(&folder.uid()) && user != 0;
    of_another || folder.mode() & 0o022 != 0
}

/// The path as a text that no other path has, also when it is not UTF-8.
pub(crate) fn exact(path: &Path) -> String {
    path.as_os_str().as_encoded_bytes().escape_ascii().to_string()
}

/// Makes the folder, and those above it, for this user alone.
pub(crate) fn create_private(folder: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).at(folder)
}

/// The JSON in the file, or nothing when there is no file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::local(path, &error)),
    };
    let read = serde_json::from_slice(&text);
    read.map(Some).map_err(|error| {
        unexpected(&format!("{} cannot be read", path.display()), error)
            .advise("Delete the file, and begin anew.")
    })
}

/// Writes the file as JSON, whole or not at all, for this user alone. When this program is killed, there
/// is the file of before or this one.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_private(folder)?;
    // The file that tempfile makes has mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).at(folder)?;
    let text = serde_json::to_vec_pretty(value).map_err(|error| unexpected("JSON", error))?;
    file.write_all(&text).at(path)?;
    file.persist(path).map_err(|error| error.error).at(path)?;
    Ok(())
}

/// Opens the file, which it makes when it is not there, for this command alone until it is dropped.
/// Nothing when another command has it.
///
/// Whoever has the file may delete it.
pub(crate) fn open_alone(path: &Path) -> Result<Option<File>, Failure> {
    loop {
        let file = open_shared(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Failure::local(path, &error)),
        }
        // Whoever had it before may have deleted it meanwhile: then others lock another file.
        let locked = file.metadata().at(path)?;
        let is_it =
            |there: fs::Metadata| (there.dev(), there.ino()) == (locked.dev(), locked.ino());
        if fs::metadata(path).is_ok_and(is_it) {
            return Ok(Some(file));
        }
    }
}

/// Opens the file, and makes it when it is not there, for this command alone until it is dropped. Waits
/// for others that have it.
pub(crate) async fn lock(path: PathBuf) -> Result<File, Failure> {
    let locked = spawn_blocking(move || {
        let file = open_shared(&path)?;
        file.lock().at(&path)?;
        Ok(file)
    });
    locked.await.map_err(|error| unexpected("A lock", error))?
}

/// Opens the file, and makes it when it is not there.
fn open_shared(path: &Path) -> Result<File, Failure> {
    if let Some(folder) = path.parent() {
        create_private(folder)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600).open(path).at(path)
}

/// Deletes what was left of transfers that nobody has continued: the service has given them up by then.
pub(crate) fn forget_old_transfers(folders: &Folders) {
    let folders = ["uploads", "downloads"].map(|name| folders.state.join(name));
    for entry in folders.iter().flat_map(fs::read_dir).flatten().flatten() {
        let changed = entry.metadata().and_then(|it| it.modified());
        if changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > OLD)) {
            // Another command may have deleted it meanwhile.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The same command runs at the same time.
pub(crate) fn running() -> Failure {
    Failure::new(Status::Local, "The same command is running already")
        .advise("Wait until it has ended.")
}

/// Writes a new file. One that is there is not overwritten.
pub(crate) fn save_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        file => file.and_then(|mut file| file.write_all(bytes)).at(path),
    }
}

/// Another file has the name.
pub(crate) fn exists(path: &Path) -> Failure {
    Failure::file(path, "is there already")
        .advise("Move it away, or give another name with -o. Nothing has been overwritten.")
}
