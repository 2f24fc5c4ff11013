//! One link, its clients, and the functions that serve them, with everything that can go wrong
//! between them.
//!
//! Rules that are checked are those of the module above. What the Links table and a function do
//! with a step is written down here anew, in a few lines each: a transaction on conditions, a read
//! of the link and then of the lease, another attempt when a condition does not hold.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use stateright::{Model, Property};

use super::promises;
use crate::link_protocol::{
    LinkAndLease, LinkStep, Sent, TokenStep, TransferEnd, TransferStart, create, finish, revoke,
    start,
};
use crate::{
    ByteRange, ContentDigest, DownloadRequest, EmailAddress, FileId, FileName, FileRecord, Lease,
    LeaseTerms, Link, LinkId, LinkLifetime, LinkRefusal, LinkTerms, MaxDownloads, ReceiptEvent,
    Role, SealedReceipt, User, UserId, Username,
};

/// The shortest lifetime of a link.
pub(super) const SECONDS_PER_TICK: i64 = 60;
/// In ticks from the creation of the link.
pub(super) const LINK_LIFETIME: i64 = 1;
/// In ticks from the redemption.
pub(super) const LEASE_LIFETIME: i64 = 2;
/// In ticks from the last byte sent.
pub(super) const GRACE: i64 = 1;

/// The moment of a tick of the clock.
pub(super) fn moment(tick: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + tick * SECONDS_PER_TICK).unwrap()
}

/// How large the world is.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// For each client, whether it brings a lease of its own, and how often it asks at most.
    pub(super) clients: &'static [(bool, u8)],
    pub(super) max_downloads: u32,
    /// How often a lease can be used to resume.
    pub(super) resumes: u32,
    /// The number of the file's bytes.
    pub(super) bytes: u64,
    /// How long the world lasts.
    pub(super) ticks: i64,
    /// Whether the link's maker may revoke it.
    pub(super) revocation: bool,
    /// Whether the receipts of each state are verified, which takes its time.
    pub(super) verified: bool,
}

type Start = fn(
    &LinkAndLease,
    &DownloadRequest,
    &FileRecord,
    LeaseTerms,
    Timestamp,
) -> Result<(LinkStep, TransferStart), LinkRefusal>;
type Finish = fn(
    &Link,
    &Lease,
    &TransferStart,
    Sent,
    &FileRecord,
    LeaseTerms,
    Timestamp,
) -> (LinkStep, TransferEnd);
type Revoke = fn(&Link, UserId, Timestamp) -> Option<LinkStep>;

/// The rules, so that a test can break one of them.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(super) struct Rules {
    pub(super) start: Start,
    pub(super) finish: Finish,
    pub(super) revoke: Revoke,
    /// A transaction holds only if its conditions do.
    pub(super) conditions: bool,
    /// All attempts at a transaction are one to the table.
    pub(super) one_request_token: bool,
    /// A lease that a client brings becomes that of its download.
    pub(super) leases_adopted: bool,
    /// The link is read before its lease.
    pub(super) link_read_first: bool,
    /// Each attempt reads the clock.
    pub(super) time_read_anew: bool,
    /// Bytes go out when the transaction has been carried out, and not before.
    pub(super) bytes_after_start: bool,
    /// The last byte goes out when the end has been recorded, and not before.
    pub(super) last_byte_after_end: bool,
}

/// Those of production.
pub(super) const RULES: Rules = Rules {
    start,
    finish,
    revoke,
    conditions: true,
    one_request_token: true,
    leases_adopted: true,
    link_read_first: true,
    time_read_anew: true,
    bytes_after_start: true,
    last_byte_after_end: true,
};

/// A client's request, and the function that serves it. The link's maker comes after the clients.
pub(super) type Request = (usize, u8);
/// The client that has a lease, and the request for which the server made it; 0 for its own.
pub(super) type LeaseName = (usize, u8);

