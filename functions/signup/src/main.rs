//! The Lambda function's entry point.

use share_signup::Signup;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run::<Signup>().await
}
