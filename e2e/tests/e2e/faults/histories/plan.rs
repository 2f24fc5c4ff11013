//! What happens in a history, as its seed decides it.

use fastrand::Rng;

/// Sizes of the files: one byte, one packet, several frames, more than the embedded S3 reads at
/// once.
pub(super) const SIZES: [usize; 5] = [1, 2, 1_000, 70_000, 300_000];

#[derive(Debug)]
pub(super) struct Plan {
    /// Which of the files of [`SIZES`].
    pub(super) file: usize,
    pub(super) max_downloads: usize,
    pub(super) clients: Vec<ClientPlan>,
    /// Revoke the link after so many requests of all clients together.
    pub(super) revoke_after: Option<usize>,
}

#[derive(Debug)]
pub(super) struct ClientPlan {
    /// Whether it brings a lease of its own.
    pub(super) own_lease: bool,
    /// After how many bytes of each answer, head included, the client's connection is cut.
    pub(super) cuts: Vec<usize>,
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let file = random.usize(..SIZES.len());
        let size = SIZES[file];
        let clients = match random.u32(..100) {
            0..60 => random.usize(1..=3),
            60..97 => random.usize(4..=10),
            _ => random.usize(11..=64),
        };
        let clients = (0..clients).map(|_| ClientPlan {
            own_lease: random.bool(),
            cuts: (0..random.usize(..4)).map(|_| cut(&mut random, size)).collect(),
        });
        let clients: Vec<_> = clients.collect();
        let max_downloads = if random.u32(..100) < 70 { 1 } else { random.usize(2..=6) };
        let revoke_after = (random.u32(..100) < 10).then(|| random.usize(..clients.len() * 2));
        Self { file, max_downloads, clients, revoke_after }
    }
}

/// Anywhere: before the answer, in its head, in its body, in its last bytes.
fn cut(random: &mut Rng, size: usize) -> usize {
    const HEAD: usize = 800;
    match random.u32(..4) {
        0 => 0,
        1 => random.usize(..HEAD),
        2 => HEAD + random.usize(..size),
        _ => HEAD + size.saturating_sub(random.usize(..20)),
    }
}
