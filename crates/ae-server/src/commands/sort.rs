//! SORT and SORT_RO: the elements of a list, a set or a sorted set in another order, or what they are the names of.

use crate::acl::check::reads_every_key;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR, WRONG_TYPE, c_text};
use crate::db::event::Event;
use std::cmp::Ordering;
use std::ops::Range;
use store::types::hash::Hash;
use store::types::list::{End, List};
use store::types::zset::{Score, SortedSet};
use store::{Digits, ValueRef};

pub fn sort(ctx: &mut Context<'_>) -> Outcome {
    let options = Options::parse(ctx, true)?;
    run(ctx, options)
}

pub fn sort_ro(ctx: &mut Context<'_>) -> Outcome {
    let options = Options::parse(ctx, false)?;
    run(ctx, options)
}

#[derive(Default)]
struct Options<'a> {
    descending: bool,
    /// By bytes, not by numbers.
    alpha: bool,
    limit: Option<(i64, i64)>,
    by: Option<Pattern<'a>>,
    get: Vec<Pattern<'a>>,
    store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Context<'a>, may_store: bool) -> Result<Options<'a>, Error> {
        let user = &ctx.client.user;
        // What is looked up is not known before, so it has to be allowed whatever it is.
        let may_look_up = user.is_unrestricted() || reads_every_key(&user.rights(), ctx.spec, &ctx.args);
        let denied = |option| format!("ERR {option} option of SORT denied due to insufficient ACL permissions.");
        let mut options = Options::default();
        let mut at = 2;
        while at < ctx.args.len() {
            let values = ctx.args.len() - at - 1;
            match ctx.arg(at).to_ascii_lowercase().as_slice() {
                b"asc" => options.descending = false,
                b"desc" => options.descending = true,
                b"alpha" => options.alpha = true,
                b"limit" if values >= 2 => {
                    options.limit = Some((ctx.integer(at + 1)?, ctx.integer(at + 2)?));
                    at += 2;
                }
                name @ (b"store" | b"by" | b"get") if values >= 1 && (may_store || name != b"store") => {
                    at += 1;
                    let pattern = Pattern::parse(ctx.arg(at));
                    match name {
                        b"store" => options.store = Some(ctx.arg(at)),
                        b"by" if !may_look_up && pattern.has_place() => return Err(denied("BY").into()),
                        b"by" => options.by = Some(pattern),
                        b"get" if !may_look_up => return Err(denied("GET").into()),
                        _ => options.get.push(pattern),
                    }
                }
                _ => return Err(SYNTAX_ERROR.into()),
            }
            at += 1;
        }
        Ok(options)
    }

    /// As much of a text as is compared: C's strings end at a zero byte, but not what is sorted to be stored.
    fn text<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        if self.store.is_some() { text } else { c_text(text, usize::MAX) }
    }

    /// Which elements are left of so many.
    fn range(&self, len: usize) -> Range<usize> {
        let Some((skipped, count)) = self.limit else { return 0..len };
        let start = (skipped.max(0) as u64).min(len as u64) as usize;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        start..start + count.min(len - start)
    }
}

/// What is looked up for an element. It is parsed once, for it may be long and the elements many.
enum Pattern<'a> {
    /// `#`: the element itself.
    Element,
    /// The same for all elements, which Redis does not look up.
    NoPlace,
    /// A string with the element in the place of the `*`, or for `key->field` a field of a hash.
    Key { before: &'a [u8], after: &'a [u8], field: Option<&'a [u8]> },
}

