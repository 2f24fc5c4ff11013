use clap::Args;
use share_contract::{UserDetails, operations};
use share_model::Role;

use crate::api::Api;
use crate::arguments::role;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::{moment, plain, word};

/// Admin: list accounts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share users
  share users example.org --role client
  share users --state waiting             Who waits to be let in")]
pub(crate) struct Users {
    /// Only accounts whose name or address contains this text.
    text: Option<String>,
    /// Only accounts of this role: client, ops or admin.
    #[arg(long, value_parser = role)]
    role: Option<Role>,
    /// Only accounts in this state: active, disabled, unverified, invited or waiting.
    #[arg(long)]
    state: Option<String>,
    /// Only members of this group.
    #[arg(long)]
    group: Option<String>,
    /// At most so many; all when it is left out.
    #[arg(long, value_name = "NUMBER", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

impl Users {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let request = api.request(&operations::USER_LIST).query("q", self.text);
        let request = request.query("role", self.role.map(Role::as_str)).query("state", self.state);
        let users: Vec<UserDetails> = request.query("group", self.group).list(self.limit).await?;
        let headings = &["name", "role", "state", "second factor", "last seen", "address", "id"];
        context.output.list(&users, headings, |it| {
            vec![
                it.username.clone(),
                it.role.as_str().to_owned(),
                word(it.state),
                if it.second_factor { "yes" } else { "no" }.to_owned(),
                it.last_seen_at.map(moment).unwrap_or_default(),
                it.email.clone(),
                it.id.to_string(),
            ]
        })
    }
}

/// The account with this name or address.
pub(crate) async fn find_user(api: &Api, meant: &str) -> Result<UserDetails, Failure> {
    let request = api.request(&operations::USER_LIST).query("q", Some(meant));
    let users: Vec<UserDetails> = request.list(usize::MAX).await?;
    let same = |it: &UserDetails| {
        it.username.eq_ignore_ascii_case(meant) || it.email.eq_ignore_ascii_case(meant)
    };
    users.into_iter().find(same).ok_or_else(|| {
        Failure::new(Status::NotThere, format!("There is no account {:?}", plain(meant)))
            .advise("See who there is with: share users")
    })
}
