//! The Lambda function's entry point.

use share_create_account::CreateAccount;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run_task::<CreateAccount>().await
}
