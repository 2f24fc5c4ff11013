use clap::Args;

use crate::api::{Api, nobody};
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::profile::{Profile, Profiles};
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
        let Profile { url, username, keeper, .. } = context.login()?;
        let kept = Kept::new(&context.folders, &context.profile, &url, &username, keeper);
        // So that a login at the same moment does not lose its session.
        let _locked = kept.lock().await?;
        let ended = match kept.read() {
            Ok(Some(secrets)) => Api::end(secrets).await,
            Ok(None) => Err(nobody(&context.profile)),
            Err(failure) => Err(failure),
        };
        // Also without a network: whoever logs out wants no secrets left here.
        kept.delete()?;
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
