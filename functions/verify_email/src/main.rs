//! The Lambda function's entry point.

use share_verify_email::VerifyEmail;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run::<VerifyEmail>().await
}
