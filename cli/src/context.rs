//! What every command has: the service, the session, and how to print.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;

use share_contract::{AccountDetails, FileDetails, FileStateName, FileSummary, operations};
use share_model::{FileId, FileName, Role};
use tokio::sync::Mutex;
use url::Url;

use crate::api::{Api, Caller, nobody};
use crate::arguments::Common;
use crate::failure::{Failure, Status};
use crate::folders::Folders;
use crate::output::{Output, plain};
use crate::profile::{self, Profile, Profiles};
use crate::secrets::Kept;

/// What every command has.
pub(crate) struct Context {
    pub(crate) folders: Folders,
    pub(crate) output: Output,
    /// The profile that is meant.
    pub(crate) profile: String,
    /// The address that `--url` or `SHARE_URL` gives.
    pub(crate) url: Option<Url>,
    token: Option<String>,
}

/// Who asks, and where: for what is kept between two runs of the same command.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) service: Url,
    pub(crate) username: String,
}

impl Context {
    pub(crate) fn new(common: Common) -> Result<Self, Failure> {
        Ok(Self {
            folders: Folders::find()?,
            output: common.output(),
            profile: common.profile,
            url: common.url.as_deref().map(profile::service).transpose()?,
            token: common.token.filter(|it| !it.is_empty()).as_deref().map(token).transpose()?,
        })
    }

    /// The API, for whoever is logged in.
    pub(crate) fn api(&self) -> Result<Api, Failure> {
        if let Some(token) = &self.token {
            let url = match &self.url {
                Some(url) => url.clone(),
                None => self.known()?.ok_or_else(no_address)?.url,
            };
            return Api::new(url, Caller::Token(token.clone()));
        }
        let known = self.login()?;
        let Profile { url, username, keeper, .. } = known;
        let kept = Kept::new(&self.folders, &self.profile, &url, &username, keeper);
        let secrets = kept.read()?.ok_or_else(|| nobody(&self.profile))?;
        Api::new(url, Caller::Session(kept, Mutex::new(secrets)))
    }

    /// The profile with which somebody is logged in, at the service that is meant.
    pub(crate) fn login(&self) -> Result<Profile, Failure> {
        let known = self.known()?.ok_or_else(|| nobody(&self.profile))?;
        if self.url.as_ref().is_some_and(|url| *url != known.url) {
            // A token must not travel to another service than the one that has issued it.
            let message =
                format!("The profile {} is of another service, {}", self.profile, known.url);
            return Err(Failure::new(Status::NotAllowed, message)
                .advise("Unset SHARE_URL, or log in there with: share login --profile NAME URL"));
        }
        Ok(known)
    }

    /// The profile that is meant, when somebody has logged in with it.
    pub(crate) fn known(&self) -> Result<Option<Profile>, Failure> {
        let known = Profiles::read(&self.folders)?.get(&self.profile).cloned();
        // A password goes there, and the file can be written by hand.
        known.map(|it| Ok(Profile { url: profile::service(it.url.as_str())?, ..it })).transpose()
    }

    /// Who asks. With a session it is known without asking.
    pub(crate) async fn account(&self, api: &Api) -> Result<(Account, Role), Failure> {
        let known = if self.token.is_none() { self.known()? } else { None };
        let (username, role) = if let Some(known) = known {
            (known.username, known.role)
        } else {
            let account: AccountDetails = api.request(&operations::ACCOUNT_SHOW).send().await?;
            (account.username, account.role)
        };
        let username = username.as_str().to_owned();
        Ok((Account { service: api.base().clone(), username }, role))
    }
}

/// A token as the environment has it. What is none must not be passed over: the login of a profile
/// would take its place.
fn token(given: &OsStr) -> Result<String, Failure> {
    let token = given.to_str().map(str::trim).filter(|it| it.bytes().all(|b| b.is_ascii_graphic()));
    token.filter(|it| !it.is_empty()).map(str::to_owned).ok_or_else(|| {
        Failure::new(Status::Usage, "SHARE_TOKEN holds something that is no token")
            .advise("Set it anew, or unset it.")
    })
}

