//! The rules, each broken in one place, and a promise that is then not kept.

use super::promises::{
    COUNTED, FINISHED, LISTED, NOTHING_LEFT, ONE_SIDE, RECORDED, SETTLED, STAYS, WHOLE,
};
use super::world::{RULES, Rules};
use crate::file_protocol::{claim, complete, delete, end, reject, removed};
use crate::{File, FileState};

pub(super) struct Break {
    pub(super) what: &'static str,
    pub(super) rules: Rules,
    /// The promise that is not kept.
    pub(super) broken: &'static str,
}

/// The record without what a job would find by its due time.
fn never_due(mut file: File) -> File {
    if let FileState::Checking(check) = &mut file.state {
        check.due_at = jiff::Timestamp::MAX;
    }
    file
}

/// The record without the id of the upload in S3.
fn without_upload(mut file: File) -> File {
    let leftover = match &mut file.state {
        FileState::Rejected(it) => &mut it.leftover,
        FileState::Deleted(it) => &mut it.leftover,
        _ => return file,
    };
    if let Some(leftover) = leftover {
        leftover.s3_upload = None;
    }
    file
}

/// The record as if nothing were left in S3.
fn without_leftover(file: File) -> File {
    removed(&file).unwrap_or(file)
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn all() -> Vec<Break> {
    vec![
        Break {
            what: "an abort takes what is complete",
            rules: Rules { abort: |file, now| Ok(delete(file, now)), ..RULES },
            broken: STAYS,
        },
        Break {
            what: "an abort says that it has taken what is complete",
            rules: Rules {
                abort: |file, now| match &file.state {
                    FileState::Uploading(_) => Ok(delete(file, now)),
                    _ => Ok(None),
                },
                ..RULES
            },
            broken: ONE_SIDE,
        },
        Break {
            what: "S3 is told of an abort before it is decided",
            rules: Rules { decided_first: false, ..RULES },
            broken: FINISHED,
        },
        Break {
            what: "a record is written whatever it has become",
            rules: Rules { conditions: false, ..RULES },
            broken: STAYS,
        },
        Break {
            what: "a counter changes whatever the record has become",
            rules: Rules { conditions: false, ..RULES },
            broken: COUNTED,
        },
        Break {
            what: "a counter changes after the record",
            rules: Rules { counted_together: false, ..RULES },
            broken: COUNTED,
        },
        Break {
            what: "a file that was deleted becomes available",
            rules: Rules {
                accept: |file, content| {
                    let state = FileState::Available(content);
                    Some(File { state, revision: file.revision + 1, ..file.clone() })
                },
                ..RULES
            },
            broken: WHOLE,
        },
        Break {
            what: "the tag is taken off after the file is available",
            rules: Rules { kept_first: false, ..RULES },
            broken: WHOLE,
        },
        Break {
            what: "the digest is not compared",
            rules: Rules { compared: false, ..RULES },
            broken: WHOLE,
        },
        Break {
            what: "the object is deleted before the upload is aborted",
            rules: Rules { aborted_first: false, ..RULES },
            broken: NOTHING_LEFT,
        },
        Break {
            what: "an upload that S3 does not know is taken for one that was aborted",
            rules: Rules { looked_for_after: false, ..RULES },
            broken: STAYS,
        },
        Break {
            what: "parts are not looked for",
            rules: Rules { parts_expected: false, ..RULES },
            broken: FINISHED,
        },
        Break {
            what: "a check that was killed is not taken up",
            rules: Rules { claim: |file, now| claim(file, now).map(never_due), ..RULES },
            broken: SETTLED,
        },
        Break {
            what: "a check is started by the event only",
            rules: Rules { complete: |file, now| Ok(complete(file, now)?.map(never_due)), ..RULES },
            broken: FINISHED,
        },
        Break {
            what: "an upload that is over is left alone",
            rules: Rules {
                end: |file, now| match file.state {
                    FileState::Uploading(_) => None,
                    _ => end(file, now),
                },
                ..RULES
            },
            broken: SETTLED,
        },
        Break {
            what: "a rejection forgets the bytes",
            rules: Rules {
                reject: |file, reason, now| reject(file, reason, now).map(without_leftover),
                ..RULES
            },
            broken: NOTHING_LEFT,
        },
        Break {
            what: "a deletion forgets the upload",
            rules: Rules {
                abort: |file, now| match &file.state {
                    FileState::Uploading(_) => Ok(delete(file, now).map(without_upload)),
                    FileState::Deleted(_) => Ok(None),
                    _ => Err(crate::file_protocol::UploadRefusal::Completed),
                },
                ..RULES
            },
            broken: RECORDED,
        },
        Break {
            what: "an upload that has ended is completed",
            rules: Rules {
                complete: |file, now| match &file.state {
                    FileState::Deleted(_) => Ok(None),
                    _ => complete(file, now),
                },
                ..RULES
            },
            broken: ONE_SIDE,
        },
        Break {
            what: "a list keeps what is no longer available",
            rules: Rules { listed_together: false, ..RULES },
            broken: LISTED,
        },
    ]
}