pub(super) struct World {
    pub(super) sizes: Sizes,
    pub(super) rules: Rules,
    pub(super) file: FileRecord,
    pub(super) maker: User,
    terms: LeaseTerms,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) struct State {
    /// In ticks.
    pub(super) clock: i64,
    pub(super) link: Facts<Link>,
    /// Whether there is something to spend.
    pub(super) token: bool,
    pub(super) leases: BTreeMap<LeaseName, Lease>,
    /// The receipts that are stored: each with the hash of the one before it, and its own.
    pub(super) receipts: BTreeMap<u32, (Option<ContentDigest>, ContentDigest)>,
    /// What has happened, whatever is stored of it.
    pub(super) history: Vec<Event>,
    pub(super) clients: Vec<Client>,
    pub(super) functions: BTreeMap<Request, Function>,
    /// How often the uploader has been told of a download.
    pub(super) notices: u8,
    /// A refusal for which there was no reason.
    pub(super) wronged: Option<(Request, LinkRefusal)>,
}

/// A transaction that was carried out.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) struct Event {
    pub(super) request: Request,
    pub(super) lease: Option<LeaseName>,
    pub(super) step: Facts<LinkStep>,
    pub(super) receipt: Facts<SealedReceipt>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) struct Client {
    /// The lease that it brings with its next request.
    pub(super) lease: Option<LeaseName>,
    /// How many bytes it has, from the first.
    pub(super) have: u64,
    /// How often it has asked, and how often it asks at most.
    pub(super) asked: u8,
    may_ask: u8,
    /// The request whose answer it waits for.
    pub(super) waits_for: Option<Request>,
    pub(super) refused: Option<LinkRefusal>,
    /// Whether the end of a transfer could not be recorded, and it got the last byte all the same.
    pub(super) unrecorded: bool,
}

/// A function, while it serves a request.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) struct Function {
    pub(super) lease: Option<LeaseName>,
    pub(super) phase: Phase,
    /// When the request came, if that matters.
    begun: i64,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) enum Phase {
    /// It is about to read link and lease for this change.
    Read(Change),
    /// It has read one of the two.
    Between(Change, Half),
    /// The transaction is on its way. Afterwards comes the second.
    Commit(Change, Facts<LinkStep>, Next),
    /// It was carried out, and the answer is lost.
    Unsure(Change, Facts<LinkStep>, Next),
    /// Bytes may go out.
    Send(TransferStart),
    /// Only the last byte is left to be sent.
    LastByte,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) enum Half {
    Link(Facts<Link>),
    Lease(Option<Lease>),
}

#[derive(Clone, Copy, Debug, PartialEq, Hash)]
pub(super) enum Change {
    /// A transfer of the bytes from this one on starts.
    Start(u64),
    /// A transfer finishes, with so many bytes sent.
    Finish(TransferStart, u64),
    Revoke,
}

/// What comes after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Hash)]
pub(super) enum Next {
    Send(TransferStart),
    LastByte { notify: bool },
    Nothing,
}

/// What is shared by states, of which only some facts vary.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts<T>(pub(super) Arc<T>);

impl Hash for Facts<Link> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let link = &self.0;
        (link.downloads, link.revoked_at, link.notified, link.chain).hash(state);
    }
}

impl Hash for Facts<SealedReceipt> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

