use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use futures_util::stream::{self, StreamExt};
use share_contract::{Everyone, FileTerms, RecipientNames};
use share_model::Role;
use tokio::task::spawn_blocking;

use crate::arguments::seconds;
use crate::commands::link::note;
use crate::context::Context;
use crate::failure::{Failure, Status, unexpected};
use crate::output::{lines, plain, size};
use crate::results::Uploaded;
use crate::transfers::FILES;
use crate::transfers::batch::Batch;
use crate::transfers::progress::Progress;
use crate::transfers::source::{Source, files_in};
use crate::transfers::upload::Uploader;

/// Ops: upload files, and hand them to Clients.
///
/// A large file goes in parts, several at once. An upload that was interrupted, however hard, continues
/// when the same command is given again: what has arrived is not sent a second time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share upload report.pdf --to rosa --to eva@example.org
  share upload *.pdf --to group:board --expires 30d --notify-recipients
  share upload photos --zip               A folder, as one archive
  share upload photos --recursive         A folder, as many files
  ls -l | share upload - --name list.txt  Standard input")]
pub(crate) struct Upload {
    /// Files; - for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    terms: Terms,
    /// Another name at the service. For one file only.
    #[arg(long)]
    name: Option<String>,
    /// Send the files of a folder, each by itself, without the names of folders.
    #[arg(long, short)]
    recursive: bool,
    /// Send each folder as one zip archive.
    #[arg(long, conflicts_with = "recursive")]
    zip: bool,
}

/// What is said of a new file.
#[derive(Debug, Clone, Args)]
pub(crate) struct Terms {
    /// Whom it is for: a Client's name or e-mail address, group:NAME, or everyone. Can be given several
    /// times. When it is left out, the service decides.
    #[arg(long, value_name = "WHOM")]
    to: Vec<String>,
    /// After which time it is deleted, such as 30d. When it is left out, the service decides.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires: Option<i64>,
    /// A line that only Ops and admins see.
    #[arg(long)]
    note: Option<String>,
    /// Send you a mail when somebody has downloaded it.
    #[arg(long)]
    notify: bool,
    /// Send the recipients a mail when they can download it.
    #[arg(long)]
    notify_recipients: bool,
}

impl Terms {
    pub(crate) fn to_file_terms(&self) -> Result<FileTerms, Failure> {
        Ok(FileTerms {
            recipients: recipients(self.to.clone()),
            notify_recipients: self.notify_recipients.then_some(true),
            expires_in: self.expires,
            note: self.note.as_deref().map(note).transpose()?,
            notify: self.notify.then_some(true),
        })
    }
}

/// Whom a file is for, when somebody says.
pub(crate) fn recipients(names: Vec<String>) -> Option<RecipientNames> {
    match &names[..] {
        [] => None,
        [one] if one == "everyone" => Some(RecipientNames::Everyone(Everyone::Everyone)),
        _ => Some(RecipientNames::Only(names)),
    }
}

impl Upload {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let terms = self.terms.to_file_terms()?;
        // Beside everything else, so that Ctrl-C counts: standard input may never end.
        let sources = spawn_blocking(move || self.sources());
        let sources = sources.await.map_err(|error| unexpected("Reading", error))??;
        let api = context.api()?;
        let (account, role) = context.account(&api).await?;
        if role == Role::Client {
            return Err(Failure::new(Status::NotAllowed, "Only Ops upload files"));
        }
        let batch = Batch::open(&context.folders, &account, &terms, &sources)?;
        let progress = Progress::new(context.output);
        let files = (sources.len() > 1).then(|| progress.files(sources.len()));
        let uploader = Uploader { api: &api, terms, batch: &batch, progress };

        let upload = async |source: &Source| -> Result<Uploaded, Failure> {
            let file = uploader.send(source).await.map_err(|it| it.about(&source.path))?;
            if let Some(bar) = &files {
                bar.inc(1);
            }
            Ok(file)
        };
        let mut uploads = stream::iter(&sources).map(upload).buffered(FILES);
        let mut sent: Vec<Uploaded> = vec![];
        let mut failures = vec![];
        while let Some(result) = uploads.next().await {
            match result {
                Ok(file) => sent.push(file),
                Err(failure) => failures.push(failure),
            }
        }
        drop(uploads);
        if let Some(bar) = &files {
            bar.finish_and_clear();
        }

        context.output.result(&sent, || lines(sent.iter().map(line)))?;
        if failures.is_empty() {
            batch.finish()?;
        }
        context.output.failures(failures)
    }

    /// What is to be sent.
    fn sources(&self) -> Result<Vec<Source>, Failure> {
        let mut sources = vec![];
        let name = self.name.as_deref();
        for path in &self.files {
            if path.as_os_str() == "-" {
                sources.push(Source::standard_input(name)?);
            } else if self.zip && path.is_dir() {
                sources.push(Source::zip(path, name)?);
            } else if self.recursive && path.is_dir() {
                for file in files_in(path)? {
                    sources.push(Source::file(&file, None)?);
                }
            } else {
                sources.push(Source::file(path, name)?);
            }
        }
        // A file that is named twice is sent once.
        let mut seen = HashSet::new();
        sources.retain(|it| seen.insert(it.path.clone()));
        if name.is_some() && sources.len() != 1 {
            return Err(Failure::new(Status::Usage, "--name is for one file only"));
        }
        Ok(sources)
    }
}

fn line(file: &Uploaded) -> String {
    format!("Uploaded {} ({}) as {}.", plain(file.filename.as_str()), size(file.size), file.id)
}
