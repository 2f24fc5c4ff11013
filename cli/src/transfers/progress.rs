//! How far a transfer is, for whoever watches.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use crate::api::now;
use crate::output::{Output, moment, plain};

/// The bars of a command.
pub(crate) struct Progress {
    bars: MultiProgress,
    output: Output,
    /// Until when the command waits, as it was said last, in seconds since 1970.
    waits_until: AtomicI64,
}

impl Progress {
    pub(crate) fn new(output: Output) -> Self {
        let bars = MultiProgress::new();
        if !output.shows_progress() {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bars, output, waits_until: 0.into() }
    }

    /// A bar for so many bytes of `name`, of which `done` are not to be sent or fetched any more.
    pub(crate) fn bytes(&self, name: &str, size: u64, done: u64) -> ProgressBar {
        let bar = ProgressBar::new(size).with_style(style(
            "{wide_msg} {bar:16} {percent:>3} %  {decimal_bytes}/{decimal_total_bytes}  \
             {decimal_bytes_per_sec}  {eta} left",
        ));
        let bar = bar.with_message(plain(name)).with_position(done);
        bar.reset_eta();
        self.bars.add(bar)
    }

    /// A bar for so many files.
    pub(crate) fn files(&self, count: usize) -> ProgressBar {
        let bar = ProgressBar::new(count as u64);
        let bar = bar.with_style(style("{bar:24} {pos}/{len} files  {eta} left"));
        self.bars.add(bar)
    }

    /// Says that the command waits because the service, or S3, wants to be asked again after this
    /// time: once, however many parts of it wait.
    pub(crate) fn say_waiting(&self, why: &str, asked: Duration) {
        let now = now();
        let until = now.saturating_add_unsigned(asked.as_secs());
        let Ok(at) = Timestamp::from_second(until) else { return };
        if self.waits_until.fetch_max(until, Ordering::Relaxed) <= now {
            let line = format!("{}. Waiting until {}.", plain(why), moment(at));
            self.bars.suspend(|| self.output.say(line));
        }
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
