use clap::Args;
use share_contract::operations;

use crate::context::{Context, find_files};
use crate::failure::Failure;
use crate::output::lines;

/// Ops: delete files. Their links end at once.
#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// Ids or names of files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

impl Rm {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let (_, role) = context.account(&api).await?;
        // All are found before the first is deleted.
        let ids = find_files(&api, role, &self.files).await?;
        for id in &ids {
            api.request(&operations::FILE_DELETE).path("file_id", id).done().await?;
        }
        context.output.result(&serde_json::json!({ "deleted": ids }), || {
            lines(ids.iter().map(|id| format!("Deleted {id}.")))
        })
    }
}
