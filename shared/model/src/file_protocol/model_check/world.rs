//! One upload of one part, S3, the file's record, and the functions that do something with it, each
//! of which can be killed before each of its steps.
//!
//! The rules that are checked are those of the module above, and the order in which the functions
//! take their steps. What S3, the tables and the functions do is written down here anew, in a few
//! lines each. S3 is as its reference says: each request is carried out at once or not at all, and
//! an upload that was completed or aborted is unknown afterwards. A request can be on its way still
//! when the function that has sent it is gone.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use stateright::{Model, Property};

use super::promises;
use crate::file_protocol::{
    CLAIM, NewFile, UploadRefusal, abort, accept, announce, claim, complete, delete, end, reject,
    removed,
};
use crate::{
    Content, ContentDigest, EmailAddress, File, FileId, FileName, FileState, Job, Recipients,
    Rejection, Role, Upload, User, UserId, Username,
};

/// In ticks from the announcement. A claim lasts one tick.
const UPLOAD_ENDS: i64 = 2;

/// The moment of a tick of the clock.
pub(super) fn moment(tick: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + tick * CLAIM.as_secs()).unwrap()
}

/// How large the world is.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// The functions that are invoked, each at any time.
    pub(super) functions: &'static [Kind],
    /// How long the world lasts.
    pub(super) ticks: i64,
    /// Whether the part may be sent once more, with other bytes.
    pub(super) resends: bool,
}

/// What a function is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Complete,
    Abort,
    Delete,
    Check,
    Remove,
}

type Step = fn(&File, Timestamp) -> Option<File>;
type Decide = fn(&File, Timestamp) -> Result<Option<File>, UploadRefusal>;

/// The rules, so that a test can break one of them.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(super) struct Rules {
    pub(super) complete: Decide,
    pub(super) abort: Decide,
    pub(super) delete: Step,
    pub(super) end: Step,
    pub(super) claim: Step,
    pub(super) accept: fn(&File, Content) -> Option<File>,
    pub(super) reject: fn(&File, Rejection, Timestamp) -> Option<File>,
    pub(super) removed: fn(&File) -> Option<File>,
    /// A record is written on condition that it is as it was read.
    pub(super) conditions: bool,
    /// The counter changes in the transaction that changes the record.
    pub(super) counted_together: bool,
    /// What is no longer available leaves the list in that transaction.
    pub(super) listed_together: bool,
    /// The record says that the upload ends before S3 is told.
    pub(super) decided_first: bool,
    /// Parts are looked for before the upload is complete.
    pub(super) parts_expected: bool,
    /// When S3 knows no upload, there may be its object.
    pub(super) looked_for_after: bool,
    /// The tag is taken off before the file is available.
    pub(super) kept_first: bool,
    /// The upload is aborted before the object is deleted.
    pub(super) aborted_first: bool,
    /// The digest is compared with the one that was promised.
    pub(super) compared: bool,
}

/// Those of production.
pub(super) const RULES: Rules = Rules {
    complete,
    abort,
    delete,
    end,
    claim,
    accept,
    reject,
    removed,
    conditions: true,
    counted_together: true,
    listed_together: true,
    decided_first: true,
    parts_expected: true,
    looked_for_after: true,
    kept_first: true,
    aborted_first: true,
    compared: true,
};

pub(super) struct World {
    pub(super) sizes: Sizes,
    pub(super) rules: Rules,
}

/// The bytes of the part: those that were promised, or others of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bytes {
    Promised,
    Others,
}

impl Bytes {
    pub(super) fn digest(self) -> ContentDigest {
        ContentDigest::of(match self {
            Self::Promised => b"promised",
            Self::Others => b"others",
        })
    }
}

/// What S3 has.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) struct S3 {
    /// Whether it knows the upload.
    pub(super) upload: bool,
    pub(super) part: Option<Bytes>,
    pub(super) object: Option<Object>,
}

#[derive(Clone, Copy, Debug, PartialEq, Hash)]
pub(super) struct Object {
    pub(super) bytes: Bytes,
    /// Whether the tag is there with which it would expire.
    pub(super) unfinished: bool,
}

/// A request to S3 that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Call {
    /// `CompleteMultipartUpload` with a part of these bytes.
    Assemble(Bytes),
    Keep,
    Abort,
    Delete,
}

/// The record of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record(pub(super) Arc<File>);

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let file = &self.0;
        (file.revision, file.due()).hash(state);
        match &file.state {
            FileState::Uploading(_) => 0.hash(state),
            FileState::Checking(_) => 1.hash(state),
            FileState::Available(content) => (2, content.sha256).hash(state),
            FileState::Rejected(it) => (3, has_upload(it.leftover.as_ref())).hash(state),
            FileState::Deleted(it) => (4, has_upload(it.leftover.as_ref())).hash(state),
        }
    }
}

