//! How far a transfer is, for whoever watches.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{Output, plain};

/// The bars of a command.
#[derive(Clone)]
pub(crate) struct Progress(MultiProgress);

impl Progress {
    pub(crate) fn new(output: Output) -> Self {
        let bars = MultiProgress::new();
        if !output.shows_progress() {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self(bars)
    }

    /// A bar for so many bytes of `name`, of which `done` are not to be sent or fetched any more.
    pub(crate) fn bytes(&self, name: &str, size: u64, done: u64) -> ProgressBar {
        let bar = ProgressBar::new(size).with_style(style(
            "{wide_msg} {bar:16} {percent:>3} %  {decimal_bytes}/{decimal_total_bytes}  \
             {decimal_bytes_per_sec}  {eta} left",
        ));
        let bar = bar.with_message(plain(name)).with_position(done);
        bar.reset_eta();
        self.0.add(bar)
    }

    /// A bar for so many files.
    pub(crate) fn files(&self, count: usize) -> ProgressBar {
        let bar = ProgressBar::new(count as u64);
        let bar = bar.with_style(style("{bar:24} {pos}/{len} files  {eta} left"));
        self.0.add(bar)
    }
}

/// A remark on a bar, while it waits.
pub(crate) fn remark(bar: &ProgressBar, name: &str, what: &str) {
    bar.set_message(format!("{}: {what}", plain(name)));
}

#[expect(
    clippy::expect_used,
    reason = "the templates are constants, which every test of a bar sees"
)]
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a template")
}
