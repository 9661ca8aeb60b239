//! Looks for what cannot be: in the spirit of Elle's list-append, where the lists themselves tell the order of everything
//! that was appended to them.

use super::graph::Graph;
use super::history::{Content, Operation, Step};
use std::collections::HashMap;

/// What is wrong. Operations are named by their number in the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Anomaly {
    /// It was acknowledged, and is not there.
    Lost { operation: usize, list: usize, value: u64 },
    /// It is there more than once.
    Doubled { list: usize, value: u64 },
    /// Nobody has appended it.
    Unexplained { list: usize, value: u64 },
    /// A part of a transaction is there.
    Torn { operation: usize },
    /// What was read is not how the list began.
    NotAPrefix { operation: usize, list: usize },
    /// A transaction did not read what it had appended itself.
    OwnMissing { operation: usize, list: usize },
    /// Two were told the same number.
    CountedTwice { result: u64 },
    /// The counter is not as often counted up as can be.
    Counter { found: u64, least: u64, most: u64 },
    /// Each of these comes before the next, and the last before the first: no order explains what they were told, and
    /// when.
    Cycle(Vec<usize>),
}

/// Everything that is wrong with a history and what there is in the end.
pub fn anomalies(history: &[Operation], content: &Content) -> Vec<Anomaly> {
    let checker = Checker::new(history, content);
    let mut found = checker.in_lists();
    for (number, operation) in history.iter().enumerate() {
        checker.of_operation(number, operation, &mut found);
    }
    found.extend(checker.of_counter());
    if found.is_empty() {
        found.extend(checker.cycle());
    }
    found
}

struct Checker<'a> {
    history: &'a [Operation],
    content: &'a Content,
    /// Who appended a value, and to which list.
    appended: HashMap<u64, (usize, usize)>,
    /// Where a value is in its list.
    places: HashMap<u64, usize>,
}