fn has_upload(leftover: Option<&crate::Leftover>) -> Option<bool> {
    leftover.map(|leftover| leftover.s3_upload.is_some())
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) struct State {
    /// In ticks.
    pub(super) clock: i64,
    pub(super) record: Record,
    /// How many files the counter has.
    pub(super) counted: i8,
    /// The digest under which a list shows the file.
    pub(super) listed: Option<ContentDigest>,
    pub(super) s3: S3,
    /// Requests to S3 whose sender is gone.
    pub(super) late: Vec<Call>,
    /// The functions, in the order of [`Sizes::functions`].
    pub(super) functions: Vec<Function>,
    /// Whether a part was sent again.
    pub(super) resent: bool,
    /// Whether a client was told 202, or 204 of an abort.
    pub(super) completed: bool,
    pub(super) aborted: bool,
    /// Who has ended the file: whose change made it one that is deleted.
    pub(super) deleted_by: Option<Kind>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) enum Function {
    Waiting,
    At(Phase),
    Gone,
}

/// What a function does next.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) enum Phase {
    /// Reads the record, and of an upload its parts, before it decides anything.
    Look,
    /// Reads the record, and decides what becomes of it.
    Decide(Change),
    /// Writes the record.
    Commit(Change, Record, Record),
    /// Makes the counter that of the record, when that is not one with the change.
    Count(Change, i8),
    /// Looks for an object, and for parts of which to make it.
    Find,
    /// Makes the object.
    Assemble(Bytes),
    /// Reads the object.
    Digest,
    /// Takes the tag off.
    Keep(Bytes),
    Abort,
    Delete,
    /// Answers.
    Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    Complete,
    Abort,
    Delete,
    Claim,
    Accept(Bytes),
    Reject,
    /// There are no bytes, and there will be none.
    Nothing,
    /// Ends what is over, or claims what is left over.
    End,
    Removed,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    Invoke(usize),
    /// A function takes its next step.
    Step(usize),
    /// A function is killed before its next step.
    Kill(usize),
    /// A function is killed, and its request to S3 is on its way.
    KillLate(usize),
    /// Such a request arrives.
    Arrive(usize),
    /// The part is sent again.
    Resend,
    Tick,
}

impl World {
    pub(super) fn new(sizes: Sizes, rules: Rules) -> Self {
        Self { sizes, rules }
    }

    /// Carries out a request to S3.
    fn call(s3: &mut S3, call: Call) {
        match call {
            // The entity tag of the part is that of the bytes.
            Call::Assemble(bytes) if s3.upload && s3.part == Some(bytes) => {
                if s3.object.is_none() {
                    s3.object = Some(Object { bytes, unfinished: true });
                    (s3.upload, s3.part) = (false, None);
                }
            }
            Call::Assemble(_) => {}
            Call::Keep => {
                if let Some(object) = &mut s3.object {
                    object.unfinished = false;
                }
            }
            Call::Abort => (s3.upload, s3.part) = (false, None),
            Call::Delete => s3.object = None,
        }
    }

    /// The request that a function sends next, if its next step is one that changes something in S3.
    fn sends(phase: &Phase) -> Option<Call> {
        match phase {
            Phase::Assemble(bytes) => Some(Call::Assemble(*bytes)),
            Phase::Keep(_) => Some(Call::Keep),
            Phase::Abort => Some(Call::Abort),
            Phase::Delete => Some(Call::Delete),
            _ => None,
        }
    }

    /// What a change makes of the record.
    fn decide(&self, state: &State, change: Change) -> Result<Option<File>, UploadRefusal> {
        let (rules, file, now) = (&self.rules, &*state.record.0, moment(state.clock));
        let checking = matches!(file.state, FileState::Checking(_));
        match change {
            Change::Complete => (rules.complete)(file, now),
            Change::Abort => (rules.abort)(file, now),
            Change::Delete => Ok((rules.delete)(file, now)),
            Change::Claim => Ok(checking.then(|| (rules.claim)(file, now)).flatten()),
            Change::Accept(bytes) => {
                let content = Content {
                    content_type: String::new(),
                    sha256: bytes.digest(),
                    uploaded_at: now,
                };
                Ok((rules.accept)(file, content))
            }
            Change::Reject => Ok((rules.reject)(file, Rejection::DigestMismatch, now)),
            Change::Nothing => Ok(checking.then(|| (rules.delete)(file, now)).flatten()),
            Change::End => {
                let left = matches!(file.state, FileState::Rejected(_) | FileState::Deleted(_));
                let claim = || left.then(|| (rules.claim)(file, now)).flatten();
                Ok((rules.end)(file, now).or_else(claim))
            }
            Change::Removed => Ok((rules.removed)(file)),
        }
    }