impl Hash for Facts<LinkStep> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let step = &self.0;
        let link = &step.link;
        (step.at, step.token, &step.lease).hash(state);
        (link.downloads, link.revoked_at, link.notified, link.chain).hash(state);
        match &step.event {
            ReceiptEvent::Created { .. } => 0.hash(state),
            ReceiptEvent::Redeemed(request) => (1, request.download, request.range).hash(state),
            ReceiptEvent::Resumed(request) => (2, request.download, request.range).hash(state),
            ReceiptEvent::Ended { begun, download, bytes, outcome } => {
                (3, begun, download, bytes, outcome).hash(state);
            }
            ReceiptEvent::Revoked { .. } => 4.hash(state),
            ReceiptEvent::Erased { .. } => 5.hash(state),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// A client asks for the bytes that it does not have.
    Ask(usize),
    /// A client no longer waits for its answer, and the function does not know.
    Leave(usize),
    /// The link's maker revokes it.
    Revoke,
    /// The first of two reads.
    Read(Request),
    /// The second read, and what follows from both at this time.
    Decide(Request),
    /// The transaction is carried out, or refused, and the function learns which.
    Commit(Request),
    /// The transaction is carried out, and its answer is lost.
    LoseAnswer(Request),
    /// It is sent again.
    Repeat(Request),
    /// The end of the transfer cannot be recorded, and the last byte goes out all the same.
    GiveUp(Request),
    /// The function is killed, or answers that the table does not.
    Kill(Request),
    /// All bytes but the last arrive.
    Deliver(Request),
    /// The connection breaks in the answer: `got` is how many bytes came, unless not even the head
    /// did, and `sent` how many the function believes to have sent.
    Cut {
        request: Request,
        got: Option<u64>,
        sent: u64,
    },
    /// The last byte arrives.
    DeliverLast(Request),
    /// The last byte is lost.
    CutLast(Request),
    Tick,
}

impl World {
    pub(super) fn new(sizes: Sizes, rules: Rules) -> Self {
        let now = moment(0);
        let file = FileRecord {
            id: FileId::new(now, [0; 10]),
            filename: FileName::parse("a.txt").unwrap(),
            size: sizes.bytes,
            content_type: "text/plain".to_owned(),
            sha256: ContentDigest::of(b""),
            uploaded_by: Username::parse("ops").unwrap(),
            uploader: None,
            uploaded_at: now,
            notify: true,
        };
        let address = EmailAddress::parse("client@example.com").unwrap();
        let name = Username::parse("client").unwrap();
        let maker = User::new(UserId::new(now, [0; 10]), name, address, Role::Client, now);
        let seconds = |ticks| ticks * SECONDS_PER_TICK;
        let terms = LeaseTerms { lifetime: seconds(LEASE_LIFETIME), grace: seconds(GRACE) };
        Self { sizes, rules, file, maker, terms }
    }

    /// Whether a client may still ask.
    fn may_ask(&self, client: &Client) -> bool {
        client.asked < client.may_ask && client.refused.is_none() && client.have < self.file.size
    }

    /// Carries out a step, if its conditions hold.
    fn commit(&self, state: &mut State, request: Request, step: &Facts<LinkStep>) -> bool {
        let (receipt, after) = step.0.seal("request");
        let before = step.0.link.chain;
        let number = after.chain.receipts;
        let unchanged = state.link.0.chain.receipts == before.receipts;
        let spendable = match step.0.token {
            TokenStep::Check | TokenStep::Delete => {
                state.token && step.0.at.as_second() < after.expires_at.as_second()
            }
            TokenStep::Issue | TokenStep::Leave => true,
        };
        let holds = unchanged && spendable && !state.receipts.contains_key(&number);
        if self.rules.conditions && !holds {
            return false;
        }
        let lease = state.functions.get(&request).and_then(|function| function.lease);
        if let (Some(name), Some(put)) = (lease, &step.0.lease) {
            state.leases.insert(name, self.limited(put));
        }
        state.token &= step.0.token != TokenStep::Delete;
        state.receipts.insert(number, (before.hash, receipt.hash));
        // What the hash of a state leaves out of a link does not vary.
        let varies = Link {
            downloads: after.downloads,
            revoked_at: after.revoked_at,
            notified: after.notified,
            chain: after.chain,
            ..Link::clone(&state.link.0)
        };
        assert_eq!(varies, after);
        state.link = Facts(Arc::new(after));
        let (step, receipt) = (step.clone(), Facts(Arc::new(receipt)));
        state.history.push(Event { request, lease, step, receipt });
        true
    }

    /// A lease with few resumes. No file is so small that there are so few.
    fn limited(&self, lease: &Lease) -> Lease {
        Lease { max_resumes: self.sizes.resumes, ..lease.clone() }
    }

