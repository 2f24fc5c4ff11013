use clap::Args;
use share_contract::{FileChange, FileDetails, operations};

use crate::arguments::seconds;
use crate::commands::upload::recipients;
use crate::context::{Context, find_file};
use crate::failure::Failure;

/// Ops: change what is said of a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share set report.pdf --to rosa --to group:board    Nobody else sees it from now on
  share set report.pdf --expires 30d
  share set report.pdf --note ''                      No note any more")]
pub(crate) struct Set {
    /// Id or name of the file.
    file: String,
    /// Whom it is for: names, e-mail addresses, group:NAME, or everyone.
    #[arg(long, value_name = "WHOM")]
    to: Vec<String>,
    /// After which time it is deleted, such as 30d; 0s for never.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires: Option<i64>,
    /// A line that only Ops see.
    #[arg(long)]
    note: Option<String>,
    /// Another name, with the same extension.
    #[arg(long)]
    name: Option<String>,
    /// Send a mail to the recipients that are added.
    #[arg(long)]
    notify_recipients: bool,
}

impl Set {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let (_, role) = context.account(&api).await?;
        let id = find_file(&api, role, &self.file).await?;
        let change = FileChange {
            filename: self.name,
            note: self.note,
            expires_in: self.expires,
            recipients: recipients(self.to),
            notify_recipients: self.notify_recipients.then_some(true),
        };
        let request = api.request(&operations::FILE_CHANGE).path("file_id", id).json(&change)?;
        let file: FileDetails = request.send().await?;
        context.output.result(&file, || format!("Changed {} ({id}).\n", file.filename.as_str()))
    }
}
