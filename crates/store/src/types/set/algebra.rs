//! Union, intersection and difference of several sets, member by member, so that a caller stops when it has enough.
//!
//! The same set may be there more than once; a key that does not exist is an empty one. Members come in no order.

use super::super::element::Element;
use super::set::{Limits, Set};
use crate::number::Digits;
use std::collections::HashSet;
use std::ptr;

/// Each of the sets once: looking into one again finds nothing new.
fn distinct<'a>(sets: &[&'a Set]) -> Vec<&'a Set> {
    let mut seen = HashSet::new();
    sets.iter().copied().filter(|set| seen.insert(ptr::from_ref(*set))).collect()
}

/// Every member of any of the sets, once.
pub fn union<'a>(sets: &[&'a Set]) -> impl Iterator<Item = Element<'a>> + use<'a> {
    // With few sets it is cheaper to look into those that came before than to remember all members.
    const FEW: usize = 8;
    let mut sets = distinct(sets);
    // The largest first: its members need no look.
    sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let mut seen = (sets.len() > FEW).then(Set::new);
    let each = sets.clone().into_iter().enumerate();
    each.flat_map(|(at, set)| set.iter().map(move |member| (at, member)))
        .filter(move |&(at, member)| match &mut seen {
            Some(seen) => seen.add(member.as_slice(&mut Digits::new()), &Limits::default()),
            None => !sets[..at].iter().any(|set| set.contains_element(member)),
        })
        .map(|(_, member)| member)
}

/// Every member that all of the sets have; none if there are no sets. Looks only for the members of the smallest one.
/// SINTERCARD's limit is a `take` of the result.
pub fn intersection<'a>(sets: &[&'a Set]) -> impl Iterator<Item = Element<'a>> + use<'a> {
    let mut sets = distinct(sets);
    sets.sort_by_key(|set| set.len());
    let smallest = sets.first().copied();
    let others = sets.split_off(sets.len().min(1));
    let members = smallest.into_iter().flat_map(|set| set.iter());
    members.filter(move |&member| others.iter().all(|set| set.contains_element(member)))
}

/// Every member of the first set that none of the others has.
///
/// Either looks for each member of the first in the others, or for each member of the others in the first, whichever
/// Redis's estimate calls cheaper. The second way remembers only those that it finds, where Redis copies the first set.
pub fn difference<'a>(first: &'a Set, others: &[&'a Set]) -> impl Iterator<Item = Element<'a>> + use<'a> {
    let same = others.iter().any(|set| ptr::eq(*set, first));
    let mut others = distinct(others);
    others.retain(|set| !set.is_empty());
    let mut excluded = Set::new();
    let members = others.iter().map(|set| set.len()).sum::<usize>();
    // A member that is excluded needs about half of the looks.
    if !same && first.len().saturating_mul(others.len()) / 2 > first.len() + members {
        for member in others.drain(..).flat_map(|set| set.iter()) {
            if first.contains_element(member) {
                excluded.add(member.as_slice(&mut Digits::new()), &Limits::default());
            }
        }
    }
    // The largest is the likeliest to have it.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let first = (!same).then_some(first).into_iter().flat_map(|set| set.iter());
    first.filter(move |&member| {
        !others.iter().any(|set| set.contains_element(member)) && !excluded.contains_element(member)
    })
}

#[cfg(test)]
#[path = "algebra_tests.rs"]
mod tests;
