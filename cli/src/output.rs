//! What a command prints: for a person, for a pipe, or as JSON.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

use jiff::Timestamp;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::failure::{Failure, unexpected};
use crate::results::Failed;

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Results as one JSON document on standard output, errors as problem details on standard error.
    pub(crate) json: bool,
    /// No remarks and no progress.
    pub(crate) quiet: bool,
}

/// A list, as lines of cells.
pub(crate) struct Table {
    headings: &'static [&'static str],
    lines: Vec<Vec<String>>,
}

impl Output {
    /// Prints a result: `text` for people, or `value` as JSON.
    pub(crate) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        // Names and notes are other people's.
        self.print(value, || lines(text().lines().map(plain)))
    }

    fn print(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string_pretty(value);
            return print(&(json.map_err(|error| unexpected("JSON", error))? + "\n"));
        }
        print(&text())
    }

    /// Prints a list: as JSON, as columns on a terminal, or with tabs between the cells and without
    /// headings.
    pub(crate) fn list<T: Serialize>(
        self,
        entries: &[T],
        headings: &'static [&'static str],
        line: impl Fn(&T) -> Vec<String>,
    ) -> Result<(), Failure> {
        if entries.is_empty() {
            self.say("There are none.");
        }
        self.print(&entries, || {
            Table { headings, lines: entries.iter().map(line).collect() }
                .to_text(io::stdout().is_terminal())
        })
    }

    /// A remark for a person, beside the result.
    pub(crate) fn say(self, remark: impl AsRef<str>) {
        if !self.json && !self.quiet {
            // Nobody is left to be told when standard error is closed.
            let _ = writeln!(io::stderr(), "{}", remark.as_ref());
        }
    }

    /// Whether somebody watches who wants to see progress.
    pub(crate) fn shows_progress(self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }

    /// What has failed of several things: the last failure is the command's, those before it are
    /// printed.
    pub(crate) fn failures(self, mut failures: Vec<Failure>) -> Result<(), Failure> {
        let Some(last) = failures.pop() else { return Ok(()) };
        for failure in &failures {
            self.failure(failure);
        }
        Err(last)
    }

    /// Prints why the command has failed.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = if self.json { failure_json(failure) } else { failure_text(failure) };
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

fn failure_json(failure: &Failure) -> String {
    let Failure { status, message, path, advice, problem, retry_after: _ } = failure;
    let failed = Failed {
        exit_status: *status as u8,
        message,
        path: path.as_deref(),
        advice: advice.as_deref(),
        problem: problem.as_deref(),
    };
    serde_json::to_string(&failed).unwrap_or_default() + "\n"
}

fn failure_text(failure: &Failure) -> String {
    let mut text = format!("share: {}\n", plain(&failure.message));
    if let Some(problem) = &failure.problem {
        let _ =
            writeln!(text, "  ({}, request {})", plain(&problem.code), plain(&problem.request_id));
    }
    if let Some(advice) = &failure.advice {
        let _ = writeln!(text, "  {}", plain(advice));
    }
    text
}

impl Table {
    fn to_text(&self, terminal: bool) -> String {
        let clean = |line: &Vec<String>| line.iter().map(|cell| plain(cell)).collect::<Vec<_>>();
        let mut lines: Vec<Vec<String>> = self.lines.iter().map(clean).collect();
        if !terminal || lines.is_empty() {
            return lines.iter().map(|line| line.join("\t") + "\n").collect();
        }
        lines.insert(0, self.headings.iter().map(|heading| heading.to_uppercase()).collect());
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                lines.iter().filter_map(|line| line.get(column)).map(|it| it.width()).max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths);
            let padded: Vec<String> = cells
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())))
                .collect();
            text += padded.join("  ").trim_end();
            text += "\n";
        }
        text
    }
}

/// The text without what could steer a terminal, or turn the direction of what follows. Names and
/// notes are other people's.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Prints on standard output. Whoever closes it early, as `head` does, has seen enough.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(unexpected("Standard output cannot be written", error))
        }
        _ => Ok(()),
    }
}

/// The lines, each with its end.
pub(crate) fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// A moment for people, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// A value of the API that is one word, such as a state, as the API says it.
pub(crate) fn word(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A size for people, in powers of 1,000.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_sent() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c\\u{a}d");
        assert_eq!(plain("Grüße 東京 🎉"), "Grüße 東京 🎉");
    }

    #[test]
    fn a_terminal_gets_columns_and_a_pipe_gets_tabs() {
        let lines =
            vec![vec!["東京".to_owned(), "1".to_owned()], vec!["a".to_owned(), "2".to_owned()]];
        let table = Table { headings: &["name", "size"], lines };
        assert_eq!(table.to_text(true), "NAME  SIZE\n東京  1\na     2\n");
        assert_eq!(table.to_text(false), "東京\t1\na\t2\n");
    }
}
