//! What every command has: the service, the session, and how to print.

use tokio::sync::Mutex;
use url::Url;

use share_contract::{AccountDetails, FileDetails, FileSummary, operations};
use share_model::{FileId, Role};

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
            token: common.token.filter(|token| !token.is_empty()),
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
        let known = self.known()?.ok_or_else(nobody)?;
        if self.url.as_ref().is_some_and(|url| *url != known.url) {
            // A token must not travel to another service than the one that has issued it.
            let message =
                format!("The profile {} is of another service, {}", self.profile, known.url);
            return Err(Failure::new(Status::NotAllowed, message)
                .advise("Unset SHARE_URL, or log in there with: share login --profile NAME URL"));
        }
        let kept = Kept::new(&self.folders, &self.profile, known.keeper);
        let secrets = kept.read()?.ok_or_else(nobody)?;
        Api::new(known.url, Caller::Session(kept, Mutex::new(secrets)))
    }

    /// The API, for a link that somebody has sent: its secret is all that is needed.
    pub(crate) fn anonymous(service: Url) -> Result<Api, Failure> {
        Api::new(service, Caller::Nobody)
    }

    /// The profile that is meant, when somebody has logged in with it.
    pub(crate) fn known(&self) -> Result<Option<Profile>, Failure> {
        Ok(Profiles::read(&self.folders)?.get(&self.profile).cloned())
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

fn no_address() -> Failure {
    Failure::new(Status::Usage, "The address of the service is not known")
        .advise("Set SHARE_URL beside SHARE_TOKEN.")
}

/// The file that is meant: by its id, or by a name that only one file has.
pub(crate) async fn find_file(api: &Api, role: Role, meant: &str) -> Result<FileId, Failure> {
    if let Ok(id) = meant.parse() {
        return Ok(id);
    }
    let named: Vec<(FileId, String)> = if role == Role::Client {
        let request = api.request(&operations::FILE_LIST).query("q", Some(meant));
        let files: Vec<FileSummary> = request.list(usize::MAX).await?;
        files.into_iter().map(|it| (it.id, it.filename.as_str().to_owned())).collect()
    } else {
        let request = api.request(&operations::FILE_LIST_UPLOADED).query("q", Some(meant));
        let files: Vec<FileDetails> = request.list(usize::MAX).await?;
        let there =
            files.into_iter().filter(|it| it.state != share_contract::FileStateName::Deleted);
        there.map(|it| (it.id, it.filename.as_str().to_owned())).collect()
    };
    let mut same = named.into_iter().filter(|(_, name)| name == meant).map(|(id, _)| id);
    match (same.next(), same.collect::<Vec<_>>()) {
        (None, _) => {
            let message = format!("There is no file named {:?}", plain(meant));
            Err(Failure::new(Status::NotThere, message).advise("See what there is with: share ls"))
        }
        (Some(only), others) if others.is_empty() => Ok(only),
        (Some(first), others) => {
            let ids: Vec<_> = [first].iter().chain(&others).map(ToString::to_string).collect();
            let message = format!("{} files are named {:?}", ids.len(), plain(meant));
            let advice = format!("Give the id in place of the name: {}", ids.join(", "));
            Err(Failure::new(Status::Usage, message).advise(advice))
        }
    }
}
