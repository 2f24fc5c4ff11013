//! The protocol, checked in every history of a small world.
//!
//! Stateright goes through each order in which clients, functions, the table, the network and the
//! clock can take their steps, and looks for a state in which a promise is broken.

mod breaks;
mod promises;
mod world;

use std::collections::BTreeSet;
use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use self::world::{RULES, Sizes, World};

const ONE: Sizes = Sizes {
    clients: &[(true, 2)],
    max_downloads: 1,
    resumes: 1,
    bytes: 1,
    ticks: 0,
    revocation: false,
    verified: false,
};

/// Small enough for every run of the tests.
const SMALL: [Sizes; 9] = [
    Sizes { clients: &[(false, 2)], verified: true, ..ONE },
    Sizes { bytes: 2, verified: true, ..ONE },
    Sizes { max_downloads: 2, ..ONE },
    Sizes { clients: &[(true, 1), (true, 1)], max_downloads: 2, ..ONE },
    Sizes { clients: &[(true, 2), (false, 1)], ..ONE },
    Sizes { clients: &[(true, 1), (false, 1)], ticks: 1, revocation: true, ..ONE },
    Sizes { revocation: true, ..ONE },
    Sizes { ticks: 3, ..ONE },
    Sizes { clients: &[(true, 3)], ..ONE },
];

/// The lease can be used twice before its end: needed to see that a rule is broken.
const TWO_RESUMES_IN_TIME: Sizes = Sizes { clients: &[(true, 3)], resumes: 2, ticks: 2, ..ONE };

/// Whether the large worlds are checked too.
const LARGE_WORLDS: Option<&str> = option_env!("LARGE_WORLDS");

/// Minutes, in an optimised build.
const LARGE: [Sizes; 5] = [
    Sizes { clients: &[(true, 3)], bytes: 3, resumes: 2, ..ONE },
    Sizes { ticks: 3, revocation: true, ..ONE },
    Sizes { clients: &[(true, 2), (false, 2)], ..ONE },
    Sizes { clients: &[(true, 2), (true, 1)], max_downloads: 2, ..ONE },
    Sizes { clients: &[(true, 1), (true, 1), (false, 1)], max_downloads: 2, ..ONE },
];

#[test]
fn every_promise_holds_in_every_history_of_a_small_world() {
    check(&SMALL);
    if LARGE_WORLDS.is_some() {
        check(&LARGE);
    }
}

/// That no promise is broken, and that whatever should be possible happens.
fn check(worlds: &[Sizes]) {
    let mut unseen: BTreeSet<_> = names(&Expectation::Sometimes);
    for sizes in worlds {
        let begun = Instant::now();
        let checker = World::new(sizes.clone(), RULES).checker().threads(2).spawn_bfs().join();
        for (name, path) in checker.discoveries() {
            let possible = unseen.remove(name)
                || checker.model().property(name).expectation == Expectation::Sometimes;
            assert!(possible, "{name}: {sizes:?}, {:?}", path.into_actions());
        }
        println!(
            "{} states, {} of them different, {:.1?}: {sizes:?}",
            checker.state_count(),
            checker.unique_state_count(),
            begun.elapsed(),
        );
    }
    assert!(unseen.is_empty(), "it never happens that {unseen:?}");
}

#[test]
fn a_rule_that_is_broken_breaks_a_promise_and_each_promise_is_broken_by_a_rule() {
    let mut kept = names(&Expectation::Always);
    for it in breaks::all() {
        let found = SMALL.into_iter().chain([TWO_RESUMES_IN_TIME]).any(|sizes| {
            let wanted = HasDiscoveries::AllOf([it.broken].into());
            let checker = World::new(sizes, it.rules.clone()).checker().finish_when(wanted);
            checker.threads(2).spawn_bfs().join().discoveries().contains_key(it.broken)
        });
        assert!(found, "{}, and {:?} is not broken", it.what, it.broken);
        kept.remove(it.broken);
    }
    assert!(kept.is_empty(), "no broken rule breaks {kept:?}");
}

fn names(expectation: &Expectation) -> BTreeSet<&'static str> {
    let properties = promises::all().into_iter();
    properties.filter(|it| it.expectation == *expectation).map(|it| it.name).collect()
}
