//! Where objects are on disk.
//!
//! An object's bytes are the file `<bucket>/<key>`. What S3 knows of it beside them is the file
//! `.about/<inode>`, so that renaming the bytes into their place brings both at once: after a crash
//! at any moment there is the former object or the new one, whole.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use s3s::{S3Error, S3Result, s3_error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempPath};
use uuid::Uuid;

use crate::event_bus::EventBus;

use super::checksum::Checksum;
use super::notifications::{Reason, notify};
use super::tags::Tags;

/// The folder of all buckets.
pub(super) struct Folder {
    root: PathBuf,
    /// Held by whoever changes which objects and uploads there are.
    changes: Mutex<()>,
    /// Where changes of objects are told, if anywhere.
    events: Option<EventBus>,
}

/// What S3 knows of an object beside its bytes.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) e_tag: String,
    pub(super) checksum: Option<Checksum>,
    pub(super) headers: Headers,
    pub(super) tags: Tags,
    /// How many parts it came in, when it did.
    pub(super) parts: Option<i32>,
}

/// What an object is answered with, as it was stored.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Headers {
    pub(super) cache_control: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Option<HashMap<String, String>>,
}

/// An object, opened.
pub(super) struct Object {
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
    pub(super) about: About,
}

/// While it is held, nobody else changes which objects and uploads there are.
pub(super) struct Change<'a> {
    folder: &'a Folder,
    _guard: MutexGuard<'a, ()>,
}

impl Folder {
    /// Opens the folder, and drops what a former process did not finish.
    pub(super) fn open(root: &Path, events: Option<EventBus>) -> io::Result<Self> {
        let folder = Self { root: root.to_owned(), changes: Mutex::new(()), events };
        match fs::remove_dir_all(folder.unfinished()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for path in [folder.unfinished(), folder.uploads(), folder.root.join(".about")] {
            fs::create_dir_all(path)?;
        }
        Ok(folder)
    }

    /// For what is not complete. Nothing in it outlives the process.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.root.join(".unfinished")
    }

    /// For uploads in parts, a folder each.
    pub(super) fn uploads(&self) -> PathBuf {
        self.root.join(".uploads")
    }

    fn about(&self, bytes: &Metadata) -> PathBuf {
        self.root.join(".about").join(bytes.ino().to_string())
    }

    /// Where an object's bytes are, whether or not there is such an object.
    pub(super) fn path(&self, bucket: &str, key: &str) -> S3Result<PathBuf> {
        let bucket = self.root.join(bucket);
        if !bucket.is_dir() {
            return Err(s3_error!(NoSuchBucket));
        }
        let names = Path::new(key).components().all(|it| matches!(it, Component::Normal(_)));
        if !names || key.ends_with('/') || key.contains("//") || key.contains("/./") {
            return Err(s3_error!(
                NotImplemented,
                "Objects are files here, and no file has the name {key}."
            ));
        }
        Ok(bucket.join(key))
    }

    /// Opens an object.
    pub(super) fn find(&self, bucket: &str, key: &str) -> S3Result<Object> {
        let file = File::open(self.path(bucket, key)?).map_err(|_| s3_error!(NoSuchKey))?;
        let bytes = file.metadata().map_err(S3Error::internal_error)?;
        if !bytes.is_file() {
            return Err(s3_error!(NoSuchKey));
        }
        let about = match read_json(&self.about(&bytes))? {
            Some(about) => about,
            None => About::of_plain_file(&bytes),
        };
        Ok(Object { file, size: bytes.len(), modified: bytes.modified().ok(), about })
    }

    /// Waits until nobody else changes anything.
    pub(super) fn change(&self) -> Change<'_> {
        // The files are consistent at every moment, so a panic elsewhere is no reason to stop.
        let guard = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        Change { folder: self, _guard: guard }
    }

    /// Writes a file that appears whole or not at all.
    pub(super) fn write_json(&self, path: &Path, value: &impl Serialize) -> S3Result<()> {
        let text = serde_json::to_vec(value).map_err(S3Error::internal_error)?;
        let file = NamedTempFile::new_in(self.unfinished());
        let mut file = file.map_err(S3Error::internal_error)?;
        file.write_all(&text).map_err(S3Error::internal_error)?;
        file.persist(path).map_err(S3Error::internal_error)?;
        Ok(())
    }
}

impl About {
    /// For a file that somebody put into the folder.
    fn of_plain_file(bytes: &Metadata) -> Self {
        let e_tag = format!("{:x}-{:x}-{:x}", bytes.ino(), bytes.mtime(), bytes.mtime_nsec());
        let (headers, tags) = (Headers::default(), Tags::default());
        Self { e_tag, checksum: None, headers, tags, parts: None }
    }
}

