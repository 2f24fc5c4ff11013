//! The wait for the service, which checks every file before anyone can see it.

use std::time::Duration;

use share_contract::{FileDetails, FileStateName, operations};
use share_model::FileId;
use tokio::time::Instant;

use crate::api::Api;
use crate::failure::{Failure, Status};
use crate::output::word;
use crate::transfers::progress::Progress;
use crate::transfers::retry::Attempts;

/// For how long nothing needs to change of a file of which the service has to read nothing: twice the
/// time after which it takes up a check or an import that was killed.
const SILENCE: Duration = Duration::from_mins(32);

/// The fewest bytes per second that the service reads, at a check or from the source of an import.
const SLOWEST: u64 = 1_000_000;

/// Waits until the service has checked the file, or does not take it.
///
/// # Errors
/// Also when nothing has changed for longer than it should take.
pub(crate) async fn wait_for_check(
    api: &Api,
    progress: &Progress,
    id: FileId,
) -> Result<FileDetails, Failure> {
    let mut attempts = Attempts::new(progress);
    let mut watch = Watch { seen: None, since: Instant::now() };
    let mut pause = Duration::from_millis(50);
    loop {
        let request = api.request(&operations::FILE_SHOW).path("file_id", id);
        match request.send::<FileDetails>().await {
            Ok(file) => {
                attempts.succeeded();
                if let Some(file) = watch.look(file, Instant::now())? {
                    return Ok(file);
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(failure) => attempts.wait(failure).await?,
        }
    }
}

/// What was seen last of a file at which the service works, and since when.
struct Watch {
    seen: Option<(FileStateName, Option<u64>)>,
    since: Instant,
}

impl Watch {
    /// The file when the service has taken it; nothing while it works at it.
    fn look(&mut self, file: FileDetails, now: Instant) -> Result<Option<FileDetails>, Failure> {
        let name = file.filename.as_str();
        match file.state {
            FileStateName::Available => return Ok(Some(file)),
            FileStateName::Uploading | FileStateName::Checking => {}
            FileStateName::Rejected | FileStateName::Deleted => {
                let reason = file.reason.map_or_else(|| word(file.state), |it| it.detail);
                let message = format!("{name} was not taken: {}", reason.trim_end_matches('.'));
                return Err(Failure::new(Status::Refused, message));
            }
        }
        let seen = Some((file.state, file.size));
        if self.seen != seen {
            *self = Self { seen, since: now };
        }
        let reading = Duration::from_secs(file.size.unwrap_or_default() / SLOWEST);
        if now.duration_since(self.since) <= SILENCE + reading {
            return Ok(None);
        }
        let message = match file.state {
            FileStateName::Uploading => format!("The service has not finished fetching {name}"),
            _ => format!("{name} is at the service, which has not finished checking it"),
        };
        Err(Failure::new(Status::Unavailable, message)
            .advise("It goes on by itself, or the operator knows why not. Look with: share ls"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(state: &str, size: Option<u64>) -> FileDetails {
        let file = json!({"id": "00000000-0000-7000-8000-000000000000", "filename": "a.zip",
            "size": size, "state": state, "uploaded_by": "ops", "recipients": "everyone",
            "created_at": "2026-01-01T00:00:00.000Z", "notify_recipients": false,
            "notify": false, "links": 0, "downloads": 0});
        serde_json::from_value(file).expect("a file")
    }

    /// After how many minutes without a change the wait ends, and why.
    fn end(state: &str, size: Option<u64>) -> (u64, Failure) {
        let begun = Instant::now();
        let mut watch = Watch { seen: None, since: begun };
        let mut minutes = 0;
        loop {
            match watch.look(file(state, size), begun + Duration::from_mins(minutes)) {
                Ok(file) => assert!(file.is_none(), "the service works at it"),
                Err(failure) => return (minutes, failure),
            }
            minutes += 1;
        }
    }

    #[test]
    fn the_wait_for_a_check_ends_later_for_more_bytes() {
        let (small, failure) = end("checking", Some(1));
        assert_eq!(failure.status, Status::Unavailable);
        assert!(failure.message.contains("a.zip is at the service"), "{}", failure.message);
        assert!(failure.advice.is_some_and(|it| it.contains("share ls")));
        // The service takes up a check that was killed after 16 minutes, and reads 100 MB/s.
        assert!((17..60).contains(&small), "{small}");
        let (large, _) = end("checking", Some(1_000_000_000_000));
        assert!(large > small + 1_000_000 / 100 / 60, "{large}");
        let (_, failure) = end("uploading", None);
        assert!(failure.message.contains("not finished fetching"), "{}", failure.message);
    }

    #[test]
    fn whatever_changes_lets_the_wait_begin_anew() {
        let begun = Instant::now();
        let mut watch = Watch { seen: None, since: begun };
        for (minutes, state, size) in [
            (0, "uploading", None),
            (30, "uploading", None),
            (31, "uploading", Some(1)),
            (60, "uploading", Some(1)),
            (61, "checking", Some(1)),
            (90, "checking", Some(1)),
        ] {
            let looked = watch.look(file(state, size), begun + Duration::from_mins(minutes));
            assert!(looked.is_ok_and(|it| it.is_none()), "{minutes} {state}");
        }
        let taken = watch.look(file("available", Some(1)), begun + Duration::from_hours(1000));
        assert!(taken.is_ok_and(|it| it.is_some()));
        let refused = watch.look(file("rejected", Some(1)), begun);
        assert!(refused.is_err_and(|it| it.status == Status::Refused));
    }
}
