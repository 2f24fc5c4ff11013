//! `download_show` and `file_inspect`: what a link leads to, for people and for programs.
//!
//! Nothing that is asked of this function spends a link, whatever the headers say: it may write
//! nothing. So the scanners of mails and the previews of chats leave a link as it is.

use http::StatusCode;
use share_contract::settings::DownloadSettings;
use share_contract::{DownloadDetails, ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, Request, whole};
use share_store::{Objects, Platform, StartError};

use super::checks::DownloadChecks;
use super::delivery::with_headers;
use super::page::{details, page, page_of_bound};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same. Of the bucket it
/// only needs the address.
pub struct DownloadPage {
    checks: DownloadChecks,
    objects: Objects,
    settings: DownloadSettings,
}

impl Endpoint for DownloadPage {
    const NAME: &'static str = "DownloadPage";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::DOWNLOAD_SHOW, &operations::FILE_INSPECT];
    type Json = DownloadDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            checks: DownloadChecks::connect(platform).await?,
            objects: Objects::connect(platform)?,
            settings: DownloadSettings::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<DownloadDetails>, ApiError> {
        let shows = request.operation().name == operations::DOWNLOAD_SHOW.name;
        let permitted = self.checks.permit(request, shows).await; // 400, 401, 403, 404, 410, 503
        let permitted = permitted.map_err(|error| match error.code() {
            ErrorCode::MissingToken => error.shown_on(|_| page_of_bound(request)),
            _ => error,
        })?;
        if shows && request.wants_only_json() {
            return Ok(details(&permitted, &self.settings));
        }
        if shows {
            return page(&permitted, request, &self.settings, &self.objects).await;
        }
        Ok(with_headers(Answer::bytes(StatusCode::OK, whole("")), &permitted.file, None))
    }
}
