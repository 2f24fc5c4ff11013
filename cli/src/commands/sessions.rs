use clap::Args;
use share_contract::{SessionSummary, operations};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::moment;
use crate::results::SessionsEnded;

/// List your sessions, or end them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share sessions
  share sessions --end ID    On another device, for example
  share sessions --end-all   Everywhere, here too")]
pub(crate) struct Sessions {
    /// End the session with this id.
    #[arg(long, value_name = "ID", conflicts_with = "end_all")]
    end: Option<String>,
    /// End all sessions, this one too.
    #[arg(long)]
    end_all: bool,
}

impl Sessions {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        if let Some(id) = self.end {
            api.request(&operations::SESSION_END).path("id", &id).done().await?;
            let ended = SessionsEnded { ended: &id };
            return context.output.result(&ended, || format!("Ended the session {id}.\n"));
        }
        if self.end_all {
            api.request(&operations::SESSION_END_ALL).done().await?;
            let ended = SessionsEnded { ended: "all" };
            return context.output.result(&ended, || "Ended all sessions.\n".to_owned());
        }
        let sessions: Vec<SessionSummary> = api.request(&operations::SESSION_LIST).send().await?;
        context.output.list(&sessions, &["id", "last used", "address", "device"], |it| {
            let device =
                if it.current { format!("{} (this one)", it.device) } else { it.device.clone() };
            vec![it.id.to_string(), moment(it.last_used_at), it.address.clone(), device]
        })
    }
}