impl<'a> Checker<'a> {
    fn new(history: &'a [Operation], content: &'a Content) -> Checker<'a> {
        let mut appended = HashMap::new();
        for (number, operation) in history.iter().enumerate() {
            for (list, value) in operation.appends() {
                assert_eq!(appended.insert(value, (number, list)), None, "two have appended {value}");
            }
        }
        let mut places = HashMap::new();
        for (list, values) in content.lists.iter().enumerate() {
            for (place, value) in values.iter().enumerate() {
                if appended.get(value).is_some_and(|(_, own)| *own == list) {
                    places.entry(*value).or_insert(place);
                }
            }
        }
        Checker { history, content, appended, places }
    }

    fn in_lists(&self) -> Vec<Anomaly> {
        let mut found = Vec::new();
        for (list, values) in self.content.lists.iter().enumerate() {
            for (place, value) in values.iter().enumerate() {
                match self.appended.get(value) {
                    Some((_, own)) if *own == list => {
                        if self.places[value] != place {
                            found.push(Anomaly::Doubled { list, value: *value });
                        }
                    }
                    _ => found.push(Anomaly::Unexplained { list, value: *value }),
                }
            }
        }
        found
    }

    fn of_operation(&self, number: usize, operation: &Operation, found: &mut Vec<Anomaly>) {
        let (there, lost): (Vec<_>, Vec<_>) =
            operation.appends().partition(|(_, value)| self.places.contains_key(value));
        if operation.ended.is_some() {
            found.extend(lost.iter().map(|&(list, value)| Anomaly::Lost { operation: number, list, value }));
        } else if !there.is_empty() && !lost.is_empty() {
            found.push(Anomaly::Torn { operation: number });
        }
        let mut own: Vec<(usize, u64)> = Vec::new();
        for step in &operation.steps {
            match step {
                Step::Append { list, value } => own.push((*list, *value)),
                Step::Read { list, values: Some(values) } => {
                    if !self.content.lists[*list].starts_with(values) {
                        found.push(Anomaly::NotAPrefix { operation: number, list: *list });
                    }
                    let own: Vec<u64> = own.iter().filter(|(at, _)| at == list).map(|(_, value)| *value).collect();
                    if !values.ends_with(&own) {
                        found.push(Anomaly::OwnMissing { operation: number, list: *list });
                    }
                }
                Step::Read { values: None, .. } | Step::Count { .. } => {}
            }
        }
    }

    /// The results that were told, in their order, and who got them.
    fn results(&self) -> Vec<(u64, usize)> {
        let mut results: Vec<(u64, usize)> = Vec::new();
        for (number, operation) in self.history.iter().enumerate() {
            results.extend(operation.steps.iter().filter_map(|step| match step {
                Step::Count { result: Some(result) } => Some((*result, number)),
                _ => None,
            }));
        }
        results.sort_unstable();
        results
    }

    fn of_counter(&self) -> Vec<Anomaly> {
        let results = self.results();
        let twice = results.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        let mut found: Vec<Anomaly> = twice.map(|pair| Anomaly::CountedTwice { result: pair[0].0 }).collect();
        let (mut least, mut most) = (0, 0);
        for operation in self.history {
            let mut appends = operation.appends().peekable();
            let took_place = match (operation.ended, appends.peek()) {
                (Some(_), _) => Some(true),
                // A transaction is there as a whole.
                (None, Some((_, value))) => Some(self.places.contains_key(value)),
                (None, None) => None,
            };
            least += if took_place == Some(true) { operation.counts() } else { 0 };
            most += if took_place == Some(false) { 0 } else { operation.counts() };
        }
        least = least.max(results.last().map_or(0, |(result, _)| *result));
        if !(least..=most).contains(&self.content.counter) {
            found.push(Anomaly::Counter { found: self.content.counter, least, most });
        }
        found
    }

    /// Operations that contradict each other. The history has to be right otherwise.
    fn cycle(&self) -> Option<Anomaly> {
        let mut graph = Graph::default();
        let nodes = self.history.iter().map(|_| graph.node()).collect::<Vec<_>>();
        let appender = |value: &u64| self.appended[value].0;
        for values in &self.content.lists {
            values.windows(2).for_each(|pair| graph.order(appender(&pair[0]), appender(&pair[1])));
        }
        self.results().windows(2).for_each(|pair| graph.order(pair[0].1, pair[1].1));
        for (number, operation) in self.history.iter().enumerate() {
            for step in &operation.steps {
                let Step::Read { list, values: Some(values) } = step else { continue };
                let all = &self.content.lists[*list];
                values.last().into_iter().for_each(|value| graph.order(appender(value), number));
                all.get(values.len()).into_iter().for_each(|value| graph.order(number, appender(value)));
            }
        }
        self.in_real_time(&mut graph);
        let cycle = graph.cycle()?;
        Some(Anomaly::Cycle(cycle.into_iter().filter(|node| *node < nodes.len()).collect()))
    }

    /// What ended before another began comes before it. Points in time are nodes, too, so that each operation needs two
    /// edges and not one to each other.
    fn in_real_time(&self, graph: &mut Graph) {
        let taken_place = |number: &usize| {
            let operation = &self.history[*number];
            operation.ended.is_some() || operation.appends().any(|(_, value)| self.places.contains_key(&value))
        };
        let mut events = Vec::new();
        for number in (0..self.history.len()).filter(taken_place) {
            let Operation { begun, ended, .. } = self.history[number];
            // What ends when another begins is not before it.
            events.push((begun, false, number));
            events.extend(ended.map(|ended| (ended, true, number)));
        }
        events.sort_unstable();
        let mut now = graph.node();
        for (_, is_end, number) in events {
            if is_end {
                let next = graph.node();
                graph.order(now, next);
                graph.order(number, next);
                now = next;
            } else {
                graph.order(now, number);
            }
        }
    }
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
