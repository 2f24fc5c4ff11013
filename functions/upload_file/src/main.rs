//! The Lambda function's entry point.

use share_upload_file::UploadFile;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run::<UploadFile>().await
}
