//! Random streams, as what makes them; and what is in a stream.

use crate::recipe::Text;
use proptest::prelude::*;
use store::types::stream::{Deliveries, Id, Limits, NewId, Stream};

/// What happens to a stream.
#[derive(Clone, Debug)]
pub enum Step {
    /// An entry is added, so many ms behind the last one.
    Add(u64, Vec<(Text, Text)>),
    /// The entry with this number is deleted, if it is there.
    Delete(usize),
    /// A group is created that has read up to the entry with this number, or nothing.
    Group(Text, Option<usize>),
    /// A consumer of a group, by their numbers, reads so many entries.
    Read(usize, usize, usize),
    /// A group's pending entry with this number is given to another consumer.
    Claim(usize, usize, usize),
    /// It is acknowledged.
    Acknowledge(usize, usize),
}

/// What makes a stream.
pub type StreamRecipe = Vec<Step>;

/// When everything happens here, in ms since 1970.
const NOW: i64 = 1_700_000_000_000;

/// A stream, with the requests that make the same one.
#[derive(Default)]
struct Made {
    stream: Stream,
    ids: Vec<Id>,
    groups: Vec<Text>,
    requests: Vec<Vec<Text>>,
}

/// Makes a stream here, or the requests that do.
pub fn stream(recipe: &StreamRecipe) -> Stream {
    made(recipe, b"").stream
}

/// The requests that make it, each with a reply of one line.
pub fn requests(recipe: &StreamRecipe, key: &[u8]) -> Vec<Vec<Text>> {
    made(recipe, key).requests
}

fn made(recipe: &StreamRecipe, key: &[u8]) -> Made {
    let mut made = Made::default();
    recipe.iter().for_each(|step| made.take(step, key));
    made
}

/// A consumer's name: not all come in the order of their names.
fn consumer(number: usize) -> Text {
    Text::from(&format!("consumer:{}", 9 - number % 4)[..])
}

impl Made {
    fn request(&mut self, args: &[&[u8]]) {
        self.requests.push(args.iter().map(|arg| Text(arg.to_vec())).collect());
    }

    /// A request whose reply is more than a line.
    fn quiet_request(&mut self, args: &[&[u8]]) {
        self.request(&[&[&b"EVAL"[..], b"redis.call(unpack(ARGV)) return 1", b"0"], args].concat());
    }

    /// The id of the entry with a number.
    fn id(&self, number: usize) -> Option<Id> {
        self.ids.get(number % self.ids.len().max(1)).copied()
    }

    /// The name of the group with a number.
    fn group(&self, number: usize) -> Option<Text> {
        self.groups.get(number % self.groups.len().max(1)).cloned()
    }

    /// The pending entry with a number.
    fn pending(&self, group: &[u8], number: usize) -> Option<Id> {
        let group = self.stream.group(group)?;
        group.pending_range(Id::MIN, Id::MAX).nth(number % group.pending_len().max(1)).map(|(id, _)| id)
    }

    fn take(&mut self, step: &Step, key: &[u8]) {
        // What is about an entry or a group that there is not does nothing.
        let _ = match step {
            Step::Add(gap, pairs) => self.add(*gap, pairs, key),
            Step::Delete(number) => self.delete(*number, key),
            Step::Group(name, from) => self.create_group(name, *from, key),
            Step::Read(group, by, count) => self.read(*group, *by, *count, key),
            Step::Claim(group, number, to) => self.claim(*group, *number, *to, key),
            Step::Acknowledge(group, number) => self.acknowledge(*group, *number, key),
        };
    }

    fn add(&mut self, gap: u64, pairs: &[(Text, Text)], key: &[u8]) -> Option<()> {
        let last = self.stream.log().last_id();
        let id = if gap == 0 { last.next()? } else { Id::new(last.ms + gap, 0) };
        let pairs: Vec<&[u8]> = pairs.iter().flat_map(|(field, value)| [&field[..], value]).collect();
        self.stream.log_mut().add(NewId::Given(id), NOW, &pairs, &Limits::default()).ok()?;
        self.ids.push(id);
        self.request(&[&[&b"XADD"[..], key, id.to_string().as_bytes()], &pairs[..]].concat());
        Some(())
    }

    fn delete(&mut self, number: usize, key: &[u8]) -> Option<()> {
        let id = self.id(number)?;
        self.stream.log_mut().delete(id);
        self.request(&[b"XDEL", key, id.to_string().as_bytes()]);
        Some(())
    }

    fn create_group(&mut self, name: &Text, from: Option<usize>, key: &[u8]) -> Option<()> {
        let from = from.and_then(|number| self.id(number)).unwrap_or(Id::MIN);
        if self.stream.create_group(name, from, None) {
            self.groups.push(name.clone());
            self.request(&[b"XGROUP", b"CREATE", key, name, from.to_string().as_bytes(), b"MKSTREAM"]);
        }
        Some(())
    }

