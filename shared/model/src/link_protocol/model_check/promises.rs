//! What `docs/one-time.md` promises, in every state that the world can be in; and states that it
//! must be able to be in, so that no promise is kept because nothing happens.
//!
//! The promises are about the clients and about what has happened, not about what the link's
//! record says of it.

use stateright::Property;

use super::world::{
    Change, Event, GRACE, LEASE_LIFETIME, LINK_LIFETIME, LeaseName, Phase, Request,
    SECONDS_PER_TICK, State, World, moment,
};
use crate::{
    DownloadRequest, Link, LinkRecords, LinkRefusal, LinkToken, ReceiptEvent, TokenKind,
    TransferOutcome,
};

pub(super) const NO_MORE_THAN_PERMITTED: &str = "no more redemptions than the link permits";
pub(super) const COUNTED: &str = "the link counts its redemptions, and gives each a number";
pub(super) const TOKEN: &str = "the token is there as long as the link can be redeemed";
pub(super) const ONE_START: &str = "a request starts one transfer at most";
pub(super) const OWN_LEASE: &str = "a client that brings its lease redeems the link once at most";
pub(super) const NOT_AFTER_REVOCATION: &str = "nothing starts after the revocation";
pub(super) const NOT_AFTER_THE_END: &str = "nothing starts after the end of the link or the lease";
pub(super) const RESUMES: &str = "each resume is counted, and there are no more than permitted";
pub(super) const ONE_RECEIPT: &str = "each change has one receipt, in a chain without a gap";
pub(super) const IN_ORDER: &str = "the times of the receipts do not go backwards";
pub(super) const NO_BYTE_WITHOUT_RECEIPT: &str = "no byte goes out without a receipt";
pub(super) const WHOLE_OR_LEASE: &str = "a winner has every byte, or a lease until its clock ends";
pub(super) const REASON: &str = "nobody is refused without a reason";
pub(super) const WHOLE_IS_RECORDED: &str = "who has the last byte finds the receipt of its end";
pub(super) const VERIFIED: &str = "whoever verifies the receipts finds nothing wrong";
pub(super) const TOLD_ONCE: &str = "the uploader is told once at most";

