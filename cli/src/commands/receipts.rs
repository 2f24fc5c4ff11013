use clap::Args;
use share_contract::{ReceiptEntry, operations};

use crate::context::{Context, find_file};
use crate::failure::Failure;

/// Ops: what happened to the links of a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share receipts report.pdf
  share receipts report.pdf --json        With addresses and programs, too")]
pub(crate) struct Receipts {
    /// Id or name of the file.
    file: String,
    /// At most so many; all when it is left out.
    #[arg(long, value_name = "NUMBER", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

impl Receipts {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let api = context.api()?;
        let (_, role) = context.account(&api).await?;
        let id = find_file(&api, role, &self.file).await?;
        let request = api.request(&operations::RECEIPT_LIST).path("file_id", id);
        let receipts: Vec<ReceiptEntry> = request.list(self.limit).await?;
        let headings = &["at", "link", "number", "event", "outcome"];
        context.output.list(&receipts, headings, |entry| {
            let receipt = entry.receipt.as_ref();
            let read =
                receipt.and_then(|it| serde_json::from_str::<serde_json::Value>(it.get()).ok());
            let read = read.unwrap_or_default();
            let text = |name: &str| match read.get(name) {
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            ["at", "link", "number", "event", "outcome"].map(text).to_vec()
        })
    }
}