    /// What a function does once the record is as its change wants it.
    fn after(&self, state: &State, change: Change) -> Option<Phase> {
        let file = &*state.record.0;
        let over = match &file.state {
            FileState::Rejected(it) => it.leftover.as_ref(),
            FileState::Deleted(it) => it.leftover.as_ref(),
            _ => None,
        };
        let remove =
            over.map(|_| if self.rules.aborted_first { Phase::Abort } else { Phase::Delete });
        match change {
            Change::Complete if matches!(file.state, FileState::Checking(_)) => Some(Phase::Find),
            Change::Complete | Change::Removed => Some(Phase::Answer),
            Change::Claim => Some(Phase::Find),
            Change::Accept(_) if !self.rules.kept_first => Some(Phase::Keep(Bytes::Promised)),
            Change::Accept(_) => None,
            Change::Abort if !self.rules.decided_first => Some(Phase::Answer),
            Change::Abort | Change::Delete => Some(remove.unwrap_or(Phase::Answer)),
            Change::Reject | Change::Nothing | Change::End => remove,
        }
    }

    /// The first thing that a function does.
    fn begins(&self, kind: Kind) -> Phase {
        match kind {
            Kind::Complete => Phase::Look,
            Kind::Abort if !self.rules.decided_first => Phase::Abort,
            Kind::Abort => Phase::Decide(Change::Abort),
            Kind::Delete => Phase::Decide(Change::Delete),
            Kind::Check => Phase::Decide(Change::Claim),
            Kind::Remove => Phase::Decide(Change::End),
        }
    }

    /// The function takes its next step; gives what it does then.
    #[expect(clippy::too_many_lines, reason = "an arm for each step")]
    fn step(&self, state: &mut State, kind: Kind, phase: Phase) -> Option<Phase> {
        match phase {
            Phase::Look => {
                let uploading = matches!(state.record.0.state, FileState::Uploading(_));
                let lacks = state.s3.upload && state.s3.part.is_none();
                if uploading && lacks && self.rules.parts_expected {
                    return None;
                }
                Some(Phase::Decide(Change::Complete))
            }
            Phase::Decide(change) => match self.decide(state, change) {
                Ok(Some(after)) => {
                    Some(Phase::Commit(change, state.record.clone(), Record(Arc::new(after))))
                }
                // A job leaves alone what is none of its business.
                Ok(None) if matches!(change, Change::Complete | Change::Abort | Change::Delete) => {
                    self.after(state, change)
                }
                Ok(None) | Err(_) => None,
            },
            Phase::Commit(change, before, after) => {
                if self.rules.conditions && state.record.0.revision != before.0.revision {
                    return Some(Phase::Decide(change));
                }
                let counts = |file: &File| i8::from(file.counts().is_some());
                let more = counts(&after.0) - counts(&before.0);
                let deleted = |file: &File| matches!(file.state, FileState::Deleted(_));
                if deleted(&after.0) && !deleted(&before.0) {
                    state.deleted_by = Some(kind);
                }
                let listed = after.0.record().map(|record| record.sha256);
                if listed.is_some() || self.rules.listed_together {
                    state.listed = listed;
                }
                state.record = after;
                if !self.rules.counted_together && more != 0 {
                    return Some(Phase::Count(change, more));
                }
                state.counted += more;
                self.after(state, change)
            }
            Phase::Count(change, more) => {
                state.counted += more;
                self.after(state, change)
            }
            Phase::Find => {
                if state.s3.object.is_some() {
                    return Some(if kind == Kind::Complete {
                        Phase::Answer
                    } else {
                        Phase::Digest
                    });
                }
                match state.s3.part.filter(|_| state.s3.upload) {
                    Some(bytes) => Some(Phase::Assemble(bytes)),
                    None if kind == Kind::Complete => Some(Phase::Answer),
                    None => Some(Phase::Decide(Change::Nothing)),
                }
            }
            Phase::Assemble(bytes) => {
                let known = state.s3.upload;
                Self::call(&mut state.s3, Call::Assemble(bytes));
                if !known && !self.rules.looked_for_after && kind == Kind::Check {
                    return Some(Phase::Decide(Change::Nothing));
                }
                // When there is no object now, it finds out why.
                Some(Phase::Find)
            }
            Phase::Digest => match state.s3.object {
                Some(Object { bytes: Bytes::Others, .. }) if self.rules.compared => {
                    Some(Phase::Decide(Change::Reject))
                }
                Some(object) if self.rules.kept_first => Some(Phase::Keep(object.bytes)),
                Some(object) => Some(Phase::Decide(Change::Accept(object.bytes))),
                // It is being removed meanwhile: the function fails.
                None => None,
            },
            Phase::Keep(bytes) => {
                let there = state.s3.object.is_some();
                Self::call(&mut state.s3, Call::Keep);
                let goes_on = there && self.rules.kept_first;
                goes_on.then_some(Phase::Decide(Change::Accept(bytes)))
            }
            Phase::Abort => {
                Self::call(&mut state.s3, Call::Abort);
                Some(if self.rules.aborted_first {
                    Phase::Delete
                } else {
                    Phase::Decide(Change::Removed)
                })
            }
            Phase::Delete => {
                Self::call(&mut state.s3, Call::Delete);
                if kind == Kind::Abort && !self.rules.decided_first {
                    return Some(Phase::Decide(Change::Abort));
                }
                Some(if self.rules.aborted_first {
                    Phase::Decide(Change::Removed)
                } else {
                    Phase::Abort
                })
            }
            Phase::Answer => {
                state.completed |= kind == Kind::Complete;
                state.aborted |= kind == Kind::Abort;
                None
            }
        }
    }

