use clap::Args;
use share_contract::operations;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::lines;

/// Client: end a link at once, and the downloads that go on with it.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Ids of links, from: share links
    #[arg(required = true, value_name = "LINK")]
    links: Vec<String>,
}

impl Revoke {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        for link in &self.links {
            api.request(&operations::LINK_REVOKE).path("id", link).done().await?;
        }
        context.output.result(&serde_json::json!({ "revoked": self.links }), || {
            lines(self.links.iter().map(|link| format!("Revoked {link}.")))
        })
    }
}
