//! The Lambda function's entry point.

use share_set_password::SetPassword;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run::<SetPassword>().await
}