    fn read(&mut self, group: usize, by: usize, count: usize, key: &[u8]) -> Option<()> {
        let (name, by) = (self.group(group)?, consumer(by));
        let (group, log) = self.stream.group_mut(&name)?;
        let from = group.last_id().next()?;
        for entry in log.range(from, Id::MAX).take(count) {
            // Without an entry, Redis creates no consumer.
            let (to, _) = group.create_consumer(&by, NOW);
            group.see(to, NOW + 1);
            group.deliver(log, entry.id(), Some(to), NOW + 2);
        }
        let count = count.to_string();
        let read = [&b"XREADGROUP"[..], b"GROUP", &name, &by, b"COUNT", count.as_bytes(), b"STREAMS", key, b">"];
        self.quiet_request(&read);
        Some(())
    }

    fn claim(&mut self, group: usize, number: usize, to: usize, key: &[u8]) -> Option<()> {
        let (name, to) = (self.group(group)?, consumer(to));
        // Redis forgets those that were deleted.
        let id = self.pending(&name, number).filter(|id| self.stream.log().contains(*id))?;
        let (group, _) = self.stream.group_mut(&name)?;
        let (consumer, _) = group.create_consumer(&to, NOW);
        group.claim(id, consumer, NOW + 3, Deliveries::Increment, false);
        self.quiet_request(&[b"XCLAIM", key, &name, &to, b"0", id.to_string().as_bytes()]);
        Some(())
    }

    fn acknowledge(&mut self, group: usize, number: usize, key: &[u8]) -> Option<()> {
        let name = self.group(group)?;
        let id = self.pending(&name, number)?;
        self.stream.group_mut(&name)?.0.acknowledge(id);
        self.request(&[b"XACK", key, &name, id.to_string().as_bytes()]);
        Some(())
    }
}

/// The entries with their fields and values.
pub fn entries(stream: &Stream) -> Vec<(Id, Vec<(Text, Text)>)> {
    let all = stream.log().range(Id::MIN, Id::MAX);
    let text = |element: store::types::Element<'_>| Text(element.to_vec());
    let fields = |(field, value)| (text(field), text(value));
    all.map(|entry| (entry.id(), entry.fields().map(fields).collect())).collect()
}

/// What else there is, except times.
pub fn parts(stream: &Stream) -> Vec<String> {
    let log = stream.log();
    let (last, first, deleted) = (log.last_id(), log.first_id(), log.max_deleted_id());
    let mut lines = vec![format!("{} {last} {first} {deleted} {}", log.len(), log.entries_added())];
    for (name, group) in stream.groups() {
        lines.push(format!("group {} {} {:?}", name.escape_ascii(), group.last_id(), group.entries_read()));
        let name = |id| group.consumer(id).expect("a consumer").name().escape_ascii();
        for (id, pending) in group.pending_range(Id::MIN, Id::MAX) {
            lines.push(format!("pending {id} {} {}", name(pending.consumer), pending.deliveries));
        }
        lines.extend(group.consumers().map(|(id, consumer)| format!("{} {}", name(id), consumer.pending_len())));
    }
    lines
}

/// Random streams of entries with such texts. Some have no entries, but a group.
pub fn streams<S: Strategy<Value = Text> + Clone + 'static>(text: S) -> impl Strategy<Value = StreamRecipe> {
    let same = (text.clone(), text.clone()).prop_map(|(one, other)| vec![("a".into(), one), ("b".into(), other)]);
    let pairs = prop_oneof![2 => same, 1 => prop::collection::vec((text.clone(), text), 1..4)];
    let number = any::<usize>;
    let name = prop::sample::select(vec!["", "group", "other", "12"]).prop_map(Text::from);
    let step = prop_oneof![
        10 => (0u64..3, pairs).prop_map(|(gap, pairs)| Step::Add(gap, pairs)),
        2 => number().prop_map(Step::Delete),
        1 => (name, prop::option::of(number())).prop_map(|(name, from)| Step::Group(name, from)),
        2 => (number(), number(), 1usize..5).prop_map(|(group, by, count)| Step::Read(group, by, count)),
        1 => (number(), number(), number()).prop_map(|(group, id, to)| Step::Claim(group, id, to)),
        1 => (number(), number()).prop_map(|(group, id)| Step::Acknowledge(group, id)),
    ];
    let group = Step::Group("group".into(), None);
    prop::collection::vec(step, 0..80).prop_map(move |mut steps| {
        steps.insert(steps.len() / 2, group.clone());
        steps
    })
}
