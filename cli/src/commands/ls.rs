use clap::{Args, ValueEnum};
use share_contract::{FileDetails, FileSort, FileSummary, RecipientNames, operations};
use share_model::Role;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{moment, size, word};

/// Client: list the files for you. Ops: list what was uploaded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share ls
  share ls report --sort name
  share ls --limit 10 --json | jq -r '.[].filename'")]
pub(crate) struct Ls {
    /// Only files whose names contain this text.
    text: Option<String>,
    /// The order.
    #[arg(long, value_enum, default_value_t)]
    sort: Order,
    /// At most so many; all when it is left out.
    #[arg(long, value_name = "NUMBER", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

/// The order of a list of files.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Order {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// By name.
    Name,
}

impl Ls {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let (_, role) = context.account(&api).await?;
        let sort = match self.sort {
            Order::Newest => FileSort::Newest,
            Order::Oldest => FileSort::Oldest,
            Order::Name => FileSort::Name,
        };
        let operation = if role == Role::Client {
            &operations::FILE_LIST
        } else {
            &operations::FILE_LIST_UPLOADED
        };
        let request =
            api.request(operation).query("q", self.text).query("sort", Some(sort.as_str()));
        if role == Role::Client {
            let files: Vec<FileSummary> = request.list(self.limit).await?;
            return context.output.list(&files, &["id", "size", "uploaded", "by", "name"], |it| {
                let by = it.uploaded_by.as_str().to_owned();
                let name = it.filename.as_str().to_owned();
                vec![it.id.to_string(), size(it.size), moment(it.uploaded_at), by, name]
            });
        }
        let files: Vec<FileDetails> = request.list(self.limit).await?;
        let headings = &["id", "state", "size", "created", "downloads", "for", "name"];
        context.output.list(&files, headings, |it| {
            let bytes = it.size.map(size).unwrap_or_default();
            let name = it.filename.as_str().to_owned();
            let downloads = it.downloads.to_string();
            vec![
                it.id.to_string(),
                word(it.state),
                bytes,
                moment(it.created_at),
                downloads,
                whom(&it.recipients),
                name,
            ]
        })
    }
}

/// Whom a file is for, on one line.
fn whom(recipients: &RecipientNames) -> String {
    match recipients {
        RecipientNames::Everyone(_) => "everyone".to_owned(),
        RecipientNames::Only(names) => names.join(", "),
    }
}
