use std::path::{Path, PathBuf};

use clap::Args;
use share_contract::operations;

use crate::context::Context;
use crate::failure::Failure;
use crate::folders::save_new;

/// Save a signed statement of what became of a link.
///
/// Writes the certificate, and beside it the public keys of the service. Keep both: with
/// them anyone can check the certificate without the service. It holds names and addresses of people.
#[derive(Debug, Args)]
pub(crate) struct SaveCertificate {
    /// Id of the link, from: share links, or share receipts FILE
    link: String,
    /// Where the certificate goes.
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

impl SaveCertificate {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let request = api.request(&operations::LINK_CERTIFICATE).path("id", &self.link);
        let certificate = request.text().await?;
        let keys = api.request(&operations::KEY_LIST).text().await?;
        let path = self.output.unwrap_or_else(|| format!("certificate-{}.jwt", self.link).into());
        let keys_path = keys_beside(&path);
        save_new(&path, certificate.as_bytes())?;
        save_new(&keys_path, keys.as_bytes())?;
        let saved = serde_json::json!({ "certificate": path, "keys": keys_path });
        context.output.result(&saved, || {
            let (path, keys) = (path.display(), keys_path.display());
            format!("Saved {path} and {keys}. Check them with: share verify {path}\n")
        })
    }
}

/// Where the keys of a certificate are when nobody says.
pub(crate) fn keys_beside(certificate: &Path) -> PathBuf {
    certificate.with_extension("keys.json")
}
