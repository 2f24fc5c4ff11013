use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::arguments::Arguments;
use crate::context::Context;
use crate::failure::{AtPath, Failure};
use crate::results::PagesWritten;

/// Write the manual pages into a folder.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share man ~/.local/share/man/man1
  man share-upload")]
pub(crate) struct Manual {
    /// The folder. It is made when it is not there.
    folder: PathBuf,
}

impl Manual {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        fs::create_dir_all(&self.folder).at(&self.folder)?;
        let mut share = Arguments::command().disable_help_subcommand(true);
        share.build();
        write_pages(&share, &self.folder)?;
        context.output.result(&PagesWritten { folder: &self.folder }, || {
            let folder = self.folder.display();
            format!("Wrote the manual pages into {folder}. Read one with: man {folder}/share.1\n")
        })
    }
}

/// Writes the page of the command, and those of the commands below it.
fn write_pages(command: &Command, folder: &Path) -> Result<(), Failure> {
    for below in command.get_subcommands() {
        write_pages(below, folder)?;
    }
    let page = Man::new(command.clone());
    let path = folder.join(page.get_filename());
    let mut text = vec![];
    page.render(&mut text).at(&path)?;
    // What follows the options comes as one paragraph; its lines are to stay as they are.
    let text = String::from_utf8_lossy(&text)
        .replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n.nf\n")
        .replace("\nExit status:\n", "\n.fi\n.SH \"EXIT STATUS\"\n.nf\n");
    fs::write(&path, text).at(&path)
}
