use clap::Args;
use share_contract::{AccountDetails, operations};

use crate::context::Context;
use crate::failure::Failure;
use crate::results::Identity;

/// Say who is logged in, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share whoami
  share whoami --profile test    With another login")]
pub(crate) struct Whoami {}

impl Whoami {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let account: AccountDetails = api.request(&operations::ACCOUNT_SHOW).send().await?;
        context.output.result(&Identity { service: api.base(), account: &account }, || {
            let AccountDetails { username, email, role, .. } = &account;
            let (username, email) = (username.as_str(), email.as_str());
            format!("{username} <{email}>, {}, at {}\n", role.as_str(), api.base())
        })
    }
}
