use clap::Args;
use share_contract::{FileLinkRequest, LinkCreated, LinkRequest, operations};
use share_model::{LinkNote, MaxDownloads, Role};

use crate::arguments::seconds;
use crate::context::{Context, find_file};
use crate::failure::{Failure, Status};
use crate::output::moment;

/// Client: make a download link that works once.
///
/// Whoever has the link has the file. It is printed once: the service keeps its hash only.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share link report.pdf                       A link for one download
  share link report.pdf --max 3 --expires 2h
  share link report.pdf --bind                Only with your own login
  share link report.pdf --quiet               Prints the link, and nothing else")]
pub(crate) struct MakeLink {
    /// Id or name of the file.
    file: String,
    /// How often the link can be used: once, unless you say more.
    #[arg(long, value_name = "NUMBER", value_parser = max_downloads)]
    max: Option<MaxDownloads>,
    /// For how long the link can be used, such as 2h. When it is left out, the service decides.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires: Option<i64>,
    /// A download also needs your own login.
    #[arg(long)]
    bind: bool,
    /// A line to remember. Ops read it in the receipts.
    #[arg(long)]
    note: Option<String>,
}

impl MakeLink {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let file_id = find_file(&api, Role::Client, &self.file).await?;
        let terms = LinkRequest {
            filename: None,
            max_downloads: self.max,
            expires_in: self.expires,
            bind: self.bind.then_some(true),
            note: self.note.as_deref().map(note).transpose()?,
        };
        let body = FileLinkRequest { file_id, terms };
        let request = api.request(&operations::LINK_CREATE_BY_ID).json(&body)?;
        let link: LinkCreated = request.send().await?;
        context.output.result(&link, || format!("{}\n", link.page_url))?;
        let times = match link.max_downloads {
            MaxDownloads::ONE => "once".to_owned(),
            more => format!("{} times", more.get()),
        };
        context.output.say(format!("It works {times}, until {}.", moment(link.expires_at)));
        Ok(())
    }
}

fn max_downloads(text: &str) -> Result<MaxDownloads, String> {
    let number = text.parse().map_err(|_| "must be a number from 1 to 100".to_owned())?;
    MaxDownloads::new(number).map_err(|reason| reason.to_string())
}

pub(crate) fn note(text: &str) -> Result<LinkNote, Failure> {
    LinkNote::parse(text)
        .map_err(|reason| Failure::new(Status::Usage, format!("The note {reason}")))
}
