use clap::Args;
use share_contract::operations;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::lines;
use crate::results::LinksRevoked;

/// Client: end links at once, and the downloads that go on with them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share revoke LINK
  share revoke $(share links | awk -F '\\t' '$2 == \"live\" { print $1 }')")]
pub(crate) struct Revoke {
    /// Ids of links, from: share links.
    #[arg(required = true, value_name = "LINK")]
    links: Vec<String>,
}

impl Revoke {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let mut revoked = vec![];
        let mut result = Ok(());
        for link in self.links {
            result = api.request(&operations::LINK_REVOKE).path("id", &link).done().await;
            if result.is_err() {
                break;
            }
            revoked.push(link);
        }
        // What is revoked is told, even if something else could not be.
        context.output.result(&LinksRevoked { revoked: &revoked }, || {
            lines(revoked.iter().map(|link| format!("Revoked {link}.")))
        })?;
        result
    }
}
