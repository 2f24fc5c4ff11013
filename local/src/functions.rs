//! The functions that `template.yaml` names, in one process.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Context, bail};
use jiff::Timestamp;
use share_api::{Endpoint, Response, answer};
use share_store::Platform;

/// A function that can be invoked, whichever it is.
pub(crate) trait Function: Send + Sync {
    /// Answers one request, as the function's Lambda would.
    fn invoke(&self, request: lambda_http::Request, now: Timestamp) -> Answering<'_>;
}

/// An answer on its way.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

impl<E: Endpoint> Function for E {
    fn invoke(&self, request: lambda_http::Request, now: Timestamp) -> Answering<'_> {
        Box::pin(answer(self, request, now))
    }
}

/// The functions by their logical ids.
pub(crate) type Functions = BTreeMap<String, Arc<dyn Function>>;

/// Starts the function with this logical id.
pub(crate) async fn connect(id: &str, platform: &Platform) -> anyhow::Result<Arc<dyn Function>> {
    async fn start<E: Endpoint>(platform: &Platform) -> anyhow::Result<Arc<dyn Function>> {
        Ok(Arc::new(E::connect(platform).await?))
    }
    let started = match id {
        "Signup" => start::<share_signup::Signup>(platform).await,
        "VerifyEmail" => start::<share_verify_email::VerifyEmail>(platform).await,
        "Login" => start::<share_login::Login>(platform).await,
        "SetPassword" => start::<share_set_password::SetPassword>(platform).await,
        "UploadFile" => start::<share_upload_file::UploadFile>(platform).await,
        "ListFiles" => start::<share_list_files::ListFiles>(platform).await,
        "GenerateDownloadLink" => {
            start::<share_generate_download_link::GenerateDownloadLink>(platform).await
        }
        "DownloadFile" => start::<share_download_file::DownloadFile>(platform).await,
        "ListLinks" => start::<share_list_links::ListLinks>(platform).await,
        "RevokeLink" => start::<share_revoke_link::RevokeLink>(platform).await,
        "ListReceipts" => start::<share_list_receipts::ListReceipts>(platform).await,
        _ => bail!("template.yaml names the function {id}, which local/src/functions.rs lacks"),
    };
    started.with_context(|| format!("the function {id} cannot start"))
}
