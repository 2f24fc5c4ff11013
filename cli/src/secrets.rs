//! The secrets of a session, in the keyring of the operating system, or in a file where there is none.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use keyring::v1::{Entry, Error};
use serde::{Deserialize, Serialize};
use share_contract::LoggedIn;
use share_model::Username;
use url::Url;

use crate::api::now;
use crate::failure::{Failure, Status};
use crate::folders::{Folders, lock, read_json, write_json};
use crate::profile::login_of;

/// As the keyring calls this program.
const SERVICE: &str = "secure-file-share";

/// What keeps the secrets of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Keeper {
    /// The keyring of the operating system.
    Keyring,
    /// A file that this user alone can read.
    File,
}

/// The secrets of a session. There is no `Debug`: they must not reach a log.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// The service that has given them, to which alone they go.
    pub(crate) service: Url,
    /// Whose session it is.
    pub(crate) username: Username,
    /// The access token.
    pub(crate) access: String,
    /// When it ends, in seconds since 1970.
    pub(crate) access_ends: i64,
    /// The refresh token, which is good for one refresh.
    pub(crate) refresh: String,
}

impl Secrets {
    /// Those of an answer that has just come.
    pub(crate) fn new(service: Url, username: Username, answer: LoggedIn) -> Result<Self, Failure> {
        let LoggedIn { access, refresh, expires_in, .. } = answer;
        let refresh = refresh.ok_or_else(|| Failure::new(Status::Failed, "There is no session"))?;
        let access_ends = now().saturating_add(expires_in);
        Ok(Self { service, username, access, access_ends, refresh })
    }
}

/// The secrets of one profile, where they are kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    keeper: Keeper,
    profile: String,
    service: Url,
    username: Username,
    file: PathBuf,
}

impl Kept {
    pub(crate) fn new(
        folders: &Folders,
        profile: &str,
        service: &Url,
        username: &Username,
        keeper: Keeper,
    ) -> Self {
        let file = folders.settings.join(format!("session-{profile}.json"));
        let (profile, service, username) = (profile.to_owned(), service.clone(), username.clone());
        Self { keeper, profile, service, username, file }
    }

    /// The keyring when there is one that takes the secrets, or else a file.
    pub(crate) fn store_anew(
        folders: &Folders,
        profile: &str,
        secrets: &Secrets,
    ) -> Result<Self, Failure> {
        let Secrets { service, username, .. } = secrets;
        let keyring = Self::new(folders, profile, service, username, Keeper::Keyring);
        let file = Self { keeper: Keeper::File, ..keyring.clone() };
        if keyring.write(secrets).is_ok() {
            // What an earlier login without a keyring has left.
            file.delete()?;
            return Ok(keyring);
        }
        file.write(secrets)?;
        Ok(file)
    }

    pub(crate) fn profile(&self) -> &str {
        &self.profile
    }

    pub(crate) fn keeper(&self) -> Keeper {
        self.keeper
    }

    /// For a person: where the secrets are.
    pub(crate) fn place(&self) -> String {
        match self.keeper {
            Keeper::Keyring => "the keyring of the operating system".to_owned(),
            Keeper::File => {
                format!("the file {}, because there is no keyring", self.file.display())
            }
        }
    }

    /// Keeps other commands from changing the secrets until it is dropped: of two commands at once
    /// one refreshes, and a refresh does not replace the session of a later login.
    pub(crate) async fn lock(&self) -> Result<File, Failure> {
        lock(self.file.with_extension("lock")).await
    }

    /// The secrets, when they are of the service and the account that are meant: another login can have
    /// replaced them.
    pub(crate) fn read(&self) -> Result<Option<Secrets>, Failure> {
        let read: Option<Secrets> = match self.keeper {
            Keeper::File => read_json(&self.file)?,
            Keeper::Keyring => match self.entry().and_then(|entry| entry.get_password()) {
                Ok(text) => serde_json::from_str(&text).ok(),
                Err(Error::NoEntry) => None,
                Err(error) => return Err(self.refused(&error)),
            },
        };
        Ok(read.filter(|it| it.service == self.service && it.username == self.username))
    }

    pub(crate) fn write(&self, secrets: &Secrets) -> Result<(), Failure> {
        match self.keeper {
            Keeper::File => write_json(&self.file, secrets),
            Keeper::Keyring => {
                let text = serde_json::to_string(secrets).unwrap_or_default();
                let written = self.entry().and_then(|entry| entry.set_password(&text));
                written.map_err(|error| self.refused(&error))
            }
        }
    }

    pub(crate) fn delete(&self) -> Result<(), Failure> {
        match self.keeper {
            Keeper::File => match fs::remove_file(&self.file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(Failure::local(&self.file, &error))
                }
                _ => Ok(()),
            },
            Keeper::Keyring => match self.entry().and_then(|entry| entry.delete_credential()) {
                Ok(()) | Err(Error::NoEntry) => Ok(()),
                Err(error) => Err(self.refused(&error)),
            },
        }
    }

    fn refused(&self, error: &Error) -> Failure {
        Failure::new(Status::Local, format!("The keyring does not answer: {error}"))
            .advise(format!("Unlock it, or log in again with: {}", login_of(&self.profile)))
    }

    fn entry(&self) -> keyring::v1::Result<Entry> {
        Entry::new(SERVICE, &self.profile)
    }
}
