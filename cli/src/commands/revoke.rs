use clap::Args;
use share_contract::operations;

use crate::context::Context;
use crate::failure::Failure;
use crate::results::LinkRevoked;

/// Client: end a link at once, and the downloads that go on with it.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Id of the link, from: share links
    #[arg(allow_hyphen_values = true)]
    link: String,
}

impl Revoke {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        api.request(&operations::LINK_REVOKE).path("id", &self.link).done().await?;
        let revoked = LinkRevoked { revoked: &self.link };
        context.output.result(&revoked, || format!("Revoked {}.\n", self.link))
    }
}
