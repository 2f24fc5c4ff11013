use clap::Args;
use share_contract::{FileDetails, ImportRequest, operations};

use crate::api::IDEMPOTENCY_KEY;
use crate::commands::upload::Terms;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::transfers::check::wait_for_check;
use crate::transfers::progress::Progress;
use crate::transfers::random_text;
use crate::transfers::retry::retried;

/// Ops: have the service fetch a file from an address.
///
/// The operator of the service decides from which hosts. A link that Google Drive gives to share a
/// file works as well.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share import https://files.example.org/report.pdf --to rosa
  share import https://drive.google.com/file/d/ID/view --name report.pdf")]
pub(crate) struct Import {
    /// Where the file is. Not for addresses that hold a secret: arguments can be seen by others.
    #[arg(value_name = "URL")]
    source: String,
    /// Its name at the service. When it is left out, the name that its source gives.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    terms: Terms,
}

impl Import {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let body = ImportRequest {
            url: self.source,
            filename: self.name,
            sha256: None,
            terms: self.terms.to_file_terms()?,
        };
        let progress = Progress::new(context.output);
        let key = random_text()?;
        let ask = async || {
            let request = api.request(&operations::IMPORT_CREATE).header(IDEMPOTENCY_KEY, &key);
            request.json(&body)?.send::<FileDetails>().await
        };
        let file = retried(&progress, ask).await?;
        context
            .output
            .say(format!("The service fetches it as {}. Ctrl-C ends the waiting only.", file.id));
        let file =
            wait_for_check(&api, &progress, file.id).await.map_err(|it| match it.status {
                Status::Unavailable => {
                    it.advise("The service goes on by itself. Look with: share ls")
                }
                _ => it,
            })?;
        context
            .output
            .result(&file, || format!("Imported {} as {}.\n", file.filename.as_str(), file.id))
    }
}
