use clap::Args;
use share_contract::{FileChange, FileDetails, operations};

use crate::arguments::seconds;
use crate::commands::upload::recipients;
use crate::context::{Context, find_file};
use crate::failure::Failure;

/// Ops: change whom a file is for, its end, its note or its name.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share set report.pdf --to rosa --to group:board   Nobody else sees it any more
  share set report.pdf --expires 30d
  share set report.pdf --note ''                    Removes the note")]
pub(crate) struct Set {
    /// Id or name of the file.
    file: String,
    /// Whom it is for, instead of before: a Client's name or e-mail address, group:NAME, or everyone.
    /// Can be given several times.
    #[arg(long, value_name = "WHOM")]
    to: Vec<String>,
    /// After which time from now it is deleted, such as 30d; 0s for never.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires: Option<i64>,
    /// A line that only Ops and admins see.
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
