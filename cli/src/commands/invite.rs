use clap::Args;
use share_contract::{InvitationRequest, InvitationSummary, operations};
use share_model::{EmailAddress, Role, Username};

use crate::arguments::role;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::moment;

/// Admin: invite somebody by e-mail.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share invite rosa@example.org --role client
  share invite omar@example.com --role ops --username omar")]
pub(crate) struct Invite {
    /// E-mail address that the invitation goes to.
    email: String,
    /// What the account may do: client, ops or admin.
    #[arg(long, value_parser = role)]
    role: Role,
    /// Name of the account. When it is left out, one is made from the address.
    #[arg(long)]
    username: Option<String>,
}

impl Invite {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let wrong = |what: &str, reason| Failure::new(Status::Usage, format!("{what} {reason}"));
        let email = EmailAddress::parse(&self.email).map_err(|it| wrong("The address", it))?;
        let username = self.username.as_deref().map(Username::parse).transpose();
        let username = username.map_err(|it| wrong("The name", it))?;
        let api = context.api()?;
        let body = InvitationRequest { email, role: self.role, username };
        let request = api.request(&operations::INVITATION_CREATE).json(&body)?;
        let invited: InvitationSummary = request.send().await?;
        context.output.result(&invited, || {
            let (name, email) = (invited.username.as_str(), invited.email.as_str());
            format!(
                "Invited {email} as {name} ({}), until {}.\n",
                invited.role.as_str(),
                moment(invited.expires_at)
            )
        })
    }
}
