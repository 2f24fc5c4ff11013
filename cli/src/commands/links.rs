use clap::Args;
use share_contract::{LinkSummary, operations};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{moment, word};

/// Client: list your links, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share links
  share links --limit 1          The newest")]
pub(crate) struct Links {
    /// At most so many; all when it is left out.
    #[arg(long, value_name = "NUMBER", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

impl Links {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let links: Vec<LinkSummary> = api.request(&operations::LINK_LIST).list(self.limit).await?;
        let headings = &["id", "state", "used", "expires", "file", "note"];
        context.output.list(&links, headings, |it| {
            let used = format!("{} of {}", it.downloads, it.max_downloads.get());
            let note = it.note.as_ref().map(|note| note.as_str().to_owned());
            vec![
                it.id.to_string(),
                word(it.state),
                used,
                moment(it.expires_at),
                it.filename.as_str().to_owned(),
                note.unwrap_or_default(),
            ]
        })
    }
}
