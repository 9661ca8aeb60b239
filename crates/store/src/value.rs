//! What a key can hold.

use crate::bytes::{Bytes, Content};
use crate::number::Digits;
use crate::types::{hash::Hash, list::List, set::Set, stream::Stream, zset::SortedSet};
use crate::view::{StringRef, ValueRef};

/// The value of a key. Collections are two words, so that small ones need no memory except their block.
#[derive(Clone)]
pub enum Value {
    /// A string.
    String(StringValue),
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A hash.
    Hash(Hash),
    /// A sorted set.
    SortedSet(SortedSet),
    /// A stream.
    Stream(Box<Stream>),
}

/// A string in the form that suits how it came about.
#[derive(Clone)]
pub enum StringValue {
    /// The result of arithmetic, spelled out only when it is read.
    Integer(i64),
    /// As it was set.
    Fixed(Bytes),
    /// Grown by APPEND or SETRANGE and likely to grow again: with spare capacity.
    #[allow(clippy::box_collection)] // with the vector in place every value would be larger
    Growing(Box<Vec<u8>>),
}

const _: () = assert!(size_of::<Value>() == 24);

impl Value {
    /// The value, to be read.
    pub fn view(&self) -> ValueRef<'_> {
        self.into()
    }

    /// The value as one of a type, if it is.
    pub fn of<K: Kind>(&self) -> Option<&K> {
        K::of(self)
    }

    /// The value as one of a type, if it is, to be changed.
    pub fn of_mut<K: Kind>(&mut self) -> Option<&mut K> {
        K::of_mut(self)
    }

    /// The string, if it is one.
    pub fn as_string(&self) -> Option<&StringValue> {
        self.of()
    }

    /// The string, if it is one, to be changed.
    pub fn as_string_mut(&mut self) -> Option<&mut StringValue> {
        self.of_mut()
    }

    /// The name that TYPE replies.
    pub fn type_name(&self) -> &'static str {
        self.view().type_name()
    }

    /// The name that OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        self.view().encoding()
    }

    /// How many bytes of memory it has besides itself, as well as is known.
    pub fn allocated(&self) -> usize {
        match self {
            Value::String(value) => value.allocated(),
            Value::List(value) => value.allocated(),
            Value::Set(value) => value.allocated(),
            Value::Hash(value) => value.allocated(),
            Value::SortedSet(value) => value.allocated(),
            Value::Stream(value) => size_of::<Stream>() + value.allocated(),
        }
    }

    /// Whether it is a collection with nothing in it, which no key may hold. A stream is none: it outlives its entries.
    pub fn is_empty_collection(&self) -> bool {
        self.view().is_empty_collection()
    }

    /// How many elements it has; a string is one.
    pub fn elements(&self) -> usize {
        self.view().elements()
    }

    /// Drops up to `budget` elements and says whether something is left, for a value that nobody can see any more. A
    /// string goes at once, when it is dropped.
    pub fn free_some(&mut self, budget: usize) -> bool {
        match self {
            Value::String(_) => false,
            Value::List(value) => value.free_some(budget),
            Value::Set(value) => value.free_some(budget),
            Value::Hash(value) => value.free_some(budget),
            Value::SortedSet(value) => value.free_some(budget),
            Value::Stream(value) => value.free_some(budget),
        }
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> ValueRef<'a> {
        match value {
            Value::String(value) => ValueRef::String(value.view()),
            Value::List(value) => ValueRef::List(value),
            Value::Set(value) => ValueRef::Set(value),
            Value::Hash(value) => ValueRef::Hash(value),
            Value::SortedSet(value) => ValueRef::SortedSet(value),
            Value::Stream(value) => ValueRef::Stream(value),
        }
    }
}

impl ValueRef<'_> {
    /// A copy of the value.
    pub fn to_value(self) -> Value {
        match self {
            ValueRef::String(value) => value.to_value().into(),
            ValueRef::List(value) => value.clone().into(),
            ValueRef::Set(value) => value.clone().into(),
            ValueRef::Hash(value) => value.clone().into(),
            ValueRef::SortedSet(value) => value.clone().into(),
            ValueRef::Stream(value) => value.clone().into(),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The value as one of a type, if it is.
    pub fn of<K: Kind>(self) -> Option<K::Ref<'a>> {
        K::read(self)
    }
}

