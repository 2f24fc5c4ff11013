use clap::{Args, Subcommand};
use share_contract::{GroupCreate, GroupDetails, operations};

use crate::api::Api;
use crate::commands::users::find_user;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::moment;
use crate::results::{GroupDeleted, Membership};

/// Ops, admin: list groups of Clients. Admin: change them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share groups
  share groups create board
  share groups add board rosa
  share upload report.pdf --to group:board")]
pub(crate) struct Groups {
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Make a group.
    Create {
        /// Its name: letters from a to z, digits and hyphens.
        name: String,
    },
    /// Delete a group. Files that name it stay, for nobody in it.
    Delete {
        /// The group.
        name: String,
    },
    /// Put an account into a group.
    Add {
        /// The group.
        name: String,
        /// Name or address of the account.
        user: String,
    },
    /// Take an account out of a group.
    Remove {
        /// The group.
        name: String,
        /// Name or address of the account.
        user: String,
    },
}

impl Groups {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        match self.change {
            None => {
                let groups: Vec<GroupDetails> = api.request(&operations::GROUP_LIST).send().await?;
                context.output.list(&groups, &["name", "members", "created"], |it| {
                    vec![it.name.clone(), it.members.to_string(), moment(it.created_at)]
                })
            }
            Some(Change::Create { name }) => {
                let body = GroupCreate { name };
                let request = api.request(&operations::GROUP_CREATE).json(&body)?;
                let group: GroupDetails = request.send().await?;
                context.output.result(&group, || format!("Made the group {}.\n", group.name))
            }
            Some(Change::Delete { name }) => {
                let request = api.request(&operations::GROUP_DELETE).path("name", &name);
                request.done().await?;
                let deleted = GroupDeleted { deleted: &name };
                context.output.result(&deleted, || format!("Deleted the group {name}.\n"))
            }
            Some(Change::Add { name, user }) => {
                change_membership(context, &api, &name, &user, true).await
            }
            Some(Change::Remove { name, user }) => {
                change_membership(context, &api, &name, &user, false).await
            }
        }
    }
}

async fn change_membership(
    context: &Context,
    api: &Api,
    group: &str,
    user: &str,
    member: bool,
) -> Result<(), Failure> {
    let user = find_user(api, user).await?;
    let operation = if member { &operations::GROUP_JOIN } else { &operations::GROUP_LEAVE };
    api.request(operation).path("name", group).path("user_id", user.id).done().await?;
    let username = &user.username;
    context.output.result(&Membership { group, user_id: user.id, username, member }, || {
        let is = if member { "is in" } else { "is not in" };
        format!("{username} {is} the group {group} now.\n")
    })
}
