//! What happens in a history, as its seed decides it.

use fastrand::Rng;

#[derive(Debug)]
pub(super) struct Plan {
    /// Whether the client says the digest of the file when it begins.
    pub(super) promised: bool,
    pub(super) actors: Vec<Vec<Act>>,
}

/// What an actor does, and after how many milliseconds it stops waiting for the answer, if it does
/// not wait for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act {
    pub(super) what: What,
    pub(super) patience: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Asks for the request that brings the part, and sends it.
    Send,
    /// The same with other bytes of that length.
    SendOthers,
    /// Other bytes with the request for the right ones.
    SendWrong,
    Show,
    Complete,
    Abort,
    Delete,
    /// The event that the object is there comes, whether or not it is.
    Check,
    /// The schedules come.
    Schedules,
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let promised = random.bool();
        // An upload that is given up or deleted now and then only, so that most have something to lose.
        let (gives_up, deletes) = (random.u32(..100) < 40, random.u32(..100) < 20);
        let mut actors = vec![vec![act(&mut random, What::Send), act(&mut random, What::Complete)]];
        for _ in 0..random.usize(..4) {
            let length = random.usize(1..=6);
            let acts = (0..length).map(|_| {
                let what = match random.u32(..100) {
                    0..25 => What::Send,
                    25..32 => What::SendOthers,
                    32..40 => What::SendWrong,
                    40..48 => What::Show,
                    48..58 if gives_up => What::Abort,
                    58..64 if deletes => What::Delete,
                    64..74 => What::Check,
                    74..78 => What::Schedules,
                    _ => What::Complete,
                };
                act(&mut random, what)
            });
            actors.push(acts.collect());
        }
        Self { promised, actors }
    }
}

fn act(random: &mut Rng, what: What) -> Act {
    Act { what, patience: (random.u32(..100) < 15).then(|| random.u64(..40)) }
}
