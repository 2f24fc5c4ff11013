use clap::Args;
use share_contract::operations;

use crate::context::{Context, find_files};
use crate::failure::Failure;
use crate::output::lines;
use crate::results::FilesDeleted;

/// Ops: delete files. Their links end at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share rm report.pdf plan.pdf
  share rm ID                    An id from share ls")]
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
        let mut deleted = vec![];
        let mut result = Ok(());
        for id in ids {
            result = api.request(&operations::FILE_DELETE).path("file_id", id).done().await;
            if result.is_err() {
                break;
            }
            deleted.push(id);
        }
        // What is deleted is told, even if something else could not be.
        context.output.result(&FilesDeleted { deleted: &deleted }, || {
            lines(deleted.iter().map(|id| format!("Deleted {id}.")))
        })?;
        result
    }
}
