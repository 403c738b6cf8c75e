//! A pull's progress: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_worker::models::{Progress, Step};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

const REDRAW_EVERY: Duration = Duration::from_millis(120);

pub(super) struct Bars {
    screen: MultiProgress,
    by_model: Mutex<HashMap<String, ProgressBar>>,
    terminal: bool,
}

impl Bars {
    pub(super) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        Self { screen: MultiProgress::new(), by_model: Mutex::default(), terminal }
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        if self.terminal {
            // A line that can't be shown is no reason to stop a pull.
            let _ = self.screen.println(line);
        } else {
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    pub(super) fn finish(&self) {
        let _ = self.screen.clear();
    }

    fn bar(&self, model: &str) -> ProgressBar {
        let mut bars = self.by_model.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(model.to_owned()).or_insert_with(|| {
            let bar = self.screen.add(ProgressBar::new_spinner().with_style(spinner()));
            bar.set_prefix(model.to_owned());
            bar.enable_steady_tick(REDRAW_EVERY);
            bar
        });
        bar.clone()
    }

    fn close(&self, model: &str) {
        let bar = self.by_model.lock().unwrap_or_else(PoisonError::into_inner).remove(model);
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
    }

    fn draw(&self, model: &str, draw: impl FnOnce(&ProgressBar)) {
        if self.terminal {
            draw(&self.bar(model));
        }
    }
}

impl Progress for Bars {
    fn tell(&self, model: &str, step: Step<'_>) {
        match step {
            Step::Waiting => self.say("another pull works in the same folder; waiting for it to end"),
            Step::Present => {}
            Step::Trying { source } if self.terminal => self.draw(model, |bar| {
                bar.set_style(spinner());
                bar.set_position(0);
                bar.set_message(source.to_owned());
            }),
            Step::Trying { source } => self.say(&format!("{model}: trying {source}")),
            Step::Fetched { bytes, total } => self.draw(model, |bar| {
                if let Some(total) = total {
                    bar.set_style(measured());
                    bar.set_length(total);
                }
                bar.set_position(bytes);
            }),
            Step::Failed { source, reason } => self.say(&format!("{model}: {source}: {reason}")),
            Step::Building => self.draw(model, |bar| bar.set_message("joining and verifying")),
            Step::Installed => {
                self.close(model);
                self.say(&format!("{model}: verified and in place"));
            }
        }
    }
}

fn spinner() -> ProgressStyle {
    style("{spinner} {prefix:28} {bytes:>10} {bytes_per_sec:>12}  {wide_msg}")
}

fn measured() -> ProgressStyle {
    style(
        "{spinner} {prefix:28} {bytes:>10} of {total_bytes} [{bar:24}] {bytes_per_sec:>12} {eta:>4}  {wide_msg}",
    )
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is fixed, otherwise this is a bug")
}
