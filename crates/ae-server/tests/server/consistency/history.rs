//! What clients did, and what they were told.

/// Nanoseconds since the history began.
pub type Time = u64;

/// What is done at once: one request, or a transaction.
#[derive(Clone, Debug)]
pub struct Operation {
    pub steps: Vec<Step>,
    pub begun: Time,
    /// When it was acknowledged. None: nobody knows whether it took place.
    pub ended: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// RPUSH of a value that nobody else appends.
    Append { list: usize, value: u64 },
    /// LRANGE of everything. None while it is not known what was read.
    Read { list: usize, values: Option<Vec<u64>> },
    /// INCR of the only counter.
    Count { result: Option<u64> },
}

impl Operation {
    /// Nobody was told how it ended.
    pub fn forget(&mut self) {
        self.ended = None;
        for step in &mut self.steps {
            match step {
                Step::Append { .. } => {}
                Step::Read { values, .. } => *values = None,
                Step::Count { result } => *result = None,
            }
        }
    }

    /// What it appended, and where.
    pub fn appends(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.steps.iter().filter_map(|step| match step {
            Step::Append { list, value } => Some((*list, *value)),
            _ => None,
        })
    }

    /// How often it counted.
    pub fn counts(&self) -> u64 {
        self.steps.iter().filter(|step| matches!(step, Step::Count { .. })).count() as u64
    }
}

/// What there is in the end.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Content {
    pub lists: Vec<Vec<u64>>,
    pub counter: u64,
}