impl StringRef<'_> {
    /// A copy of the string.
    pub fn to_value(self) -> StringValue {
        match self {
            StringRef::Integer(value) => StringValue::Integer(value),
            StringRef::Fixed(bytes) => StringValue::new(bytes),
            StringRef::Shared(bytes) => StringValue::new(Content::Shared(bytes)),
            StringRef::Growing(bytes) => StringValue::Growing(Box::new(bytes.to_vec())),
        }
    }
}

/// A type of values.
pub trait Kind: Sized {
    /// Such a value, to be read.
    type Ref<'a>: Copy;

    /// The value as one of this type, if it is, to be read.
    fn read(value: ValueRef<'_>) -> Option<Self::Ref<'_>>;

    /// The value as one of this type, if it is.
    fn of(value: &Value) -> Option<&Self>;

    /// The value as one of this type, if it is, to be changed.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;

    /// An empty one.
    fn empty() -> Value;
}

macro_rules! boxed {
    ($($variant:ident: $kind:ty, $read:ty;)*) => { $(
        impl Kind for $kind {
            type Ref<'a> = $read;

            fn read(value: ValueRef<'_>) -> Option<Self::Ref<'_>> {
                match value {
                    ValueRef::$variant(value) => Some(value),
                    _ => None,
                }
            }

            fn of(value: &Value) -> Option<&Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }

            fn empty() -> Value {
                Value::$variant(Default::default())
            }
        }

        impl From<$kind> for Value {
            fn from(value: $kind) -> Value {
                Value::$variant(value.into())
            }
        }
    )* };
}

boxed! {
    String: StringValue, StringRef<'a>;
    List: List, &'a List;
    Set: Set, &'a Set;
    Hash: Hash, &'a Hash;
    SortedSet: SortedSet, &'a SortedSet;
    Stream: Stream, &'a Stream;
}

/// An empty string.
impl Default for StringValue {
    fn default() -> Self {
        StringValue::new(b"")
    }
}

impl StringValue {
    /// A string that was set.
    pub fn new<'a>(content: impl Into<Content<'a>>) -> StringValue {
        StringValue::Fixed(Bytes::from(content.into()))
    }

    /// Becomes `content`, in the memory that the old content had if possible.
    pub fn assign(&mut self, content: Content<'_>) {
        match self {
            StringValue::Fixed(bytes) => bytes.assign(content),
            _ => *self = StringValue::new(content),
        }
    }