    /// What a function makes of what it has read; `None` when it has nothing more to do.
    fn decide(
        &self,
        state: &State,
        request: Request,
        change: Change,
        (link, lease): (&Facts<Link>, Option<&Lease>),
    ) -> Result<Option<(LinkStep, Next)>, LinkRefusal> {
        let now = if self.rules.time_read_anew {
            moment(state.clock)
        } else {
            moment(state.functions[&request].begun)
        };
        match change {
            Change::Start(from) => {
                let current = LinkAndLease { link: Link::clone(&link.0), lease: lease.cloned() };
                let asked = DownloadRequest {
                    download: 0,
                    address: "192.0.2.1".to_owned(),
                    agent: String::new(),
                    range: ByteRange { first: from, last: self.file.size - 1 },
                };
                let (step, started) =
                    (self.rules.start)(&current, &asked, &self.file, self.terms, now)?;
                Ok(Some((step, Next::Send(started))))
            }
            Change::Finish(started, bytes) => {
                let Some(lease) = lease else { return Ok(None) };
                let sent = Sent::Bytes(bytes);
                let (step, end) = (self.rules.finish)(
                    &link.0, lease, &started, sent, &self.file, self.terms, now,
                );
                Ok(Some((step, Next::LastByte { notify: end.notify })))
            }
            Change::Revoke => {
                let step = (self.rules.revoke)(&link.0, self.maker.id, now);
                Ok(step.map(|step| (step, Next::Nothing)))
            }
        }
    }

    /// What a function does after its transaction.
    fn go_on(state: &mut State, request: Request, next: Next) {
        match next {
            Next::Send(started) => Self::set(state, request, Phase::Send(started)),
            Next::LastByte { notify } => {
                state.notices += u8::from(notify);
                Self::set(state, request, Phase::LastByte);
                Self::stop_unheard(state, request);
            }
            Next::Nothing => {
                state.functions.remove(&request);
            }
        }
    }

    fn set(state: &mut State, request: Request, phase: Phase) {
        if let Some(function) = state.functions.get_mut(&request) {
            function.phase = phase;
        }
    }

    /// Ends a function that has only bytes to send, when nobody waits for them.
    fn stop_unheard(state: &mut State, request: Request) {
        if !state.clients.iter().any(|client| client.waits_for == Some(request)) {
            state.functions.remove(&request);
        }
    }

    /// The client that waits for the answer, which no longer comes.
    fn hang_up(state: &mut State, request: Request) -> Option<&mut Client> {
        let waiting = state.clients.get_mut(request.0)?;
        if waiting.waits_for != Some(request) {
            return None;
        }
        waiting.waits_for = None;
        Some(waiting)
    }

    /// The answer's head and `bytes` bytes of its body arrive.
    fn deliver(state: &mut State, request: Request, from: u64, bytes: u64) {
        let lease = state.functions.get(&request).and_then(|function| function.lease);
        let client = &mut state.clients[request.0];
        client.lease = lease;
        client.have = client.have.max(from + bytes);
    }

    fn has_client(state: &State, request: Request) -> bool {
        state.clients.get(request.0).is_some_and(|client| client.waits_for == Some(request))
    }

    /// A function that no longer waits for its transaction, or is killed meanwhile. To all others
    /// that is the same, unless the last byte still goes out.
    fn end_early(request: Request, change: Change, actions: &mut Vec<Action>) {
        actions.push(Action::Kill(request));
        if let Change::Finish(..) = change {
            actions.push(Action::GiveUp(request));
        }
    }

