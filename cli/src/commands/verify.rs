use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use share_auth::PublicKeys;

use crate::commands::certificate::keys_beside;
use crate::context::Context;
use crate::failure::{AtPath, Failure, Status};

/// Check a delivery certificate, without the service and without a network.
///
/// Checks its signature, that its receipts are a whole chain, and that these tell what it says.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The certificate.
    certificate: PathBuf,
    /// The public keys of the service; those that share certificate has saved when it is left out.
    #[arg(long, value_name = "PATH")]
    keys: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let read = |path: &Path| fs::read_to_string(path).at(path);
        let path = self.keys.unwrap_or_else(|| keys_beside(&self.certificate));
        let keys = PublicKeys::parse(&read(&path)?);
        let keys = keys.map_err(|reason| {
            Failure::new(Status::Local, format!("{} {reason}", path.display()))
        })?;
        let certificate = keys.open(read(&self.certificate)?.trim()).map_err(|reason| {
            let path = self.certificate.display();
            Failure::new(Status::Failed, format!("The certificate {path} is not good: {reason}"))
        })?;
        context.output.result(&certificate, || certificate.summary())
    }
}
