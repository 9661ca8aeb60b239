//! A reply of a server, as a client keeps it.

/// One reply, with all that is nested in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A line of text: `+OK`.
    Status(Vec<u8>),
    /// An error, which begins with its code.
    Error(Vec<u8>),
    /// An integer.
    Integer(i64),
    /// A string of any bytes.
    Bulk(Vec<u8>),
    /// Nothing, in any of its three spellings.
    Nil,
    /// A number with a fraction, as the server spelled it.
    Double(Vec<u8>),
    /// A truth value.
    Boolean(bool),
    /// An integer of any size, as the server spelled it.
    BigNumber(Vec<u8>),
    /// Text for people, without its three letters of format.
    Verbatim(Vec<u8>),
    /// Elements in order.
    Array(Vec<Reply>),
    /// Keys and values.
    Map(Vec<(Reply, Reply)>),
    /// Elements without order.
    Set(Vec<Reply>),
    /// A message that answers no request.
    Push(Vec<Reply>),
}

impl Reply {
    /// The bytes of a string, a line of text, an error or a number's spelling.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Status(text)
            | Reply::Error(text)
            | Reply::Bulk(text)
            | Reply::Double(text)
            | Reply::BigNumber(text)
            | Reply::Verbatim(text) => Some(text),
            _ => None,
        }
    }

    /// The same as text; what is no UTF-8 is replaced. Empty for what has no bytes.
    pub fn text(&self) -> String {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }

    /// An error's text.
    pub fn error(&self) -> Option<&[u8]> {
        match self {
            Reply::Error(text) => Some(text),
            _ => None,
        }
    }

    /// An integer, or a string that spells one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Reply::Integer(value) => Some(*value),
            other => crate::number::parse(other.bytes()?),
        }
    }

    /// The elements of an array, a set or a message.
    pub fn elements(&self) -> Option<&[Reply]> {
        match self {
            Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// The pairs of a map, or of an array that stands for one in RESP2.
    pub fn pairs(&self) -> Vec<(&Reply, &Reply)> {
        match self {
            Reply::Map(pairs) => pairs.iter().map(|(key, value)| (key, value)).collect(),
            Reply::Array(elements) => elements.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
            _ => Vec::new(),
        }
    }

    /// The value of a key of a map, or of an array that stands for one.
    pub fn get(&self, key: &str) -> Option<&Reply> {
        self.pairs().into_iter().find(|(name, _)| name.bytes() == Some(key.as_bytes())).map(|(_, value)| value)
    }
}