impl Change<'_> {
    /// Makes these bytes the object, and tells so. With `only_new` it must not exist yet.
    pub(super) fn publish(
        &self,
        bytes: TempPath,
        about: &About,
        (bucket, key): (&str, &str),
        only_new: bool,
        reason: Reason,
    ) -> S3Result<()> {
        let path = self.folder.path(bucket, key)?;
        let former = fs::metadata(&path).ok();
        if only_new && former.is_some() {
            return Err(s3_error!(PreconditionFailed));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(S3Error::internal_error)?;
        }
        let metadata = fs::metadata(&bytes).map_err(S3Error::internal_error)?;
        self.folder.write_json(&self.folder.about(&metadata), about)?;
        bytes.persist(path).map_err(S3Error::internal_error)?;
        if let Some(former) = former {
            self.forget(&former);
        }
        self.notify(reason, (bucket, key), Some((metadata.len(), &about.e_tag)));
        Ok(())
    }

    /// Deletes an object, if there is one, and tells so.
    pub(super) fn delete(&self, bucket: &str, key: &str) -> S3Result<()> {
        let path = self.folder.path(bucket, key)?;
        let Ok(former) = fs::metadata(&path) else { return Ok(()) };
        fs::remove_file(path).map_err(S3Error::internal_error)?;
        self.forget(&former);
        self.notify(Reason::DeleteObject, (bucket, key), None);
        Ok(())
    }

    /// Still under the lock, so that events have the order of the changes.
    fn notify(&self, reason: Reason, place: (&str, &str), object: Option<(u64, &str)>) {
        if let Some(events) = &self.folder.events {
            notify(events, reason, place, object);
        }
    }

    fn forget(&self, former: &Metadata) {
        // What stays behind belongs to no object, and the next file with that inode replaces it.
        let _ = fs::remove_file(self.folder.about(former));
    }

    /// Gives an object the tags that `change` makes of those it has.
    pub(super) fn tag(
        &self,
        bucket: &str,
        key: &str,
        change: impl FnOnce(&About) -> S3Result<Tags>,
    ) -> S3Result<()> {
        let Object { file, about, .. } = self.folder.find(bucket, key)?;
        let tags = change(&about)?;
        let metadata = file.metadata().map_err(S3Error::internal_error)?;
        self.folder.write_json(&self.folder.about(&metadata), &About { tags, ..about })
    }

    /// Takes an upload with all its parts away; gives what is still to be deleted, or nothing when
    /// there is no such upload.
    pub(super) fn end_upload(&self, id: Uuid) -> Option<PathBuf> {
        let ended = self.folder.unfinished().join(id.to_string());
        fs::rename(self.folder.uploads().join(id.to_string()), &ended).ok()?;
        Some(ended)
    }
}

/// Reads what [`Folder::write_json`] wrote, if it did.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> S3Result<Option<T>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(S3Error::internal_error),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(S3Error::internal_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn folder() -> (TempDir, Folder) {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join("bucket")).unwrap();
        let folder = Folder::open(root.path(), None).unwrap();
        (root, folder)
    }

    fn about(e_tag: &str) -> About {
        let (headers, tags) = (Headers::default(), Tags::default());
        About { e_tag: e_tag.to_owned(), checksum: None, headers, tags, parts: None }
    }

    fn bytes(folder: &Folder, text: &str) -> TempPath {
        let mut file = NamedTempFile::new_in(folder.unfinished()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.into_temp_path()
    }

    #[test]
    fn after_a_crash_before_the_rename_the_former_object_stands() {
        let (root, folder) = folder();
        let place = ("bucket", "key");
        folder
            .change()
            .publish(bytes(&folder, "former"), &about("1"), place, false, Reason::PutObject)
            .unwrap();
        // All that is done before the rename.
        let new = bytes(&folder, "new");
        let metadata = fs::metadata(&new).unwrap();
        folder.write_json(&folder.about(&metadata), &about("2")).unwrap();
        std::mem::forget(new);
        drop(folder);
        let folder = Folder::open(root.path(), None).unwrap();
        let object = folder.find("bucket", "key").unwrap();
        assert_eq!((object.about.e_tag.as_str(), object.size), ("1", 6));
        assert_eq!(fs::read_dir(folder.unfinished()).unwrap().count(), 0, "and nothing is left");
        folder
            .change()
            .publish(bytes(&folder, "newer"), &about("3"), place, false, Reason::PutObject)
            .unwrap();
        let object = folder.find("bucket", "key").unwrap();
        assert_eq!((object.about.e_tag.as_str(), object.size), ("3", 5));
    }

    #[test]
    fn a_file_that_somebody_put_there_is_an_object() {
        let (root, folder) = folder();
        fs::write(root.path().join("bucket/key"), "text").unwrap();
        let object = folder.find("bucket", "key").unwrap();
        assert_eq!(object.size, 4);
        assert!(!object.about.e_tag.is_empty());
        assert!(folder.find("bucket", "other").is_err());
    }
}
