//! The data folder: for one server at a time, and for nobody but its user.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::Mode;

/// A data folder that this process alone uses.
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Held, so that no second server uses the folder.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder at `path` if there is none, and locks it. From then on, whatever this
    /// process creates is for its user alone; so is what the folder holds from before.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        // SQLite gives its -wal and -shm the mode of the database; all else follows the umask.
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
        let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
        created.with_context(|| format!("cannot create the data folder {shown}"))?;
        let file = path.join("lock");
        let ours = file.exists() || fs::read_dir(path)?.next().is_none();
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&file);
        let lock = lock.with_context(|| format!("cannot write to the data folder {shown}"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another server is using the data folder {shown}; stop it, or choose another \
                 --data-dir"
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).context("cannot lock the data folder");
            }
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.close_to_others(ours).context("cannot close the data folder to other users")?;
        Ok(folder)
    }

    /// Takes away what other users may do. The folder itself is left as it is when it was there and
    /// not `ours`, and so may hold what is not for us alone.
    fn close_to_others(&self, ours: bool) -> std::io::Result<()> {
        if ours {
            fs::set_permissions(&self.path, Permissions::from_mode(0o700))?;
        }
        for file in [
            self.lock(),
            self.accounts_mark(),
            self.jwt_secret(),
            self.certificate_secret(),
            self.second_factor_secret(),
            self.database(),
        ] {
            close(&file)?;
        }
        for suffix in ["-wal", "-shm"] {
            let mut name = self.database().into_os_string();
            name.push(suffix);
            close(Path::new(&name))?;
        }
        close(&self.objects())
    }

    fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Is there when the store has accounts with well-known passwords.
    pub(crate) fn accounts_mark(&self) -> PathBuf {
        self.path.join("has-local-accounts")
    }

    /// The secret that signs access tokens.
    pub(crate) fn jwt_secret(&self) -> PathBuf {
        self.path.join("jwt-secret")
    }

    /// The secret from which the key of certificates is derived.
    pub(crate) fn certificate_secret(&self) -> PathBuf {
        self.path.join("certificate-secret")
    }

    /// The secret from which the key of the second factors' seeds is derived.
    pub(crate) fn second_factor_secret(&self) -> PathBuf {
        self.path.join("second-factor-secret")
    }

    /// The database of the embedded DynamoDB.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    /// The folder of the embedded S3.
    pub(crate) fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }
}

/// Closes a file, or a folder with all that is in it, to other users.
fn close(path: &Path) -> std::io::Result<()> {
    let about = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        about => about?,
    };
    let mode = match about.file_type() {
        kind if kind.is_dir() => 0o700,
        kind if kind.is_file() => 0o600,
        _ => return Ok(()),
    };
    if about.permissions().mode() & 0o777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            close(&entry?.path())?;
        }
    }
    Ok(())
}
