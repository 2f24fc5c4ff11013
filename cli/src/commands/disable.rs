use clap::Args;
use share_contract::{UserChange, UserDetails, operations};

use crate::commands::users::find_user;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::word;

/// Admin: disable an account, with its sessions and its links.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share disable rosa
  share disable rosa@example.org")]
pub(crate) struct Disable {
    /// Name or address of the account.
    user: String,
}

/// Admin: enable an account again, and its links with it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share enable rosa")]
pub(crate) struct Enable {
    /// Name or address of the account.
    user: String,
}

impl Disable {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        change(context, &self.user, false).await
    }
}

impl Enable {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        change(context, &self.user, true).await
    }
}

async fn change(context: &Context, user: &str, active: bool) -> Result<(), Failure> {
    let api = context.api()?;
    let user = find_user(&api, user).await?;
    let change = UserChange { active: Some(active), ..UserChange::default() };
    let request = api.request(&operations::USER_CHANGE).path("id", user.id).json(&change)?;
    let user: UserDetails = request.send().await?;
    context.output.result(&user, || format!("{} is {} now.\n", user.username, word(user.state)))
}
