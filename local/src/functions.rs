//! The functions, in this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use share_functions::{Function, Served, ServedEndpoint};
use share_store::Platform;

/// The endpoints by their names.
pub(crate) type Functions = BTreeMap<String, Arc<dyn ServedEndpoint>>;

/// Starts the function with this name.
pub(crate) async fn start(name: &str, platform: &Platform) -> anyhow::Result<Served> {
    let function = Function::named(name)
        .with_context(|| format!("template.yaml names the function {name}, which there is not"))?;
    function.serve(platform).await.with_context(|| format!("the function {name} cannot start"))
}
