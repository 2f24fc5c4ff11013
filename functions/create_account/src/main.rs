//! The Lambda function's entry point.

use share_create_account::CreateAccount;

// One request at a time on a part of a core: more threads would only cost.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    share_api::lambda::run_direct::<CreateAccount>().await
}
