use std::path::{Path, PathBuf};

use clap::Args;
use share_contract::operations;

use crate::context::Context;
use crate::failure::Failure;
use crate::folders::save_new;
use crate::results::CertificateSaved;

/// Client, Ops: save a signed statement of what became of a link.
///
/// Writes the certificate, and beside it the public keys of the service. Keep both: with
/// them anyone can check the certificate without the service. It holds names and addresses of people.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share certificate LINK -o report.jwt    Saves report.jwt and report.keys.json
  share verify report.jwt")]
pub(crate) struct SaveCertificate {
    /// Id of the link, from: share links, or share receipts FILE
    link: String,
    /// Where it goes: a file or a folder. When it is left out, into the folder where you are.
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

impl SaveCertificate {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let request = api.request(&operations::LINK_CERTIFICATE).path("id", &self.link);
        let certificate = request.text().await?;
        let keys = api.request(&operations::KEY_LIST).text().await?;
        let name = format!("certificate-{}.jwt", self.link);
        let path = match self.output {
            Some(folder) if folder.is_dir() => folder.join(name),
            Some(file) => file,
            None => name.into(),
        };
        let keys_path = keys_beside(&path);
        save_new(&path, certificate.as_bytes())?;
        save_new(&keys_path, keys.as_bytes())?;
        let saved = CertificateSaved { certificate: &path, keys: &keys_path };
        context.output.result(&saved, || {
            let (path, keys) = (path.display(), keys_path.display());
            format!("Saved {path} and {keys}.\nCheck them with: share verify {path}\n")
        })
    }
}

/// Where the keys of a certificate are when nobody says.
pub(crate) fn keys_beside(certificate: &Path) -> PathBuf {
    certificate.with_extension("keys.json")
}
