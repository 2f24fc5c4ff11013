use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use share_contract::{FileLinkRequest, LinkCreated, LinkRequest, operations};
use share_model::{ContentDigest, FileId, Role};
use url::Url;

use crate::api::Api;
use crate::commands::login::ask_secretly;
use crate::context::{Context, find_file};
use crate::failure::{Failure, Status};
use crate::output::{plain, size};
use crate::profile;
use crate::transfers::download::{Journal, Place, details, exists, fetch};
use crate::transfers::progress::Progress;

/// Download a file, and check that it is whole.
///
/// By name or id it makes a link for itself. By the link of somebody else it asks for the link, because
/// arguments can be seen by others and stay in the history: whoever has a link has the file.
///
/// When the download is interrupted, however hard, the same command continues it. The file has the
/// ending .part until every byte is there and the SHA-256 is right; nothing is overwritten.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share get report.pdf                   Client: a file of yours, by name
  share get report.pdf -o ~/Downloads
  share get                              By a link; asks for it
  pbpaste | share get -                  By a link, from standard input")]
pub(crate) struct Get {
    /// Id or name of the file; - to read a link from standard input. Asks for a link when it is left
    /// out.
    file: Option<String>,
    /// Where it goes: a file or a folder.
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
        let output = self.output.unwrap_or_default();
        let output = std::path::absolute(if output.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &output
        });
        let output = output.map_err(|error| Failure::local(Path::new("."), &error))?;
        match self.file.as_deref() {
            None => {
                by_link(context, Link::parse(&ask_secretly("Link (it is not shown): ")?)?, &output)
                    .await
            }
            Some("-") => {
                if io::stdin().is_terminal() {
                    return by_link(
                        context,
                        Link::parse(&ask_secretly("Link (it is not shown): ")?)?,
                        &output,
                    )
                    .await;
                }
                let mut text = String::new();
                let read = io::stdin().lock().take(10_000).read_to_string(&mut text);
                read.map_err(|error| Failure::local(Path::new("-"), &error))?;
                by_link(context, Link::parse(&text)?, &output).await
            }
            Some(link) if link.contains("://") => Err(Failure::new(
                Status::Usage,
                "A link is a secret, and arguments can be seen by others",
            )
            .advise("Paste it when asked: share get. Or pipe it: share get -")),
            Some(file) => by_file(context, file, &output).await,
        }
    }
}

/// A file of this Client, by a link that is made for this download alone.
async fn by_file(context: &Context, meant: &str, output: &Path) -> Result<(), Failure> {
    let api = context.api()?;
    let (account, _) = context.account(&api).await?;
    let place = Place::open(
        &context.folders,
        &format!("{} {} file {meant} {}", account.service, account.username, output.display()),
    )?;
    let mut journal = if let Some(journal) = place.read()? {
        journal
    } else {
        let target = target(output, meant);
        if meant.parse::<FileId>().is_err() && target.exists() {
            return Err(exists(&target));
        }
        let file_id = find_file(&api, Role::Client, meant).await?;
        let token = new_link(&api, file_id).await?;
        begin(&api, &place, token, output).await?
    };
    match fetch(&api, &place, &journal, &Progress::new(context.output)).await {
        // The download took longer than a link lives. What has arrived counts with another link too.
        Err(failure)
            if matches!(failure.code(), Some("lease_ended" | "link_expired" | "link_used")) =>
        {
            let file_id = find_file(&api, Role::Client, meant).await?;
            journal.continue_with(new_link(&api, file_id).await?)?;
            if details(&api, &journal.token).await?.sha256 != journal.sha256 {
                place.forget()?;
                return Err(failure.advise(
                    "There is another file of that name now. Give the same command again.",
                ));
            }
            place.write(&journal)?;
            fetch(&api, &place, &journal, &Progress::new(context.output)).await?;
        }
        other => other?,
    }
    report(context, &journal)
}

async fn new_link(api: &Api, file_id: FileId) -> Result<String, Failure> {
    let body = FileLinkRequest { file_id, terms: LinkRequest::default() };
    let request = api.request(&operations::LINK_CREATE_BY_ID).json(&body)?;
    Ok(Link::parse(&request.send::<LinkCreated>().await?.download_url)?.token)
}

/// A file by the link of somebody.
async fn by_link(context: &Context, link: Link, output: &Path) -> Result<(), Failure> {
    let Link { service, token } = link;
    // The secret itself is in the journal alone.
    let digest = ContentDigest::of(token.as_bytes()).hex();
    let place =
        Place::open(&context.folders, &format!("{service} link {digest} {}", output.display()))?;
    let anybody = Context::anonymous(service.clone())?;
    let journal = match place.read()? {
        Some(journal) => journal,
        None => begin(&anybody, &place, token, output).await?,
    };
    let api = if journal.bind {
        let api = context.api()?;
        // A token of ours travels to the service of our login alone.
        if *api.base() != service {
            return Err(Failure::new(
                Status::NotAllowed,
                format!("The link needs a login at {service}"),
            ));
        }
        api
    } else {
        anybody
    };
    match fetch(&api, &place, &journal, &Progress::new(context.output)).await {
        Err(failure) if failure.code() == Some("lease_ended") => {
            place.forget()?;
            Err(failure
                .advise("Give the same command again: it uses the link once more, if it may."))
        }
        other => {
            other?;
            report(context, &journal)
        }
    }
}

/// Looks at the link, and notes it and a new lease before the first byte.
async fn begin(api: &Api, place: &Place, token: String, output: &Path) -> Result<Journal, Failure> {
    let details = details(api, &token).await?;
    let target = target(output, details.filename.as_str());
    if target.exists() {
        return Err(exists(&target));
    }
    let journal = Journal::new(api.base().clone(), token, target, details)?;
    if journal.part().exists() {
        return Err(exists(&journal.part()));
    }
    place.write(&journal)?;
    Ok(journal)
}

fn target(output: &Path, name: &str) -> PathBuf {
    if output.is_dir() { output.join(name) } else { output.to_owned() }
}

fn report(context: &Context, journal: &Journal) -> Result<(), Failure> {
    let Journal { target, size: bytes, sha256, filename, .. } = journal;
    let saved = serde_json::json!({
        "path": target, "filename": filename, "size": bytes, "sha256": sha256,
    });
    context.output.result(&saved, || {
        let path = plain(&target.display().to_string());
        format!("Saved {path} ({}), SHA-256 {}.\n", size(*bytes), sha256.hex())
    })
}

impl Link {
    /// Reads a link, of a page or for programs.
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(Status::Usage, "That is no download link")
                .advise("A link is an address that ends with /download?token=… and 43 characters.")
        };
        let mut url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let token =
            url.query_pairs().find(|(name, _)| name == "token").map(|(_, it)| it.into_owned());
        // The web app has it behind a hash.
        let hidden =
            url.fragment().and_then(|it| it.split_once("token=")).map(|(_, it)| it.to_owned());
        let token = token.or(hidden).filter(|token| token.len() == 43).ok_or_else(wrong)?;
        let path = url.path().to_owned();
        let ends = ["/api/files/download", "/api/file/download", "/download", "/"];
        let base = ends
            .iter()
            .find_map(|end| path.trim_end_matches('/').strip_suffix(end.trim_end_matches('/')));
        url.set_path(base.ok_or_else(wrong)?);
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { service: profile::service(url.as_str())?, token })
    }
}
