use clap::Args;
use share_contract::operations;

use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::profile::Profiles;
use crate::results::LoggedOut;
use crate::secrets::Kept;

/// End the session, here and at the service.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share logout
  share logout --profile test    Ends another login")]
pub(crate) struct Logout {}

impl Logout {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let known = context.login()?;
        let ended = match context.api() {
            Ok(api) => {
                let request = api.request(&operations::SESSION_END).path("id", "current");
                request.done().await
            }
            Err(failure) => Err(failure),
        };
        // Also without a network: whoever logs out wants no secrets left here.
        Kept::new(&context.folders, &context.profile, &known.url, known.keeper).delete()?;
        Profiles::change(&context.folders, |profiles| profiles.remove(&context.profile)).await?;
        match ended {
            Err(failure) if failure.status != Status::NotAllowed => Err(failure
                .advise("It is forgotten here. At the service it ends by itself, or with: share sessions --end ID")),
            _ => {
                let logged_out = LoggedOut { logged_out: &context.profile };
                context.output.result(&logged_out, || "Logged out.\n".to_owned())
            }
        }
    }
}
