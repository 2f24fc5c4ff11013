use clap::Args;
use serde::Serialize;
use share_contract::{AccountDetails, operations};
use url::Url;

use crate::context::Context;
use crate::failure::Failure;

/// Say who is logged in, and where.
#[derive(Debug, Args)]
pub(crate) struct Whoami {}

#[derive(Serialize)]
struct Answer<'a> {
    service: &'a Url,
    #[serde(flatten)]
    account: &'a AccountDetails,
}

impl Whoami {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let account: AccountDetails = api.request(&operations::ACCOUNT_SHOW).send().await?;
        context.output.result(&Answer { service: api.base(), account: &account }, || {
            let AccountDetails { username, email, role, .. } = &account;
            let (username, email) = (username.as_str(), email.as_str());
            format!("{username} <{email}>, {}, at {}\n", role.as_str(), api.base())
        })
    }
}
