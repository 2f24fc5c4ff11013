//! Profiles: which service, and which session there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use share_model::{Role, Username};
use url::{Host, Url};

use crate::failure::{Failure, Status};
use crate::folders::{Folders, lock, read_json, write_json};
use crate::secrets::Keeper;

/// The profile that is meant when none is named.
pub(crate) const DEFAULT: &str = "default";

/// A service, and who is logged in there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// Where the API is.
    pub(crate) url: Url,
    /// Whose session it is.
    pub(crate) username: Username,
    /// What the account could do at the login.
    pub(crate) role: Role,
    /// What keeps the session's secrets.
    pub(crate) keeper: Keeper,
}

/// All profiles, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profiles(BTreeMap<String, Profile>);

fn file(folders: &Folders) -> PathBuf {
    folders.settings.join("profiles.json")
}

impl Profiles {
    pub(crate) fn read(folders: &Folders) -> Result<Self, Failure> {
        Ok(read_json(&file(folders))?.unwrap_or_default())
    }

    /// Changes the profiles of now. Of two commands that do at once, neither undoes what the other
    /// has changed.
    pub(crate) async fn change(
        folders: &Folders,
        change: impl FnOnce(&mut Self),
    ) -> Result<(), Failure> {
        let file = file(folders);
        let _locked = lock(file.with_extension("lock")).await?;
        let mut profiles = Self::read(folders)?;
        change(&mut profiles);
        write_json(&file, &profiles)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    pub(crate) fn set(&mut self, name: &str, profile: Profile) {
        self.0.insert(name.to_owned(), profile);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}

/// The command that logs in with this profile.
pub(crate) fn login_of(profile: &str) -> String {
    match profile {
        DEFAULT => "share login".to_owned(),
        _ => format!("share login --profile {profile}"),
    }
}

/// The address of a service. Passwords and tokens travel to it, so it is `https`, but for a server on
/// this machine.
pub(crate) fn service(text: &str) -> Result<Url, Failure> {
    // What stands beside these may be a secret.
    let may_hold_more = text.contains(['@', '?', '#']);
    let shown =
        if may_hold_more { "The address of the service".to_owned() } else { format!("{text:?}") };
    let wrong = |reason: &str| Failure::new(Status::Usage, format!("{shown} {reason}"));
    let mut url = Url::parse(text).map_err(|_| {
        wrong("is not the address of a service").advise("Give it with https:// at its beginning.")
    })?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong("names no host")),
    };
    let names_somebody = !url.username().is_empty() || url.password().is_some();
    if names_somebody || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("holds more than an address").advise("Leave out names and secrets."));
    }
    // So that the same service is the same however its address ends.
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err(wrong("is not encrypted").advise("Give an address that begins with https://.")),
    }
}

/// A profile's name: it is part of file names.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("it must be 1 to 64 letters, digits, hyphens and underscores".to_owned())
    }
}
