//! Questions on the terminal.

use std::io::{self, IsTerminal, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::task::spawn_blocking;

use crate::failure::{Failure, Status, unexpected};

/// Asks, and shows what is typed.
pub(crate) async fn ask(question: String) -> Result<String, Failure> {
    on_terminal(move || {
        io::stderr().write_all(question.as_bytes())?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        match answer.trim() {
            "" => Err(io::ErrorKind::UnexpectedEof.into()),
            answer => Ok(answer.to_owned()),
        }
    })
    .await
}

/// Asks for a secret, and does not show what is typed.
pub(crate) async fn ask_secretly(question: String) -> Result<String, Failure> {
    on_terminal(move || {
        // What is typed, or pasted, at the moment of the question is not shown either.
        let mut silent = tcgetattr(io::stdin())?;
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        rpassword::prompt_password(question)
    })
    .await
}

/// Asks beside everything else, so that Ctrl-C counts.
async fn on_terminal(
    ask: impl FnOnce() -> io::Result<String> + Send + 'static,
) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let message = "Secrets are asked for on a terminal, and there is none";
        return Err(Failure::new(Status::Usage, message)
            .advise("In a script, set SHARE_URL and SHARE_TOKEN."));
    }
    let _before = Before::remember();
    let answer = spawn_blocking(ask).await.map_err(|error| unexpected("A question", error))?;
    answer.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::new(Status::Usage, "Nothing was given"),
        _ => unexpected("The terminal cannot be read", error),
    })
}

/// How the terminal was, so that it shows what is typed again when Ctrl-C ends a question.
struct Before(Option<Termios>);

impl Before {
    fn remember() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // There is nobody to tell when the terminal is gone.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
