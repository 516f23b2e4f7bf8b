//! What a test expects of the program, and what the program then gets to hear.

use std::fmt;

use super::answer::Answer;
use super::call::Call;
use super::latch::Latch;

/// What happens to a call that no expectation covers, and in which order they count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Live,
    Strict,
    InOrder,
}

struct Expectation {
    call: Call,
    /// None: any number.
    left: Option<usize>,
    answer: Answer,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.left {
            Some(left) => write!(f, "{:?}, {left} more", self.call),
            None => write!(f, "{:?}, any number", self.call),
        }
    }
}

/// The expectations that are still open, in their order.
#[derive(Default)]
pub(super) struct Script {
    mode: Mode,
    open: Vec<Expectation>,
    disturbance: Option<(usize, Answer)>,
    latches: Vec<Latch>,
}

impl Script {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    pub(super) fn expect(&mut self, call: Call, times: Option<usize>, answer: Answer) {
        self.latches.extend(answer.latch.clone());
        if times != Some(0) {
            self.open.push(Expectation { call, left: times, answer });
        }
    }

    pub(super) fn disturb_after(&mut self, requests: usize, answer: Answer) {
        self.disturbance = Some((requests, answer));
    }

    pub(super) fn was_disturbed(&mut self) -> bool {
        self.disturbance.take().is_none()
    }

    /// What this call gets, or the complaint that nobody expected it.
    pub(super) fn answer_to(&mut self, call: Call) -> Result<Answer, String> {
        match self.disturbance.take() {
            Some((0, answer)) => return Ok(answer),
            waiting => self.disturbance = waiting.map(|(requests, answer)| (requests - 1, answer)),
        }
        let found = match self.mode {
            // One with any number may also be passed over.
            Mode::InOrder => {
                let next = self.open.iter().position(|expected| expected.call == call || expected.left.is_some());
                next.filter(|&at| self.open.get(at).is_some_and(|expected| expected.call == call))
            }
            Mode::Live | Mode::Strict => self.open.iter().position(|expected| expected.call == call),
        };
        let Some((at, expected)) = found.and_then(|at| Some((at, self.open.get_mut(at)?))) else {
            return match self.mode {
                Mode::Live => Ok(Answer::served()),
                Mode::Strict | Mode::InOrder => Err(format!("{call:?} was not expected{}", self.still_open())),
            };
        };
        let answer = expected.answer.clone();
        if let Some(left) = &mut expected.left {
            *left -= 1;
            if *left == 0 {
                self.open.remove(at);
            }
        }
        if self.mode == Mode::InOrder {
            self.open.drain(..at);
        }
        Ok(answer)
    }

    fn still_open(&self) -> String {
        let list: Vec<String> = self.open.iter().map(ToString::to_string).collect();
        if list.is_empty() { "; nothing was".to_owned() } else { format!("; expected: {}", list.join("; ")) }
    }

    /// The expected calls that did not come, and forgets them.
    pub(super) fn take_missing(&mut self) -> Vec<String> {
        let missing: Vec<Expectation> = self.open.extract_if(.., |expected| expected.left.is_some()).collect();
        missing.iter().map(|expected| format!("a call did not come: {expected}")).collect()
    }

    pub(super) fn open_latches(&self) {
        self.latches.iter().for_each(Latch::open);
    }
}
