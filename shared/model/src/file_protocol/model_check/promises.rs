//! What is promised of an upload, in every state that the world can be in; and states that it must
//! be able to be in, so that no promise is kept because nothing happens.

use stateright::Property;

use super::world::{Bytes, Function, Kind, Object, State, World};
use crate::{FileState, Leftover};

pub(super) const WHOLE: &str = "what is available is there, was checked, and does not expire";
pub(super) const LISTED: &str = "a list shows what is available, and nothing else";
pub(super) const COUNTED: &str = "the counter is that of the records";
pub(super) const ONE_SIDE: &str = "what a client was told of a completion holds for an abort";
pub(super) const STAYS: &str = "what is complete ends by a deletion only";
pub(super) const NOTHING_LEFT: &str = "when nothing is said to be left, nothing is";
pub(super) const RECORDED: &str =
    "there is no byte of which no record says that it is to be removed";
pub(super) const FINISHED: &str =
    "what was complete becomes available, or was not what was promised";
pub(super) const SETTLED: &str = "the jobs alone lead to a file or to nothing at all";

/// Whether nothing goes on.
fn is_quiet(state: &State) -> bool {
    state.late.is_empty() && state.functions.iter().all(|it| !matches!(it, Function::At(_)))
}

/// Whether the file has ended.
fn is_over(state: &State) -> bool {
    matches!(state.record.0.state, FileState::Rejected(_) | FileState::Deleted(_))
}

/// What the record says is left in S3 of a file that has ended.
fn leftover(state: &State) -> Option<&Leftover> {
    match &state.record.0.state {
        FileState::Rejected(it) => it.leftover.as_ref(),
        FileState::Deleted(it) => it.leftover.as_ref(),
        _ => None,
    }
}

/// Whether the record says that nothing is left of the file.
fn is_forgotten(state: &State) -> bool {
    is_over(state) && leftover(state).is_none()
}

fn has_anything(state: &State) -> bool {
    state.s3.upload || state.s3.object.is_some()
}

pub(super) fn all() -> Vec<Property<World>> {
    let mut promises = vec![
        Property::<World>::always(WHOLE, |_, state| {
            let FileState::Available(content) = &state.record.0.state else { return true };
            state.s3.object.is_some_and(|Object { bytes, unfinished }| {
                !unfinished && bytes == Bytes::Promised && bytes.digest() == content.sha256
            })
        }),
        Property::<World>::always(LISTED, |_, state| {
            let available = match &state.record.0.state {
                FileState::Available(content) => Some(content.sha256),
                _ => None,
            };
            state.listed == available
        }),
        Property::<World>::always(COUNTED, |_, state| {
            state.counted == i8::from(state.record.0.counts().is_some())
        }),
        Property::<World>::always(ONE_SIDE, |_, state| {
            !(state.completed && state.aborted) || state.deleted_by == Some(Kind::Delete)
        }),
        Property::<World>::always(STAYS, |_, state| {
            !state.completed || state.deleted_by.is_none_or(|by| by == Kind::Delete)
        }),
        Property::<World>::always(NOTHING_LEFT, |_, state| {
            !is_forgotten(state) || !has_anything(state)
        }),
        Property::<World>::always(RECORDED, |_, state| {
            leftover(state).is_none_or(|left| left.s3_upload.is_some() || !state.s3.upload)
        }),
    ];
    promises.extend([
        Property::<World>::always(FINISHED, |world, state| {
            if !state.completed || state.deleted_by == Some(Kind::Delete) || !is_quiet(state) {
                return true;
            }
            match &world.settle(state).record.0.state {
                FileState::Available(_) => true,
                // Other bytes were sent after the promised ones.
                FileState::Rejected(_) => state.resent,
                _ => false,
            }
        }),
        Property::<World>::always(SETTLED, |world, state| {
            if !is_quiet(state) {
                return true;
            }
            let settled = world.settle(state);
            match &settled.record.0.state {
                FileState::Available(_) => true,
                FileState::Rejected(_) | FileState::Deleted(_) => {
                    is_forgotten(&settled) && !has_anything(&settled)
                }
                FileState::Uploading(_) | FileState::Checking(_) => false,
            }
        }),
    ]);
    promises.extend([
        Property::<World>::sometimes("a file becomes available", |_, state| {
            matches!(state.record.0.state, FileState::Available(_))
        }),
        Property::<World>::sometimes("a file is rejected, and nothing is left of it", |_, state| {
            matches!(&state.record.0.state, FileState::Rejected(it) if it.leftover.is_none())
        }),
        Property::<World>::sometimes("an upload is aborted, and nothing is left of it", |_, state| {
            state.aborted && is_forgotten(state)
        }),
        Property::<World>::sometimes("the time of an upload is over", |_, state| {
            state.deleted_by == Some(Kind::Remove)
        }),
        Property::<World>::sometimes("a file is deleted while it is checked", |_, state| {
            let checks = |it: &Function| matches!(it, Function::At(super::world::Phase::Digest));
            state.deleted_by == Some(Kind::Delete) && state.functions.iter().any(checks)
        }),
        Property::<World>::sometimes("the object appears after its sender is gone", |_, state| {
            state.s3.object.is_some() && is_quiet(state) && !state.completed
        }),
    ]);
    promises
}
