//! The entry point of every Lambda function.

use share_functions::Function;
use share_runtime::{Error, environment};

// One request at a time on a part of a core: more threads would only cost.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = environment();
    // Lambda sets it to the function's Handler in template.yaml.
    let name = environment.required("_HANDLER")?.to_owned();
    let function = Function::named(&name)
        .ok_or_else(|| format!("the environment variable _HANDLER names no function: {name}"))?;
    function.run(environment).await
}
