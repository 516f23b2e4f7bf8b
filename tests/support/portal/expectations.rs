//! The calls that a test expects, and the answers to them.

use std::fmt;

use super::answer::Answer;
use super::call::Call;
use super::latch::Latch;

/// What happens to a call without an expectation, and whether the order of expectations matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is served.
    #[default]
    Live,
    /// It is a complaint.
    Strict,
    /// The same, and calls of different kinds must arrive in the order of the expectations.
    InOrder,
}

struct Expectation {
    call: Call,
    /// How many calls are still expected. None: any number.
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

/// The open expectations, in order.
#[derive(Default)]
pub(super) struct Expectations {
    mode: Mode,
    open: Vec<Expectation>,
    /// The answer to give after this many further requests.
    injected: Option<(usize, Answer)>,
    latches: Vec<Latch>,
}

impl Expectations {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    pub(super) fn expect(&mut self, call: Call, times: Option<usize>, answer: Answer) {
        self.latches.extend(answer.latch.clone());
        if times != Some(0) {
            self.open.push(Expectation { call, left: times, answer });
        }
    }

    pub(super) fn inject_after(&mut self, requests: usize, answer: Answer) {
        self.injected = Some((requests, answer));
    }

    pub(super) fn cancel_injected(&mut self) -> bool {
        self.injected.take().is_none()
    }

    /// The answer to this call, or the complaint that it was not expected.
    pub(super) fn answer_to(&mut self, call: Call) -> Result<Answer, String> {
        match self.injected.take() {
            Some((0, answer)) => return Ok(answer),
            pending => self.injected = pending.map(|(requests, answer)| (requests - 1, answer)),
        }
        let found = match self.mode {
            // An expectation of any number of calls may be skipped.
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

    /// Takes the expected calls that did not arrive, as complaints.
    pub(super) fn take_missing(&mut self) -> Vec<String> {
        let missing: Vec<Expectation> = self.open.extract_if(.., |expected| expected.left.is_some()).collect();
        missing.iter().map(|expected| format!("a call did not arrive: {expected}")).collect()
    }

    pub(super) fn open_latches(&self) {
        self.latches.iter().for_each(Latch::open);
    }
}