fn no_address() -> Failure {
    Failure::new(Status::Usage, "The address of the service is not known")
        .advise("Set SHARE_URL beside SHARE_TOKEN.")
}

/// The files that are meant, each by its id or by a name that only one file has.
pub(crate) async fn find_files(
    api: &Api,
    role: Role,
    meant: &[String],
) -> Result<Vec<FileId>, Failure> {
    if meant.iter().all(|it| it.parse::<FileId>().is_ok()) {
        return Ok(meant.iter().filter_map(|it| it.parse().ok()).collect());
    }
    let named: Vec<(FileId, FileName)> = if role == Role::Client {
        let files = shared_files(api, meant).await?;
        files.into_iter().map(|it| (it.id, it.filename)).collect()
    } else {
        let request = api.request(&operations::FILE_LIST_UPLOADED).query("q", only_name(meant));
        let files: Vec<FileDetails> = request.list(usize::MAX).await?;
        let there = files.into_iter().filter(|it| it.state != FileStateName::Deleted);
        there.map(|it| (it.id, it.filename)).collect()
    };
    pick(meant, named.iter().map(|(id, name)| (*id, name)))
}

/// The files of this Client that are meant, each once, with what the list says of them.
pub(crate) async fn find_shared(api: &Api, meant: &[String]) -> Result<Vec<FileSummary>, Failure> {
    let files = shared_files(api, meant).await?;
    let mut ids = pick(meant, files.iter().map(|it| (it.id, &it.filename)))?;
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    let mut by_id: HashMap<FileId, FileSummary> = files.into_iter().map(|it| (it.id, it)).collect();
    ids.iter().map(|id| by_id.remove(id).ok_or_else(|| not_there(&id.to_string()))).collect()
}

/// The list of this Client's files, as far as it is needed to find those that are meant.
async fn shared_files(api: &Api, meant: &[String]) -> Result<Vec<FileSummary>, Failure> {
    api.request(&operations::FILE_LIST).query("q", only_name(meant)).list(usize::MAX).await
}

/// One name is looked for; several are picked from the whole list, and so is an id.
fn only_name(meant: &[String]) -> Option<&str> {
    match meant {
        [only] if only.parse::<FileId>().is_err() => Some(only),
        _ => None,
    }
}

/// The ids of what is meant.
fn pick<'a>(
    meant: &[String],
    files: impl Iterator<Item = (FileId, &'a FileName)>,
) -> Result<Vec<FileId>, Failure> {
    let mut ids: HashMap<&str, Vec<FileId>> = HashMap::new();
    for (id, name) in files {
        ids.entry(name.as_str()).or_default().push(id);
    }
    let find = |meant: &String| {
        meant.parse().or_else(|_| only_one(meant, ids.get(&**meant).map_or(&[], Vec::as_slice)))
    };
    meant.iter().map(find).collect()
}

/// The file that is meant.
pub(crate) async fn find_file(api: &Api, role: Role, meant: &str) -> Result<FileId, Failure> {
    let found = find_files(api, role, &[meant.to_owned()]).await?;
    found.first().copied().ok_or_else(|| not_there(meant))
}

fn only_one(meant: &str, ids: &[FileId]) -> Result<FileId, Failure> {
    match ids {
        [] => Err(not_there(meant)),
        [only] => Ok(*only),
        _ => {
            let message = format!("{} files are named {}", ids.len(), plain(meant));
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            let advice = format!("Give the id in place of the name: {}", ids.join(", "));
            Err(Failure::new(Status::Usage, message).advise(advice))
        }
    }
}

fn not_there(meant: &str) -> Failure {
    Failure::new(Status::NotThere, format!("There is no file named {}", plain(meant)))
        .advise("See what there is with: share ls")
}
