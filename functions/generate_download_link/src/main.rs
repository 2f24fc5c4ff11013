//! The Lambda function's entry point.

use share_generate_download_link::GenerateDownloadLink;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run::<GenerateDownloadLink>().await
}
