//! The protocol of uploads, checked in every history of a small world.
//!
//! Stateright goes through each order in which requests, jobs, the table, S3 and the clock can take
//! their steps, each of which can be the last one of the function that takes it, and looks for a
//! state in which a promise is broken.

mod breaks;
mod promises;
mod world;

use std::collections::BTreeSet;
use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use self::world::{Kind, RULES, Sizes, World};

/// An upload, and so many functions of each kind that do something with it, all at once.
const SMALL: [Sizes; 7] = [
    Sizes { functions: &[Kind::Complete, Kind::Complete, Kind::Check], ticks: 0, resends: false },
    Sizes { functions: &[Kind::Complete, Kind::Abort, Kind::Check], ticks: 0, resends: false },
    Sizes { functions: &[Kind::Complete, Kind::Delete, Kind::Check], ticks: 1, resends: true },
    Sizes { functions: &[Kind::Complete, Kind::Check, Kind::Check], ticks: 1, resends: true },
    Sizes { functions: &[Kind::Complete, Kind::Check, Kind::Remove], ticks: 2, resends: true },
    Sizes { functions: &[Kind::Complete, Kind::Abort, Kind::Remove], ticks: 2, resends: false },
    Sizes { functions: &[Kind::Abort, Kind::Delete, Kind::Remove], ticks: 0, resends: false },
];

/// Whether the large worlds are checked too.
const LARGE_WORLDS: Option<&str> = option_env!("LARGE_WORLDS");

/// Minutes, in an optimised build.
const LARGE: [Sizes; 2] = [
    Sizes {
        functions: &[Kind::Complete, Kind::Complete, Kind::Abort, Kind::Check, Kind::Remove],
        ticks: 2,
        resends: true,
    },
    Sizes {
        functions: &[Kind::Complete, Kind::Delete, Kind::Check, Kind::Check, Kind::Remove],
        ticks: 2,
        resends: true,
    },
];

#[test]
fn every_promise_holds_in_every_history_of_a_small_upload() {
    check(&SMALL);
    if LARGE_WORLDS.is_some() {
        check(&LARGE);
    }
}

/// That no promise is broken, and that whatever should be possible happens.
fn check(worlds: &[Sizes]) {
    let mut unseen = names(&Expectation::Sometimes);
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
        let found = SMALL.into_iter().any(|sizes| {
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
