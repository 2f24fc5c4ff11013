//! The Lambda function's entry point.

use share_login::Login;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run::<Login>().await
}
