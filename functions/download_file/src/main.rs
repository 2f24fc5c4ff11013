//! The Lambda function's entry point.

use share_download_file::DownloadFile;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run_streaming::<DownloadFile>().await
}