    /// The string, to be read.
    pub fn view(&self) -> StringRef<'_> {
        match self {
            StringValue::Integer(value) => StringRef::Integer(*value),
            StringValue::Fixed(Bytes::Shared(bytes)) => StringRef::Shared(bytes),
            StringValue::Fixed(bytes) => StringRef::Fixed(bytes.as_slice()),
            StringValue::Growing(bytes) => StringRef::Growing(bytes),
        }
    }

    /// The bytes; `digits` is room for those of an integer.
    pub fn as_slice<'a>(&'a self, digits: &'a mut Digits) -> &'a [u8] {
        self.view().as_slice(digits)
    }

    /// The number that the string spells, if it does.
    pub fn as_integer(&self) -> Option<i64> {
        self.view().as_integer()
    }

    /// How many bytes of memory it has besides itself.
    pub fn allocated(&self) -> usize {
        match self {
            StringValue::Integer(_) => 0,
            StringValue::Fixed(bytes) => bytes.allocated(),
            StringValue::Growing(bytes) => size_of::<Vec<u8>>() + bytes.capacity(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// The content as a buffer to change in place. Capacity grows with the content, so that appending byte by byte
    /// does not copy the whole each time.
    pub fn make_growing(&mut self) -> &mut Vec<u8> {
        if !matches!(self, StringValue::Growing(_)) {
            let content = self.as_slice(&mut Digits::new()).to_vec();
            *self = StringValue::Growing(Box::new(content));
        }
        match self {
            StringValue::Growing(bytes) => bytes,
            _ => unreachable!("was just made growing"),
        }
    }

    /// As [`StringValue::make_growing`], with zeros behind the content up to a length.
    pub fn make_growing_to(&mut self, len: usize) -> &mut Vec<u8> {
        let content = self.make_growing();
        if len / 2 > content.capacity() {
            // Memory that comes zeroed from the system is used page by page, when somebody writes there.
            let mut longer = vec![0; len];
            longer[..content.len()].copy_from_slice(content);
            *content = longer;
        } else if content.len() < len {
            content.resize(len, 0);
        }
        content
    }

    /// The name that OBJECT ENCODING gives to such a string in Redis.
    pub fn encoding(&self) -> &'static str {
        self.view().encoding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::list::End;
    use crate::types::zset::Score;

    #[test]
    fn an_integer_reads_as_its_digits() {
        let value = StringValue::Integer(-120);
        assert_eq!(value.as_slice(&mut Digits::new()), b"-120");
        assert_eq!(value.len(), 4);
        assert_eq!(value.as_integer(), Some(-120));
        assert_eq!(StringValue::new(b"12").as_integer(), Some(12));
        assert_eq!(StringValue::new(b"012").as_integer(), None);
    }

    #[test]
    fn zeros_fill_it_up() {
        let mut value = StringValue::Integer(12);
        for (len, expected) in [(1, &b"12"[..]), (3, b"12\0"), (4, b"12\0\0"), (40, &[b"12", &[0; 38][..]].concat())] {
            assert_eq!(value.make_growing_to(len), expected);
        }
    }

    #[test]
    fn every_form_can_grow() {
        for mut value in
            [StringValue::Integer(12), StringValue::new(b"12"), StringValue::Growing(Box::new(b"12".into()))]
        {
            value.make_growing().extend_from_slice(b"34");
            // Also in a copy.
            assert_eq!((value.encoding(), value.view().to_value().encoding()), ("raw", "raw"));
            assert_eq!(value.as_slice(&mut Digits::new()), b"1234");
            assert_eq!(value.len(), 4);
        }
    }

    fn hash(fields: usize) -> Hash {
        let mut hash = Hash::new();
        for i in 0..fields {
            hash.set(i.to_string().as_bytes(), &[b'x'; 30], &Default::default());
        }
        hash
    }

    #[test]
    fn a_copy_is_another_value() {
        for fields in [1, 1000] {
            let value = Value::from(hash(fields));
            let mut copy = value.clone();
            let of_copy: &mut Hash = copy.of_mut().expect("a hash");
            for i in (0..fields).step_by(2) {
                assert!(of_copy.remove(i.to_string().as_bytes()));
            }
            assert!(of_copy.set(b"new", b"1", &Default::default()));
            let original: &Hash = value.of().expect("a hash");
            assert_eq!((original.len(), original.contains(b"new")), (fields, false));
            assert!((0..fields).all(|i| original.contains(i.to_string().as_bytes())));
        }
        let value = Value::from(StringValue::new(&[b'x'; 20_000]));
        let mut copy = value.clone();
        copy.as_string_mut().expect("a string").assign((&[b'y'; 20_000]).into());
        assert_eq!(value.as_string().map(|value| value.as_slice(&mut Digits::new())[0]), Some(b'x'));
    }

    #[test]
    fn a_stream_outlives_its_entries() {
        let value = Stream::empty();
        assert_eq!((value.type_name(), value.encoding(), value.is_empty_collection()), ("stream", "stream", false));
        assert!(value.of::<Stream>().is_some() && value.of::<List>().is_none());
    }

    #[test]
    fn every_type_is_freed_in_pieces() {
        let mut values = [List::empty(), Set::empty(), Hash::empty(), SortedSet::empty()];
        for i in 0..1000u32 {
            let member = format!("member {i} of some length");
            let member = member.as_bytes();
            for value in &mut values {
                match value {
                    Value::List(list) => list.push(End::Tail, member, Default::default()),
                    Value::Set(set) => _ = set.add(member, &Default::default()),
                    Value::Hash(hash) => _ = hash.set(member, member, &Default::default()),
                    Value::SortedSet(set) => _ = set.insert(member, Score::LOWEST, &Default::default()),
                    Value::String(_) | Value::Stream(_) => unreachable!("is not among them"),
                }
            }
        }
        for mut value in values {
            assert_eq!(value.elements(), 1000);
            let rounds = (0..).take_while(|_| value.free_some(1)).count();
            assert!((2..=1000).contains(&rounds), "{}: {rounds}", value.type_name());
            assert_eq!(value.elements(), 0, "{}", value.type_name());
        }
        let mut value = Value::from(StringValue::new(b"x"));
        assert!(!value.free_some(1) && value.elements() == 1);
    }

    #[test]
    fn encodings() {
        assert_eq!(StringValue::new(b"12").encoding(), "int");
        assert_eq!(StringValue::new(b"1x").encoding(), "embstr");
        assert_eq!(StringValue::new(&[b'x'; 44]).encoding(), "embstr");
        assert_eq!(StringValue::new(&[b'x'; 45]).encoding(), "raw");
    }
}
