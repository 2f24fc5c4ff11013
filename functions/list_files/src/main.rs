//! The Lambda function's entry point.

use share_list_files::ListFiles;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run::<ListFiles>().await
}
