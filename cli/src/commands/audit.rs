use clap::Args;
use share_contract::{AuditEntry, operations};

use crate::context::Context;
use crate::failure::Failure;

/// Admin: who did what, the newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share audit --limit 20
  share audit --subject file:ID           All about one file
  share audit --json > audit.json")]
pub(crate) struct Audit {
    #[arg(long, help = "Only what is about this: file:ID, user:ID or group:ID")]
    subject: Option<String>,
    /// Only what this account did, by its id.
    #[arg(long)]
    actor: Option<String>,
    /// At most so many; all when it is left out.
    #[arg(long, value_name = "NUMBER", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

impl Audit {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let request = api.request(&operations::AUDIT_LIST).query("subject", self.subject);
        let lines: Vec<AuditEntry> = request.query("actor", self.actor).list(self.limit).await?;
        let headings = &["at", "action", "actor", "subject", "detail"];
        context.output.list(&lines, headings, |it| {
            let detail = it.detail.clone().unwrap_or_default();
            vec![it.at.clone(), it.action.clone(), it.actor.to_string(), it.subject.clone(), detail]
        })
    }
}
