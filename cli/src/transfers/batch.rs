//! What an upload command has sent so far, so that the same command continues.
//!
//! A file of JSON lines, to which one is added at each step. A crash can cut the last line, which
//! is then passed over.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use share_contract::FileTerms;
use share_model::{ContentDigest, FileId};

use crate::context::Account;
use crate::failure::{AtPath, Failure};
use crate::folders::{Folders, open_alone, running};
use crate::transfers::source::Source;

/// The journal of an upload command, which nobody else continues at the same time.
pub(crate) struct Batch {
    path: PathBuf,
    file: Mutex<File>,
    steps: HashMap<String, Step>,
    /// The files at the service that belong to one of this command.
    claimed: Mutex<HashSet<FileId>>,
}

/// How far the upload of a file is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The file: its path, size, and time of change or digest.
    file: String,
    /// When it was begun, by the clock of the service, in seconds since 1970.
    pub(crate) begun_at: i64,
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
        let names: Vec<_> = sources.iter().map(|it| (&it.path, &it.name)).collect();
        let command = serde_json::to_vec(&(account, terms, names)).unwrap_or_default();
        let name = format!("{}.jsonl", ContentDigest::of(&command).hex());
        let path = folders.state.join("uploads").join(name);
        let mut file = open_alone(&path)?.ok_or_else(running)?;
        let mut text = vec![];
        file.read_to_end(&mut text).at(&path)?;
        let lines = text.split(|byte| *byte == b'\n');
        let steps = lines.filter_map(|line| serde_json::from_slice::<Step>(line).ok());
        let steps: HashMap<_, _> = steps.map(|step| (step.file.clone(), step)).collect();
        let claimed = steps.values().filter_map(|step: &Step| step.id).collect();
        // A line that was cut must not spoil the next one.
        if text.last().is_some_and(|byte| *byte != b'\n') {
            file.write_all(b"\n").at(&path)?;
        }
        Ok(Self { path, file: Mutex::new(file), steps, claimed: Mutex::new(claimed) })
    }

    /// Takes a file at the service for one of this command; says no when it is another's already.
    pub(crate) fn claim(&self, id: FileId) -> bool {
        self.claimed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id)
    }

    /// How far this very file was: of another size, or changed since, it is another one.
    pub(crate) fn step(&self, source: &Source) -> Option<&Step> {
        self.steps.get(&key(source))
    }

    /// Notes how far the upload is.
    pub(crate) fn note(
        &self,
        source: &Source,
        begun_at: i64,
        id: Option<FileId>,
        done: bool,
    ) -> Result<(), Failure> {
        let step = Step { file: key(source), begun_at, id, done };
        let line = serde_json::to_string(&step).unwrap_or_default() + "\n";
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(std::io::SeekFrom::End(0)).at(&self.path)?;
        file.write_all(line.as_bytes()).at(&self.path)
    }

    /// All files are sent: the same command begins anew.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        fs::remove_file(&self.path).at(&self.path)
    }
}

fn key(source: &Source) -> String {
    let Source { path, size, version, .. } = source;
    format!("{} {size} {version}", path.display())
}
