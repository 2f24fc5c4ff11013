//! What an upload command has sent so far, so that the same command continues.
//!
//! A file of JSON lines, to which one is added at each step. A crash can cut the last line, which
//! is then passed over.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use share_contract::FileTerms;
use share_model::{ContentDigest, FileId};

use crate::api::now;
use crate::context::Account;
use crate::failure::{AtPath, Failure, unexpected};
use crate::folders::{Folders, exact, open_alone, running};
use crate::transfers::random_text;
use crate::transfers::source::Source;

/// For how many seconds a key is used: an hour less than the service knows it, so that it does not
/// forget it between two attempts.
const KEY_USE: i64 = 23 * 60 * 60;

/// The journal of an upload command, which nobody else continues at the same time.
pub(crate) struct Batch {
    path: PathBuf,
    file: Mutex<File>,
    steps: HashMap<String, Step>,
}

/// How far the upload of a file is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The file: its path, size, and time of change or digest.
    file: String,
    /// The key of the request that creates it at the service, so that a repetition creates no other.
    pub(crate) key: String,
    /// When the key was made, by the clock of this machine, in seconds since 1970.
    begun_at: i64,
    /// The id that the service has given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<FileId>,
    /// Whether the service has taken it.
    #[serde(default)]
    pub(crate) done: bool,
}

impl Batch {
    /// The journal of this command: for this account, these terms and these files.
    pub(crate) fn open(
        folders: &Folders,
        account: &Account,
        terms: &FileTerms,
        sources: &[Source],
    ) -> Result<Self, Failure> {
        let names: Vec<_> = sources.iter().map(|it| (exact(&it.path), &it.name)).collect();
        let command = serde_json::to_vec(&(account, terms, names));
        let command = command.map_err(|error| unexpected("JSON", error))?;
        let name = format!("{}.jsonl", ContentDigest::of(&command).hex());
        let path = folders.state.join("uploads").join(name);
        let mut file = open_alone(&path)?.ok_or_else(running)?;
        let mut text = vec![];
        file.read_to_end(&mut text).at(&path)?;
        let lines = text.split(|byte| *byte == b'\n');
        let steps = lines.filter_map(|line| serde_json::from_slice::<Step>(line).ok());
        let steps = steps.map(|step| (step.file.clone(), step)).collect();
        // A line that was cut must not spoil the next one.
        if text.last().is_some_and(|byte| *byte != b'\n') {
            file.write_all(b"\n").at(&path)?;
        }
        Ok(Self { path, file: Mutex::new(file), steps })
    }

    /// How far this very file was: of another size, or changed since, it is another one.
    pub(crate) fn step(&self, source: &Source) -> Option<&Step> {
        self.steps.get(&file_key(source))
    }

    /// The first step of an upload, with a key of its own.
    pub(crate) fn begin(&self, source: &Source) -> Result<Step, Failure> {
        let (file, key) = (file_key(source), random_text()?);
        let step = Step { file, key, begun_at: now(), id: None, done: false };
        self.note(&step)?;
        Ok(step)
    }

    /// Notes how far an upload is.
    pub(crate) fn note(&self, step: &Step) -> Result<(), Failure> {
        let line = serde_json::to_string(step).map_err(|error| unexpected("JSON", error))? + "\n";
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(std::io::SeekFrom::End(0)).at(&self.path)?;
        file.write_all(line.as_bytes()).at(&self.path)
    }

    /// All files are sent: the same command begins anew.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        fs::remove_file(&self.path).at(&self.path)
    }
}

impl Step {
    /// Whether the service still knows what was begun. A clock that is wrong does no more harm than no
    /// key: the file can be there twice if the command was ended just while the service took it.
    pub(crate) fn can_continue(&self) -> bool {
        self.id.is_some() || now() - self.begun_at < KEY_USE
    }
}

/// What tells the file from others.
fn file_key(source: &Source) -> String {
    let Source { path, size, version, .. } = source;
    format!("{} {size} {version}", exact(path))
}
