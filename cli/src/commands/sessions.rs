use clap::Args;
use share_contract::{SessionSummary, operations};

use crate::context::Context;
use crate::failure::Failure;

/// List the sessions of the account, or end one.
#[derive(Debug, Args)]
pub(crate) struct Sessions {
    /// End this session.
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
            return api.request(&operations::SESSION_END).path("id", id).done().await;
        }
        if self.end_all {
            return api.request(&operations::SESSION_END_ALL).done().await;
        }
        let sessions: Vec<SessionSummary> = api.request(&operations::SESSION_LIST).send().await?;
        context.output.list(&sessions, &["id", "last used", "address", "device"], |it| {
            let device =
                if it.current { format!("{} (this one)", it.device) } else { it.device.clone() };
            vec![it.id.to_string(), it.last_used_at.to_string(), it.address.clone(), device]
        })
    }
}
