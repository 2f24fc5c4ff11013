use clap::{Args, Subcommand};
use share_contract::{GroupCreate, GroupDetails, operations};

use crate::commands::users::find_user;
use crate::context::Context;
use crate::failure::Failure;

/// List groups of Clients; as an admin, change them.
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
        let said = match self.change {
            None => {
                let groups: Vec<GroupDetails> = api.request(&operations::GROUP_LIST).send().await?;
                return context.output.list(&groups, &["name", "members", "created"], |it| {
                    vec![it.name.clone(), it.members.to_string(), it.created_at.to_string()]
                });
            }
            Some(Change::Create { name }) => {
                let body = GroupCreate { name };
                let request = api.request(&operations::GROUP_CREATE).json(&body)?;
                let group: GroupDetails = request.send().await?;
                return context
                    .output
                    .result(&group, || format!("Made the group {}.\n", group.name));
            }
            Some(Change::Delete { name }) => {
                let request = api.request(&operations::GROUP_DELETE).path("name", &name);
                request.done().await?;
                format!("Deleted the group {name}.\n")
            }
            Some(Change::Add { name, user }) => {
                let id = find_user(&api, &user).await?.id;
                let request = api.request(&operations::GROUP_JOIN).path("name", &name);
                request.path("user_id", id).done().await?;
                format!("{user} is in the group {name}.\n")
            }
            Some(Change::Remove { name, user }) => {
                let id = find_user(&api, &user).await?.id;
                let request = api.request(&operations::GROUP_LEAVE).path("name", &name);
                request.path("user_id", id).done().await?;
                format!("{user} is not in the group {name} any more.\n")
            }
        };
        context.output.result(&serde_json::json!({ "message": said.trim_end() }), || said.clone())
    }
}
