use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::stream::{self, StreamExt};
use share_contract::{
    DownloadDetails, FileLinkRequest, FileSummary, LinkCreated, LinkRequest, operations,
};
use share_model::{ContentDigest, FileId, FileName};
use tokio::task::spawn_blocking;
use url::Url;

use crate::api::{Api, Caller};
use crate::context::{Account, Context, find_shared};
use crate::failure::{AtPath, Failure, Status, unexpected};
use crate::folders::{exact, exists};
use crate::output::{lines, plain, size};
use crate::profile;
use crate::prompt::ask_secretly;
use crate::results::Downloaded;
use crate::transfers::FILES;
use crate::transfers::download::{details, fetch};
use crate::transfers::journal::{Content, Journal, Place, part_of};
use crate::transfers::progress::Progress;

/// Client: download files. Anyone: download by a link.
///
/// Clients name a file of theirs. For a link that somebody has sent, the command asks: whoever has the
/// link has the file, and arguments can be seen by others and stay in the history.
///
/// A download that was interrupted, however hard, continues when the same command is given again. The
/// file has the ending .part until every byte is there and its SHA-256 is right. Nothing is
/// overwritten.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share get report.pdf                   Client: a file of yours, by name
  share get report.pdf plan.pdf -o ~/Downloads
  share get                              Anyone: by a link; asks for it
  share get - < link.txt                 Anyone: by a link, from standard input")]
pub(crate) struct Get {
    /// Ids or names of files; - for a link on standard input. When there is none, the command asks
    /// for a link.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// Where it goes: a file, or a folder that is there.
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

/// A link: where it leads, and its secret.
struct Link {
    service: Url,
    token: String,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let output = self.output.as_deref().unwrap_or(Path::new("."));
        let output = std::path::absolute(output).map_err(|error| Failure::local(output, &error))?;
        if self.files.iter().any(|file| file.contains("://") || file.contains("token=")) {
            let message = "A link is a secret, and arguments can be seen by others";
            return Err(Failure::new(Status::Usage, message)
                .advise("Paste it when asked: share get. Or pipe it: share get -"));
        }
        let progress = Progress::new(context.output);
        match &self.files[..] {
            [] => by_link(context, &Link::ask().await?, &output, &progress).await,
            [only] if only == "-" => {
                by_link(context, &Link::read().await?, &output, &progress).await
            }
            files if files.len() > 1 && !output.is_dir() => {
                Err(Failure::file(&output, "is not a folder")
                    .advise("Several files go into a folder."))
            }
            files => by_name(context, files, &output, &progress).await,
        }
    }
}

/// Files of this Client, each by a link that is made for this download alone.
async fn by_name(
    context: &Context,
    files: &[String],
    output: &Path,
    progress: &Progress,
) -> Result<(), Failure> {
    let api = context.api()?;
    let (account, _) = context.account(&api).await?;
    let files = find_shared(&api, files).await?;
    let bar = (files.len() > 1).then(|| progress.files(files.len()));
    let get = async |file: FileSummary| {
        let saved = shared(&api, context, &account, file, output, progress).await;
        if let Some(bar) = &bar {
            bar.inc(1);
        }
        saved
    };
    let results = stream::iter(files).map(get).buffered(FILES).collect::<Vec<_>>().await;
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let (mut saved, mut failures) = (vec![], vec![]);
    for result in results {
        match result {
            Ok(journal) => saved.push(Downloaded::from(journal)),
            Err(failure) => failures.push(failure),
        }
    }
    context.output.result(&saved, || lines(saved.iter().map(Downloaded::line)))?;
    context.output.failures(failures)
}

async fn shared(
    api: &Api,
    context: &Context,
    account: &Account,
    file: FileSummary,
    output: &Path,
    progress: &Progress,
) -> Result<Journal, Failure> {
    let Account { service, username } = account;
    let FileSummary { id, filename, size, sha256, .. } = file;
    let meant = format!("{service} {username} {id} {}", exact(output));
    let place = Place::open(&context.folders, &meant)?;
    let mut journal = if let Some(journal) = place.read()? {
        journal
    } else {
        let target = target(output, &filename)?;
        let token = new_link(api, id).await?;
        let bytes = Content { filename, size, sha256 };
        let journal = Journal::new(api.base().clone(), token, target, bytes, false)?;
        place.write(&journal)?;
        journal
    };
    match fetch(api, &place, &mut journal, progress).await {
        // It took longer than a link lives. What has arrived counts with another link too: a file
        // never changes.
        Err(failure)
            if matches!(
                failure.code(),
                Some(
                    "lease_ended" | "link_expired" | "link_used" | "link_revoked" | "link_unknown"
                )
            ) =>
        {
            journal.continue_with(new_link(api, id).await?)?;
            place.write(&journal)?;
            fetch(api, &place, &mut journal, progress).await?;
        }
        other => other?,
    }
    Ok(journal)
}

async fn new_link(api: &Api, file_id: FileId) -> Result<String, Failure> {
    let body = FileLinkRequest { file_id, terms: LinkRequest::default() };
    let request = api.request(&operations::LINK_CREATE_BY_ID).json(&body)?;
    Ok(Link::parse(&request.send::<LinkCreated>().await?.download_url)?.token)
}