    /// What can become of an answer whose bytes may go out.
    fn cuts(state: &State, request: Request, start: TransferStart) -> Vec<Action> {
        let length = start.range.length();
        let mut cuts = Vec::new();
        let mut cut = |got, sent| cuts.push(Action::Cut { request, got, sent });
        if !Self::has_client(state, request) {
            cut(None, 0);
            cut(None, length);
            return cuts;
        }
        // For a client that knows its lease, the head alone is nothing new.
        if state.clients[request.0].lease.is_none() {
            cut(None, 0);
            cut(None, length);
        }
        for got in 0..length {
            cut(Some(got), got);
            cut(Some(got), length);
        }
        cuts
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let terms = LinkTerms {
            max_downloads: MaxDownloads::new(self.sizes.max_downloads.into()).unwrap(),
            lifetime: LinkLifetime::parse(&(LINK_LIFETIME * SECONDS_PER_TICK).to_string()).unwrap(),
            bind: false,
            note: None,
        };
        let id = LinkId::of_digest([0; 32]);
        let step = create(id, &self.maker, &self.file, terms, moment(0));
        let clients =
            self.sizes.clients.iter().enumerate().map(|(client, (own, may_ask))| Client {
                lease: own.then_some((client, 0)),
                have: 0,
                asked: 0,
                may_ask: *may_ask,
                waits_for: None,
                refused: None,
                unrecorded: false,
            });
        let mut state = State {
            clock: 0,
            link: Facts(Arc::new(step.link.clone())),
            token: step.token == TokenStep::Issue,
            leases: BTreeMap::new(),
            receipts: BTreeMap::new(),
            history: Vec::new(),
            clients: clients.collect(),
            functions: BTreeMap::new(),
            notices: 0,
            wronged: None,
        };
        let created =
            self.commit(&mut state, (self.sizes.clients.len(), 0), &Facts(Arc::new(step)));
        assert!(created);
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.clock < self.sizes.ticks {
            actions.push(Action::Tick);
        }
        let maker = (state.clients.len(), 1);
        let revoked = state.link.0.revoked_at.is_some();
        if self.sizes.revocation && !revoked && !state.functions.contains_key(&maker) {
            actions.push(Action::Revoke);
        }
        for (number, client) in state.clients.iter().enumerate() {
            if !self.may_ask(client) {
                continue;
            }
            match client.waits_for {
                None => actions.push(Action::Ask(number)),
                Some(request) => match state.functions[&request].phase {
                    Phase::Send(_) | Phase::LastByte => {}
                    _ => actions.push(Action::Leave(number)),
                },
            }
        }
        for (&request, function) in &state.functions {
            match &function.phase {
                Phase::Read(_) => actions.push(Action::Read(request)),
                Phase::Between(..) => actions.push(Action::Decide(request)),
                Phase::Commit(change, ..) => {
                    actions.extend([Action::Commit(request), Action::LoseAnswer(request)]);
                    Self::end_early(request, *change, actions);
                }
                Phase::Unsure(change, ..) => {
                    actions.push(Action::Repeat(request));
                    Self::end_early(request, *change, actions);
                }
                Phase::Send(start) => {
                    actions.push(Action::Kill(request));
                    if Self::has_client(state, request) {
                        actions.push(Action::Deliver(request));
                    }
                    actions.extend(Self::cuts(state, request, *start));
                }
                Phase::LastByte => {
                    actions.extend([Action::DeliverLast(request), Action::CutLast(request)]);
                }
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each action")]
    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => state.clock += 1,
            Action::Revoke => {
                let phase = Phase::Read(Change::Revoke);
                let function = Function { lease: None, phase, begun: 0 };
                state.functions.insert((state.clients.len(), 1), function);
            }
            Action::Ask(number) => {
                let client = &mut state.clients[number];
                client.asked += 1;
                let request = (number, client.asked);
                client.waits_for = Some(request);
                let made = Some((number, client.asked));
                let brought = client.lease.filter(|_| self.rules.leases_adopted);
                let phase = Phase::Read(Change::Start(client.have));
                let begun = if self.rules.time_read_anew { 0 } else { state.clock };
                let function = Function { lease: brought.or(made), phase, begun };
                state.functions.insert(request, function);
            }
            Action::Leave(number) => state.clients[number].waits_for = None,
            Action::Read(request) => {
                let function = state.functions.get_mut(&request)?;
                let Phase::Read(change) = function.phase else { return None };
                let half = if self.rules.link_read_first {
                    Half::Link(state.link.clone())
                } else {
                    Half::Lease(function.lease.and_then(|name| state.leases.get(&name).cloned()))
                };
                function.phase = Phase::Between(change, half);
            }
            Action::Decide(request) => {
                let function = state.functions.get(&request)?;
                let Phase::Between(change, half) = function.phase.clone() else { return None };
                let stored = function.lease.and_then(|name| state.leases.get(&name));
                let decided = match &half {
                    Half::Link(link) => self.decide(&state, request, change, (link, stored)),
                    Half::Lease(lease) => {
                        self.decide(&state, request, change, (&state.link, lease.as_ref()))
                    }
                };
                match decided {
                    Ok(Some((step, next))) => {
                        let phase = Phase::Commit(change, Facts(Arc::new(step)), next);
                        Self::set(&mut state, request, phase);
                        if let (Change::Start(from), false) = (change, self.rules.bytes_after_start)
                            && Self::has_client(&state, request)
                        {
                            Self::deliver(&mut state, request, from, self.file.size - from - 1);
                        }
                    }
                    Ok(None) => {
                        state.functions.remove(&request);
                        Self::hang_up(&mut state, request);
                    }
                    Err(refusal) => {
                        if !promises::refusal_has_a_reason(self, &state, request, refusal) {
                            state.wronged = Some((request, refusal));
                        }
                        state.functions.remove(&request);
                        if let Some(client) = Self::hang_up(&mut state, request) {
                            client.refused = Some(refusal);
                        }
                    }
                }
            }
            Action::Commit(request) => {
                let Phase::Commit(change, step, next) = &last.functions[&request].phase else {
                    return None;
                };
                if self.commit(&mut state, request, step) {
                    Self::go_on(&mut state, request, *next);
                } else {
                    Self::set(&mut state, request, Phase::Read(*change));
                }
            }
            Action::LoseAnswer(request) => {
                let Phase::Commit(change, step, next) = &last.functions[&request].phase else {
                    return None;
                };
                if !self.commit(&mut state, request, step) {
                    return None;
                }
                Self::set(&mut state, request, Phase::Unsure(*change, step.clone(), *next));
            }
            Action::Repeat(request) => {
                let Phase::Unsure(change, step, next) = &last.functions[&request].phase else {
                    return None;
                };
                if self.rules.one_request_token || self.commit(&mut state, request, step) {
                    Self::go_on(&mut state, request, *next);
                } else {
                    Self::set(&mut state, request, Phase::Read(*change));
                }
            }
            Action::GiveUp(request) => {
                if let Some(client) = state.clients.get_mut(request.0) {
                    client.unrecorded |= client.waits_for == Some(request);
                }
                Self::set(&mut state, request, Phase::LastByte);
                Self::stop_unheard(&mut state, request);
            }
            Action::Kill(request) | Action::CutLast(request) => {
                state.functions.remove(&request);
                Self::hang_up(&mut state, request);
            }
            Action::Deliver(request) => {
                let Phase::Send(start) = last.functions[&request].phase else { return None };
                let length = start.range.length();
                let early = u64::from(!self.rules.last_byte_after_end);
                Self::deliver(&mut state, request, start.range.first, length - 1 + early);
                Self::set(&mut state, request, Phase::Read(Change::Finish(start, length)));
            }
            Action::Cut { request, got, sent } => {
                let Phase::Send(start) = last.functions[&request].phase else { return None };
                if let Some(bytes) = got {
                    Self::deliver(&mut state, request, start.range.first, bytes);
                }
                Self::hang_up(&mut state, request);
                Self::set(&mut state, request, Phase::Read(Change::Finish(start, sent)));
            }
            Action::DeliverLast(request) => {
                state.functions.remove(&request);
                let client = Self::hang_up(&mut state, request)?;
                client.have = self.file.size;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all()
    }
}
