//! What the person at the console sees: a line per request, a box per mail, and warnings.
#![expect(clippy::print_stdout, reason = "the console is what this module is for")]

use std::fmt::{Debug, Write};
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use http::{Method, StatusCode};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Whether lines are wanted: set by [`start`], so that tests of the library stay quiet.
static ON: OnceLock<()> = OnceLock::new();

/// Shows requests, mails and warnings from now on.
pub(crate) fn start() {
    ON.get_or_init(|| tracing_subscriber::registry().with(Console).init());
}

/// Shows a line for a request. Without its query, which may hold a token.
pub(crate) fn request(
    method: &Method,
    path: &str,
    function: &str,
    status: StatusCode,
    took: Duration,
) {
    if ON.get().is_none() {
        return;
    }
    let colour = match status.as_u16() {
        200..300 => "32",
        300..400 => "36",
        400..500 => "33",
        _ => "31",
    };
    let status = paint(colour, status.as_str());
    let milliseconds = took.as_secs_f64() * 1000.0;
    println!("{:<6} {path}  {function}  {status}  {milliseconds:.1} ms", method.as_str());
}

/// `text` in an ANSI colour, where that shows.
pub(crate) fn paint(colour: &str, text: &str) -> String {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    if *COLOURS.get_or_init(|| std::io::stdout().is_terminal()) {
        format!("\x1b[{colour}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Prints mails whole, and what else is a warning or worse as a line.
struct Console;

impl<S: Subscriber> Layer<S> for Console {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        if event.metadata().target() == "mail" {
            event.record(&mut fields);
            println!("{}", mail_box(&fields));
        } else if *event.metadata().level() <= threshold(event.metadata().target()) {
            event.record(&mut fields);
            let level = paint("31", event.metadata().level().as_str());
            println!(
                "{level} {}",
                fields.0.iter().fold(String::new(), |mut line, (name, value)| {
                    let _ = write!(line, "{name}={value} ");
                    line
                })
            );
        }
    }
}

/// Libraries warn of much that is handled. Only their errors are shown.
fn threshold(target: &str) -> Level {
    if target.starts_with("share_") { Level::WARN } else { Level::ERROR }
}

#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

/// A mail in a frame. Long lines stick out, so that a link stays one piece that can be copied.
fn mail_box(mail: &Fields) -> String {
    let rule = "─".repeat(76);
    let mut lines = format!("┌─ mail {}\n", "─".repeat(69));
    let _ = writeln!(
        lines,
        "│ To:      {}\n│ Subject: {}\n├{rule}",
        mail.get("to"),
        mail.get("subject")
    );
    for line in mail.get("text").trim_end().lines() {
        let line = if line.starts_with("http") { paint("36", line) } else { line.to_owned() };
        let _ = writeln!(lines, "│ {line}");
    }
    lines + "└" + &rule
}
