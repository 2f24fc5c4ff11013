use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use share_auth::PublicKeys;

use crate::commands::certificate::keys_beside;
use crate::context::Context;
use crate::failure::{AtPath, Failure, Status};

/// Anyone: check a certificate, also without a network.
///
/// The certificate is good when the service has signed it, when its receipts are a whole chain, and
/// when they tell what it says.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share verify report.jwt
  share verify report.jwt --keys keys.json")]
pub(crate) struct Verify {
    /// The certificate.
    certificate: PathBuf,
    /// The public keys of the service. When it is left out, those that share certificate has saved
    /// beside the certificate.
    #[arg(long, value_name = "PATH")]
    keys: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let read = |path: &Path| fs::read_to_string(path).at(path);
        let certificate = read(&self.certificate)?;
        let path = self.keys.unwrap_or_else(|| keys_beside(&self.certificate));
        let keys = read(&path).map_err(|failure| {
            failure.advise("Say with --keys where the public keys of the service are.")
        })?;
        let keys = PublicKeys::parse(&keys);
        let keys = keys.map_err(|reason| Failure::file(&path, reason))?;
        let certificate = keys.open(certificate.trim()).map_err(|reason| {
            let message = format!("The certificate is not good: {reason}");
            Failure::new(Status::Failed, message).about(&self.certificate)
        })?;
        context.output.result(&certificate, || certificate.summary())
    }
}
