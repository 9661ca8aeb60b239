//! Histories that are made up, good ones and bad ones.

use super::*;

fn append(list: usize, value: u64) -> Step {
    Step::Append { list, value }
}

fn read(list: usize, values: &[u64]) -> Step {
    Step::Read { list, values: Some(values.to_vec()) }
}

fn count(result: u64) -> Step {
    Step::Count { result: Some(result) }
}

fn operation(begun: u64, ended: u64, steps: &[Step]) -> Operation {
    Operation { steps: steps.to_vec(), begun, ended: Some(ended) }
}

/// One that nobody was told the end of.
fn unknown(begun: u64, steps: &[Step]) -> Operation {
    let mut operation = operation(begun, 0, steps);
    operation.forget();
    operation
}

fn found(history: &[Operation], lists: &[&[u64]], counter: u64) -> Vec<Anomaly> {
    let lists = lists.iter().map(|values| values.to_vec()).collect();
    anomalies(history, &Content { lists, counter })
}

#[test]
fn nothing_is_wrong_with_what_can_be() {
    let history = [
        operation(0, 10, &[append(0, 1), append(1, 2), count(1)]),
        // They run at the same time, and either may be the first.
        operation(11, 20, &[append(0, 3), read(0, &[1, 4, 3])]),
        operation(12, 19, &[read(1, &[2]), append(0, 4), count(2)]),
        // Took place, and did not.
        unknown(13, &[append(0, 5), append(1, 6), count(0)]),
        unknown(14, &[append(0, 7), append(1, 8), count(0)]),
        unknown(15, &[count(0)]),
        operation(21, 30, &[read(0, &[1, 4, 3]), read(1, &[2])]),
    ];
    for counter in [3, 4] {
        assert_eq!(found(&history, &[&[1, 4, 3, 5], &[2, 6]], counter), []);
    }
    assert_eq!(found(&[], &[&[]], 0), []);
}

#[test]
fn what_was_acknowledged_is_there() {
    let history = [operation(0, 1, &[append(0, 1)]), operation(2, 3, &[append(0, 2)])];
    assert_eq!(found(&history, &[&[1]], 0), [Anomaly::Lost { operation: 1, list: 0, value: 2 }]);
    assert_eq!(found(&[unknown(0, &[append(0, 1)])], &[&[]], 0), []);
}

#[test]
fn it_is_there_once() {
    let history = [operation(0, 1, &[append(0, 1)]), operation(2, 3, &[append(0, 2)])];
    assert_eq!(found(&history, &[&[1, 2, 1]], 0), [Anomaly::Doubled { list: 0, value: 1 }]);
    // Also what nobody waits for.
    assert_eq!(found(&[unknown(0, &[append(0, 1)])], &[&[1, 1]], 0), [Anomaly::Doubled { list: 0, value: 1 }]);
}

#[test]
fn nothing_is_there_that_nobody_appended() {
    let history = [operation(0, 1, &[append(0, 1)])];
    assert_eq!(found(&history, &[&[1], &[9]], 0), [Anomaly::Unexplained { list: 1, value: 9 }]);
    let elsewhere = [Anomaly::Unexplained { list: 1, value: 1 }, Anomaly::Lost { operation: 0, list: 0, value: 1 }];
    assert_eq!(found(&history, &[&[], &[1]], 0), elsewhere);
}

#[test]
fn a_transaction_is_there_as_a_whole_or_not_at_all() {
    let history = [unknown(0, &[append(0, 1), append(1, 2)])];
    assert_eq!(found(&history, &[&[1], &[]], 0), [Anomaly::Torn { operation: 0 }]);
    assert_eq!(found(&history, &[&[], &[2]], 0), [Anomaly::Torn { operation: 0 }]);
    // Something that came between its parts.
    let history = [operation(0, 9, &[append(0, 1), append(0, 2)]), operation(1, 8, &[append(0, 3)])];
    assert!(matches!(found(&history, &[&[1, 3, 2]], 0)[..], [Anomaly::Cycle(_)]));
    // Seen in one list and not in the other.
    let history = [operation(0, 9, &[append(0, 1), append(1, 2)]), operation(1, 8, &[read(0, &[1]), read(1, &[])])];
    assert!(matches!(found(&history, &[&[1], &[2]], 0)[..], [Anomaly::Cycle(_)]));
}

#[test]
fn what_was_read_stays_as_it_was() {
    let appends = [operation(0, 9, &[append(0, 1)]), operation(1, 8, &[append(0, 2)])];
    let history = [&appends[..], &[operation(10, 11, &[read(0, &[2, 1])])]].concat();
    assert_eq!(found(&history, &[&[1, 2]], 0), [Anomaly::NotAPrefix { operation: 2, list: 0 }]);
    // It was there for a reader, and then it was gone.
    let history = [unknown(0, &[append(0, 1)]), operation(1, 2, &[read(0, &[1])])];
    assert_eq!(found(&history, &[&[]], 0), [Anomaly::NotAPrefix { operation: 1, list: 0 }]);
    let history = [operation(0, 9, &[append(0, 1), read(0, &[])])];
    assert_eq!(found(&history, &[&[1]], 0), [Anomaly::OwnMissing { operation: 0, list: 0 }]);
}

#[test]
fn what_ended_before_comes_before() {
    let history = [operation(0, 1, &[append(0, 1)]), operation(2, 3, &[append(0, 2)])];
    assert!(matches!(found(&history, &[&[2, 1]], 0)[..], [Anomaly::Cycle(_)]), "reordered");
    let history = [operation(0, 1, &[append(0, 1)]), operation(2, 3, &[read(0, &[])])];
    assert!(matches!(found(&history, &[&[1]], 0)[..], [Anomaly::Cycle(_)]), "a stale read");
    let history = [operation(2, 3, &[read(0, &[1])]), operation(4, 5, &[append(0, 1)])];
    assert!(matches!(found(&history, &[&[1]], 0)[..], [Anomaly::Cycle(_)]), "read before it was written");
    let history = [operation(0, 1, &[count(2)]), operation(2, 3, &[count(1)])];
    assert!(matches!(found(&history, &[], 2)[..], [Anomaly::Cycle(_)]), "counted backwards");
}

#[test]
fn orders_agree_between_lists() {
    // Each saw the list before the other one's append, as no order allows.
    let history = [operation(0, 9, &[read(0, &[]), append(1, 1)]), operation(1, 8, &[read(1, &[]), append(0, 2)])];
    assert_eq!(found(&history, &[&[2], &[1]], 0), [Anomaly::Cycle(vec![0, 1])]);
}

#[test]
fn the_counter_is_as_high_as_it_was_counted() {
    let history = [operation(0, 1, &[count(1)]), operation(2, 3, &[count(1)])];
    assert_eq!(found(&history, &[], 2), [Anomaly::CountedTwice { result: 1 }]);
    let history = [operation(0, 1, &[count(1)]), operation(2, 3, &[count(2)]), unknown(4, &[count(0)])];
    assert_eq!(found(&history, &[], 1), [Anomaly::Counter { found: 1, least: 2, most: 3 }]);
    assert_eq!(found(&history, &[], 4), [Anomaly::Counter { found: 4, least: 2, most: 3 }]);
    // The list tells that it took place, so that it must have counted.
    let history = [unknown(4, &[append(0, 1), count(0)])];
    assert_eq!(found(&history, &[&[1]], 0), [Anomaly::Counter { found: 0, least: 1, most: 1 }]);
    assert_eq!(found(&history, &[&[]], 1), [Anomaly::Counter { found: 1, least: 0, most: 0 }]);
}