impl<'a> Pattern<'a> {
    fn parse(pattern: &'a [u8]) -> Pattern<'a> {
        let text = c_text(pattern, usize::MAX);
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = text.iter().position(|c| *c == b'*') else { return Pattern::NoPlace };
        let arrow = text[star + 1..].windows(2).position(|pair| pair == b"->").map(|at| star + 1 + at);
        // Without a field behind it, an arrow is a part of the key.
        let arrow = arrow.filter(|at| at + 2 < text.len());
        Pattern::Key {
            before: &pattern[..star],
            after: &pattern[star + 1..arrow.unwrap_or(pattern.len())],
            field: arrow.map(|at| &pattern[at + 2..]),
        }
    }

    fn has_place(&self) -> bool {
        matches!(self, Pattern::Key { .. })
    }
}

/// What an element is sorted by.
enum Weight {
    Number(Score),
    /// None for an element whose key does not exist, which comes before all others.
    Text(Option<Vec<u8>>),
}

fn run(ctx: &mut Context<'_>, mut options: Options<'_>) -> Outcome {
    let key = ctx.arg(1);
    // A pattern without place for an element says not to sort.
    let mut keeps_order = options.by.as_ref().is_some_and(|by| !by.has_place());
    let (mut elements, is_set) = match ctx.db().read_any(key) {
        None => (Vec::new(), false),
        Some(ValueRef::List(list)) => (list.iter().map(|element| element.to_vec()).collect(), false),
        Some(ValueRef::Set(set)) => (set.iter().map(|element| element.to_vec()).collect(), true),
        Some(ValueRef::SortedSet(set)) => (set.iter().map(|entry| entry.member.to_vec()).collect(), false),
        Some(_) => return Err(WRONG_TYPE.into()),
    };
    // Redis changes a sorted set's encoding here, which OBJECT ENCODING shows. Nobody else is told.
    if let Ok(Some(mut set)) = ctx.db().edit::<SortedSet>(key, Event::zset("")) {
        set.make_large();
        set.changes(0);
    }
    if keeps_order && is_set && (options.store.is_some() || ctx.server.scripting.calls()) {
        // A set has no order, and what is stored or told to a script must not depend on that.
        (keeps_order, options.alpha, options.by) = (false, true, None);
    }
    let range = options.range(elements.len());
    if !keeps_order {
        elements = sorted(ctx, elements, &options)?;
    } else if options.descending && !is_set {
        elements.reverse();
    }
    let elements = &elements[range];
    match options.store {
        Some(to) => store(ctx, to, elements, &options),
        None => reply(ctx, elements, &options),
    }
    Ok(())
}

fn sorted(ctx: &mut Context<'_>, elements: Vec<Vec<u8>>, options: &Options<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let mut weighed = Vec::with_capacity(elements.len());
    for element in elements {
        let by = match &options.by {
            Some(pattern) => look_up(ctx, pattern, &element),
            None => Some(element.clone()),
        };
        let weight = match (options.alpha, by) {
            (true, by) => Weight::Text(by),
            (false, None) => Weight::Number(Score::ZERO),
            (false, Some(by)) => {
                Weight::Number(number(&by).ok_or("ERR One or more scores can't be converted into double")?)
            }
        };
        weighed.push((weight, element));
    }
    weighed.sort_by(|(one, one_element), (other, other_element)| {
        let order = match (one, other) {
            (Weight::Number(one), Weight::Number(other)) => one.cmp(other).then_with(|| one_element.cmp(other_element)),
            (Weight::Text(Some(one)), Weight::Text(Some(other))) => options.text(one).cmp(options.text(other)),
            (Weight::Text(one), Weight::Text(other)) => one.is_some().cmp(&other.is_some()),
            _ => Ordering::Equal,
        };
        if options.descending { order.reverse() } else { order }
    });
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

/// The number that a text is for C's `strtod`: spaces may come first, nothing at all is 0.
fn number(text: &[u8]) -> Option<Score> {
    match c_text(text, usize::MAX) {
        [] => Some(Score::ZERO),
        text => {
            let is_space = |c: &u8| matches!(c, b' ' | b'\t'..=b'\r');
            Score::parse(&text[text.iter().take_while(|c| is_space(c)).count()..])
        }
    }
}

/// What a pattern stands for with an element in its place.
fn look_up(ctx: &mut Context<'_>, pattern: &Pattern<'_>, element: &[u8]) -> Option<Vec<u8>> {
    let (before, after, field) = match pattern {
        Pattern::Element => return Some(element.to_vec()),
        Pattern::NoPlace => return None,
        Pattern::Key { before, after, field } => (before, after, field),
    };
    let key = [before, element, after].concat();
    match (ctx.db().read_any(&key)?, field) {
        (ValueRef::Hash(hash), Some(field)) => Hash::get(hash, field).map(|value| value.to_vec()),
        (ValueRef::String(value), None) => Some(value.as_slice(&mut Digits::new()).to_vec()),
        _ => None,
    }
}

fn reply(ctx: &mut Context<'_>, elements: &[Vec<u8>], options: &Options<'_>) {
    ctx.reply().array(elements.len() * options.get.len().max(1));
    for element in elements {
        if options.get.is_empty() {
            ctx.reply().bulk(element);
        }
        for pattern in &options.get {
            match look_up(ctx, pattern, element) {
                Some(value) => ctx.reply().bulk(value),
                None => ctx.reply().null(),
            }
        }
    }
}

fn store(ctx: &mut Context<'_>, to: &[u8], elements: &[Vec<u8>], options: &Options<'_>) {
    let (mut list, limits) = (List::new(), ctx.limits().list);
    for element in elements {
        if options.get.is_empty() {
            list.push(End::Tail, element, limits);
        }
        for pattern in &options.get {
            let value = look_up(ctx, pattern, element);
            list.push(End::Tail, &value.unwrap_or_default(), limits);
        }
    }
    let len = list.len();
    ctx.db().store(to, list, Event::list("sortstore"));
    ctx.reply().count(len);
}

#[cfg(test)]
#[path = "sort_tests.rs"]
mod tests;