type Named = (&'static str, fn(&World, &State) -> bool);

pub(super) fn all() -> Vec<Property<World>> {
    let promised = promised().map(|(name, condition)| Property::always(name, condition));
    let possible = possible().map(|(name, condition)| Property::sometimes(name, condition));
    promised.into_iter().chain(possible).collect()
}

fn promised() -> [Named; 16] {
    [
        (NO_MORE_THAN_PERMITTED, |world, state| {
            redemptions(state).count() <= world.sizes.max_downloads as usize
        }),
        (COUNTED, |_, state| {
            let numbers = redemptions(state).map(|(_, download)| download);
            numbers.eq(1..=state.link.0.downloads)
        }),
        (TOKEN, |world, state| {
            let revoked = state
                .history
                .iter()
                .any(|event| is_revocation(event) && event.step.0.at < moment(LINK_LIFETIME));
            let used = redemptions(state).count() == world.sizes.max_downloads as usize;
            // The revocation of a link whose time was over already has nothing to delete.
            let spendable = !used && !revoked;
            state.token == spendable
        }),
        (ONE_START, |_, state| {
            let starts: Vec<_> =
                state.history.iter().filter(|it| is_start(it)).map(|it| it.request).collect();
            starts.iter().enumerate().all(|(place, request)| !starts[..place].contains(request))
        }),
        (OWN_LEASE, |world, state| {
            world.sizes.clients.iter().enumerate().all(|(it, (own, _))| {
                !own || redemptions(state).filter(|(event, _)| event.request.0 == it).count() <= 1
            })
        }),
        (NOT_AFTER_REVOCATION, |_, state| {
            let mut after = state.history.iter().skip_while(|event| !is_revocation(event));
            !after.any(is_start)
        }),
        (NOT_AFTER_THE_END, |_, state| {
            state.history.iter().all(|event| match (&event.step.0.event, event.lease) {
                (ReceiptEvent::Redeemed(_), _) => event.step.0.at < moment(LINK_LIFETIME),
                (ReceiptEvent::Resumed(_), Some(lease)) => redemption(state, lease)
                    .is_some_and(|start| event.step.0.at < moment(tick(start) + LEASE_LIFETIME)),
                _ => true,
            })
        }),
        (RESUMES, |world, state| {
            state.leases.iter().all(|(name, lease)| {
                let resumes = resumes(state, *name);
                lease.resumes == resumes && resumes <= world.sizes.resumes
            })
        }),
        (ONE_RECEIPT, |_, state| {
            let mut last = None;
            let gapless = state.receipts.iter().zip(1..).all(|((number, (before, own)), place)| {
                let follows = (*number, *before) == (place, last);
                last = Some(*own);
                follows
            });
            let chain = state.link.0.chain;
            gapless
                && state.receipts.len() == state.history.len()
                && (chain.receipts as usize, chain.hash) == (state.receipts.len(), last)
        }),
        (IN_ORDER, |_, state| state.history.is_sorted_by_key(|event| event.step.0.at)),
        (NO_BYTE_WITHOUT_RECEIPT, |_, state| {
            state.clients.iter().enumerate().all(|(it, client)| client.have <= permitted(state, it))
        }),
        (WHOLE_OR_LEASE, |world, state| {
            state.clients.iter().all(|client| {
                let won = client.lease.filter(|lease| redemption(state, *lease).is_some());
                won.is_none_or(|lease| {
                    let stored = state.leases.get(&lease);
                    client.have == world.sizes.bytes
                        || stored.is_some_and(|stored| stored.is_live(moment(state.clock)))
                        || is_over(world, state, lease)
                        || state.history.iter().any(is_revocation)
                })
            })
        }),
        (REASON, |_, state| state.wronged.is_none()),
        (WHOLE_IS_RECORDED, |world, state| {
            state.clients.iter().enumerate().all(|(it, client)| {
                client.have < world.sizes.bytes
                    || client.unrecorded
                    || starts_of(state, it).any(|(start, request)| {
                        bytes_sent(state, start) == Some(request.range.length())
                    })
            })
        }),
        (VERIFIED, |world, state| !world.sizes.verified || is_verified(world, state)),
        (TOLD_ONCE, |_, state| state.notices <= 1),
    ]
}

fn possible() -> [Named; 11] {
    [
        ("two clients have the file", |world, state| {
            state.clients.iter().filter(|client| client.have == world.sizes.bytes).count() == 2
        }),
        ("a client has the file after a break", |world, state| {
            state.clients.iter().any(|it| it.have == world.sizes.bytes && it.asked > 1)
        }),
        ("a client resumes in the grace", |_, state| {
            state.history.iter().any(|event| {
                let sent = event.lease.and_then(|lease| completion(state, lease));
                let resumed = matches!(event.step.0.event, ReceiptEvent::Resumed(_));
                resumed && sent.is_some_and(|sent| number(sent) < number(event))
            })
        }),
        ("a client without a lease wins and does not know it", |_, state| {
            redemptions(state).any(|(event, _)| {
                let client = &state.clients[event.request.0];
                client.refused == Some(LinkRefusal::Used) && client.lease.is_none()
            })
        }),
        ("two functions serve the same lease", |_, state| {
            let leases: Vec<_> = state.functions.values().filter_map(|it| it.lease).collect();
            leases.iter().enumerate().any(|(place, lease)| leases[..place].contains(lease))
        }),
        ("a transfer ends after the revocation", |_, state| {
            let mut after = state.history.iter().skip_while(|event| !is_revocation(event));
            after.any(|event| matches!(event.step.0.event, ReceiptEvent::Ended { .. }))
        }),
        ("an answer is lost at the start", |_, state| {
            state
                .functions
                .values()
                .any(|it| matches!(it.phase, Phase::Unsure(Change::Start(_), ..)))
        }),
        ("a client is told that the link is used", |_, state| refused(state, LinkRefusal::Used)),
        ("a client is told that the link has expired", |_, state| {
            refused(state, LinkRefusal::Expired)
        }),
        ("a client is told that the link is revoked", |_, state| {
            refused(state, LinkRefusal::Revoked)
        }),
        ("a client is told that its lease is over", |_, state| {
            refused(state, LinkRefusal::LeaseEnded)
        }),
    ]
}

/// Whether what has happened is a reason to refuse this request.
pub(super) fn refusal_has_a_reason(
    world: &World,
    state: &State,
    request: Request,
    refusal: LinkRefusal,
) -> bool {
    let Some(lease) = state.functions.get(&request).and_then(|it| it.lease) else { return false };
    let won = redemption(state, lease).is_some();
    match refusal {
        LinkRefusal::Revoked => state.history.iter().any(is_revocation),
        LinkRefusal::LeaseEnded => won && is_over(world, state, lease),
        LinkRefusal::Used => {
            !won && redemptions(state).count() == world.sizes.max_downloads as usize
        }
        LinkRefusal::Expired => !won && state.clock >= LINK_LIFETIME,
    }
}

/// Whether `verify-receipts` would find nothing wrong.
fn is_verified(world: &World, state: &State) -> bool {
    let expires_at = moment(LINK_LIFETIME).as_second();
    let token = LinkToken { kind: TokenKind::Download, user_id: world.maker.id, expires_at };
    let records = LinkRecords {
        link: Some(Link::clone(&state.link.0)),
        receipts: state.history.iter().map(|event| event.receipt.0.as_ref().clone()).collect(),
        token: state.token.then_some(token),
        leases: state.leases.values().cloned().collect(),
        ..LinkRecords::default()
    };
    records.verify(world.file.id, &state.link.0.id, moment(state.clock)).is_ok()
}

/// Whether the time of a lease, or its resumes, have come to their end.
fn is_over(world: &World, state: &State, lease: LeaseName) -> bool {
    let ends = redemption(state, lease).map(|start| tick(start) + LEASE_LIFETIME);
    let grace_ends = completion(state, lease).map(|end| tick(end) + GRACE);
    let by_clock = [ends, grace_ends].into_iter().flatten().any(|end| end <= state.clock);
    by_clock || resumes(state, lease) == world.sizes.resumes
}

/// The events that redeemed the link, and the number of each of the downloads.
fn redemptions(state: &State) -> impl Iterator<Item = (&Event, u32)> {
    state.history.iter().filter_map(|event| match &event.step.0.event {
        ReceiptEvent::Redeemed(request) => Some((event, request.download)),
        _ => None,
    })
}

fn redemption(state: &State, lease: LeaseName) -> Option<&Event> {
    redemptions(state).map(|(event, _)| event).find(|event| event.lease == Some(lease))
}

/// The first event with which every byte had been sent to who has this lease.
fn completion(state: &State, lease: LeaseName) -> Option<&Event> {
    state.history.iter().find(|event| {
        let completed = TransferOutcome::Completed;
        event.lease == Some(lease)
            && matches!(event.step.0.event, ReceiptEvent::Ended { outcome, .. } if outcome == completed)
    })
}

fn resumes(state: &State, lease: LeaseName) -> u32 {
    let of_lease = state.history.iter().filter(|event| event.lease == Some(lease));
    of_lease.map(|event| u32::from(matches!(event.step.0.event, ReceiptEvent::Resumed(_)))).sum()
}

/// How many bytes may have gone out to a client, as its receipts say.
fn permitted(state: &State, client: usize) -> u64 {
    let bytes = starts_of(state, client)
        .map(|(start, request)| bytes_sent(state, start).unwrap_or(request.range.length()));
    bytes.sum()
}

/// The transfers to a client, and what was asked for.
fn starts_of(state: &State, client: usize) -> impl Iterator<Item = (&Event, &DownloadRequest)> {
    let own = state.history.iter().filter(move |event| event.request.0 == client);
    own.filter_map(|event| match &event.step.0.event {
        ReceiptEvent::Redeemed(request) | ReceiptEvent::Resumed(request) => Some((event, request)),
        _ => None,
    })
}

/// What the receipt of a transfer's end says, if there is one.
fn bytes_sent(state: &State, start: &Event) -> Option<u64> {
    state.history.iter().find_map(|event| match event.step.0.event {
        ReceiptEvent::Ended { begun, bytes, .. } if begun == number(start) => Some(bytes),
        _ => None,
    })
}

fn is_start(event: &Event) -> bool {
    matches!(event.step.0.event, ReceiptEvent::Redeemed(_) | ReceiptEvent::Resumed(_))
}

fn is_revocation(event: &Event) -> bool {
    matches!(event.step.0.event, ReceiptEvent::Revoked { .. })
}

/// The number of the event's receipt.
fn number(event: &Event) -> u32 {
    event.step.0.link.chain.receipts + 1
}

/// When it happened.
fn tick(event: &Event) -> i64 {
    (event.step.0.at.as_second() - moment(0).as_second()) / SECONDS_PER_TICK
}

fn refused(state: &State, refusal: LinkRefusal) -> bool {
    state.clients.iter().any(|client| client.refused == Some(refusal))
}