    /// What the jobs alone make of a state, when all functions have been killed and time passes:
    /// each of them runs while something is due for it, and nothing goes wrong.
    pub(super) fn settle(&self, state: &State) -> State {
        let mut state = state.clone();
        for _ in 0..8 {
            state.clock += 1;
            let due = state.record.0.due().filter(|(_, at)| *at <= moment(state.clock));
            let kind = match due {
                Some((Job::Check, _)) => Kind::Check,
                Some((Job::Remove, _)) => Kind::Remove,
                _ => continue,
            };
            let mut phase = Some(self.begins(kind));
            let mut steps = 0;
            while let Some(next) = phase.take_if(|_| steps < 20) {
                phase = self.step(&mut state, kind, next);
                steps += 1;
            }
        }
        state
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let now = moment(0);
        let address = EmailAddress::parse("ops@example.com").unwrap();
        let name = Username::parse("ops").unwrap();
        let ops = User::new(UserId::new(now, [0; 10]), name, address, Role::Ops, now);
        let new = NewFile {
            id: FileId::new(now, [0; 10]),
            filename: FileName::parse("a.txt").unwrap(),
            promised_sha256: Some(Bytes::Promised.digest()),
            recipients: Recipients::Everyone,
            notify_recipients: false,
            notify: false,
            note: None,
            expires_at: None,
        };
        let upload = Upload {
            s3_upload: "upload".to_owned(),
            part_size: 1,
            ends_at: moment(UPLOAD_ENDS),
            import: None,
        };
        let file = announce(new, Some(1), upload, &ops);
        let with = |part| State {
            clock: 0,
            record: Record(Arc::new(file.clone())),
            counted: 1,
            listed: None,
            s3: S3 { upload: true, part, object: None },
            late: Vec::new(),
            functions: vec![Function::Waiting; self.sizes.functions.len()],
            resent: false,
            completed: false,
            aborted: false,
            deleted_by: None,
        };
        vec![with(None), with(Some(Bytes::Promised))]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.clock < self.sizes.ticks {
            actions.push(Action::Tick);
        }
        if self.sizes.resends && !state.resent && state.s3.upload {
            actions.push(Action::Resend);
        }
        for place in 0..state.late.len() {
            actions.push(Action::Arrive(place));
        }
        for (place, function) in state.functions.iter().enumerate() {
            match function {
                Function::Waiting => actions.push(Action::Invoke(place)),
                Function::At(phase) => {
                    actions.extend([Action::Step(place), Action::Kill(place)]);
                    if Self::sends(phase).is_some() && state.late.is_empty() {
                        actions.push(Action::KillLate(place));
                    }
                }
                Function::Gone => {}
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => state.clock += 1,
            Action::Resend => {
                state.resent = true;
                state.s3.part = Some(Bytes::Others);
            }
            Action::Invoke(place) => {
                let begins = self.begins(self.sizes.functions[place]);
                state.functions[place] = Function::At(begins);
            }
            Action::Step(place) => {
                let Function::At(phase) = last.functions[place].clone() else { return None };
                let next = self.step(&mut state, self.sizes.functions[place], phase);
                state.functions[place] = next.map_or(Function::Gone, Function::At);
            }
            Action::Kill(place) => state.functions[place] = Function::Gone,
            Action::KillLate(place) => {
                let Function::At(phase) = &last.functions[place] else { return None };
                state.late.extend(Self::sends(phase));
                state.functions[place] = Function::Gone;
            }
            Action::Arrive(place) => {
                let call = state.late.remove(place);
                Self::call(&mut state.s3, call);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all()
    }
}