/// A file by the link of somebody.
async fn by_link(
    context: &Context,
    link: &Link,
    output: &Path,
    progress: &Progress,
) -> Result<(), Failure> {
    let Link { service, token } = link;
    // The secret itself is in the journal alone.
    let digest = ContentDigest::of(token.as_bytes()).hex();
    let place = Place::open(&context.folders, &format!("{service} {digest} {}", exact(output)))?;
    let anybody = Api::new(service.clone(), Caller::Nobody)?;
    let mut journal = if let Some(journal) = place.read()? {
        journal
    } else {
        let journal = match begin(&anybody, &place, token.clone(), output).await {
            // The service says nothing of a bound link without the login of its maker.
            Err(failure) if failure.code() == Some("missing_token") => {
                begin(&login_at(context, service)?, &place, token.clone(), output).await?
            }
            begun => begun?,
        };
        place.sync()?;
        journal
    };
    let api = if journal.bind { login_at(context, service)? } else { anybody };
    match fetch(&api, &place, &mut journal, progress).await {
        Err(failure) if failure.code() == Some("lease_ended") => {
            // What has arrived is kept, for whoever has a link with more downloads.
            journal.continue_with(token.clone())?;
            place.write(&journal)?;
            let advice = "Give the same command again: it uses the link once more, if it may.";
            return Err(failure.advise(advice));
        }
        other => other?,
    }
    let saved = Downloaded::from(journal);
    context.output.result(&[&saved], || lines([saved.line()].into_iter()))
}

/// A token of ours travels to the service of our login alone.
fn login_at(context: &Context, service: &Url) -> Result<Api, Failure> {
    let api = context.api()?;
    if api.base() == service {
        return Ok(api);
    }
    let message = format!("The link works with the login of its maker only, at {service}");
    Err(Failure::new(Status::NotAllowed, message))
}

/// Looks at the link, and notes it and a new lease before the first byte.
async fn begin(api: &Api, place: &Place, token: String, output: &Path) -> Result<Journal, Failure> {
    let DownloadDetails { filename, size, sha256, bind, .. } = details(api, &token).await?;
    let target = target(output, &filename)?;
    let bytes = Content { filename, size, sha256 };
    let journal = Journal::new(api.base().clone(), token, target, bytes, bind)?;
    place.write(&journal)?;
    Ok(journal)
}

/// Where the file goes, which must be free.
fn target(output: &Path, filename: &FileName) -> Result<PathBuf, Failure> {
    let target = if output.is_dir() { output.join(filename.as_str()) } else { output.to_owned() };
    let folder = target.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        return Err(Failure::file(folder, "is not a folder"));
    }
    if target.to_str().is_none() {
        return Err(Failure::file(&target, "cannot be noted, because it is not UTF-8"));
    }
    for path in [&target, &part_of(&target)] {
        // Also a link that leads nowhere.
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
    }
    // A link must not be made, or used, for a file that cannot be written.
    tempfile::tempfile_in(folder).at(folder)?;
    Ok(target)
}

impl Downloaded {
    fn line(&self) -> String {
        let path = plain(&self.path.display().to_string());
        format!("Saved {path} ({}), SHA-256 {}.", size(self.size), self.sha256.hex())
    }
}

impl From<Journal> for Downloaded {
    fn from(journal: Journal) -> Self {
        let Journal { target: path, filename, size, sha256, .. } = journal;
        Self { path, filename, size, sha256 }
    }
}

impl Link {
    async fn ask() -> Result<Self, Failure> {
        Self::parse(&ask_secretly("Link (it is not shown): ".to_owned()).await?)
    }

    /// From standard input.
    async fn read() -> Result<Self, Failure> {
        if io::stdin().is_terminal() {
            return Self::ask().await;
        }
        let read = spawn_blocking(|| io::read_to_string(io::stdin().lock().take(10_000))).await;
        let text = read.map_err(|error| unexpected("Standard input", error))?;
        Self::parse(&text.map_err(|error| unexpected("Standard input cannot be read", error))?)
    }

    /// Reads a link, of a page or for programs.
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(Status::Usage, "That is no download link")
                .advise("A link is an address with /download?token= and 43 characters.")
        };
        let mut url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let of_query = url.query_pairs().find(|(name, _)| name == "token");
        let of_query = of_query.map(|(_, token)| token.into_owned());
        // The web app has it behind a hash.
        let of_app = url.fragment().and_then(|it| it.split_once("token="));
        let of_app = of_app.map(|(_, token)| token.to_owned());
        let token = of_query.or(of_app).filter(|token| token.len() == 43).ok_or_else(wrong)?;
        let path = url.path().trim_end_matches('/').to_owned();
        let ends = ["/api/files/download", "/api/file/download", "/download", ""];
        let base = ends.iter().find_map(|end| path.strip_suffix(end)).ok_or_else(wrong)?;
        url.set_path(base);
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { service: profile::service(url.as_str())?, token })
    }
}
