//! What the person at the console sees: a line per request, a box per mail, and warnings.
#![expect(clippy::print_stdout, reason = "the console is what this module is for")]

use std::fmt::{Debug, Write};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use share_http::BodyError;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

tokio::task_local! {
    /// Of what is being done now.
    static ORIGIN: Origin;
}

/// Where the reason for doing something comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This machine: whoever sits here may read the mails of it.
    ThisMachine,
    /// Not known to be this machine.
    Elsewhere,
}

impl Origin {
    /// Of a request.
    pub(crate) fn of_request(peer: SocketAddr, headers: &HeaderMap) -> Self {
        let here = share_http::is_from_this_machine(&peer.ip().to_string(), headers);
        if here { Self::ThisMachine } else { Self::Elsewhere }
    }

    /// Runs `future`, for this origin.
    pub(crate) fn of<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        ORIGIN.scope(self, future)
    }

    /// Sends `body`, for this origin: a download ends, and its mail goes out, while it is sent.
    pub(crate) fn of_body(
        self,
        body: share_http::Body,
    ) -> impl Body<Data = Bytes, Error = BodyError> {
        OfBody { origin: self, body }
    }

    fn now() -> Self {
        ORIGIN.try_with(|origin| *origin).unwrap_or(Self::Elsewhere)
    }
}

struct OfBody {
    origin: Origin,
    body: share_http::Body,
}

impl Body for OfBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { origin, body } = &mut *self;
        ORIGIN.sync_scope(*origin, || Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

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
    // A path may have bytes that a terminal takes for commands.
    let path: String = path.chars().map(|it| if it.is_control() { '�' } else { it }).collect();
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
    /// What nobody sees is not recorded: the SDK makes a dozen spans for each request of its own.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        if event.metadata().target() == "mail" {
            event.record(&mut fields);
            println!("{}", mail_box(&fields, Origin::now()));
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
///
/// A mail that another machine has caused may hold somebody else's secrets: only its subject is
/// shown.
fn mail_box(mail: &Fields, origin: Origin) -> String {
    if origin == Origin::Elsewhere {
        return format!(
            "A mail was withheld ({}): the request for it is not known to come from this machine.",
            mail.get("subject")
        );
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_shown_whole_only_for_this_machine() {
        let mail = [("to", "a@example.org"), ("subject", "Verify"), ("text", "https://x?token=y")];
        let mail = Fields(mail.map(|(name, value)| (name, value.to_owned())).to_vec());
        assert!(mail_box(&mail, Origin::ThisMachine).contains("https://x?token=y"));
        let withheld = mail_box(&mail, Origin::Elsewhere);
        assert!(withheld.contains("withheld (Verify)"), "{withheld}");
        assert!(!withheld.contains("token") && !withheld.contains('@'), "{withheld}");
    }

    #[tokio::test]
    async fn what_nobody_is_known_to_have_asked_for_is_not_of_this_machine() {
        assert_eq!(Origin::now(), Origin::Elsewhere);
        assert_eq!(Origin::ThisMachine.of(async { Origin::now() }).await, Origin::ThisMachine);
        let task = Origin::ThisMachine.of(async { tokio::spawn(async { Origin::now() }).await });
        assert_eq!(task.await.unwrap(), Origin::Elsewhere);
    }
}
