//! Tests of the request parser.

use super::*;

type Requests = Vec<Vec<Vec<u8>>>;

/// Feeds `input` in pieces of `piece` bytes and returns the requests and the error that ended them, if any.
pub fn parse(input: &[u8], piece: usize, limits: &Limits) -> (Requests, Option<ProtocolError>) {
    feed(&mut RequestParser::new(), input.chunks(piece.max(1)), limits)
}

fn feed<'a>(
    parser: &mut RequestParser,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limits: &Limits,
) -> (Requests, Option<ProtocolError>) {
    let (mut buf, mut found) = (Vec::new(), Vec::new());
    for bytes in pieces {
        buf.extend_from_slice(bytes);
        loop {
            match parser.advance(&mut buf, limits) {
                Ok(true) => found.push(parser.args(&buf).iter().map(<[u8]>::to_vec).collect()),
                Ok(false) => break,
                Err(error) => return (found, Some(error)),
            }
        }
        buf.drain(..parser.rebase());
    }
    (found, None)
}

fn expect(input: &[u8], wanted: &[&[&[u8]]]) {
    for piece in [1, 2, 3, 5, 7, input.len()] {
        let (found, error) = parse(input, piece, &Limits::default());
        assert_eq!(error, None);
        assert_eq!(found, wanted, "in pieces of {piece}");
    }
    for first in 1..input.len().min(200) {
        let mut parser = RequestParser::new();
        let (found, _) = feed(&mut parser, [&input[..first], &input[first..]], &Limits::default());
        assert_eq!(found, wanted, "{first} bytes and the rest");
        assert!(parser.is_idle(), "{first} bytes and the rest");
    }
}

fn expect_error(input: &[u8], wanted: &str) {
    for piece in [1, 2, 1000, input.len()] {
        let (_, error) = parse(input, piece, &Limits::default());
        let reply = error.map(|error| error.reply().into_owned());
        assert_eq!(reply.as_deref(), Some(wanted.as_bytes()), "in pieces of {piece}");
    }
}

#[test]
fn multibulk_requests() {
    expect(b"*1\r\n$4\r\nPING\r\n", &[&[b"PING"]]);
    expect(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", &[&[b"GET", b""]]);
    expect(b"*2\r\n$3\r\nGET\r\n$4\r\n\r\n\0\n\r\n", &[&[b"GET", b"\r\n\0\n"]]);
    expect(b"*1\r\n$10\r\n0123456789\r\n*1\r\n$1\r\nx\r\n", &[&[b"0123456789"], &[b"x"]]);
}

#[test]
fn arguments_of_every_short_length() {
    let text = [b'v'; 120];
    for len in 0..text.len() {
        let request = [format!("*2\r\n${len}\r\n").as_bytes(), &text[..len], b"\r\n$1\r\nx\r\n"].concat();
        expect(&request, &[&[&text[..len], b"x"]]);
        // Any two bytes are its line end.
        let (found, _) = parse(&[&request[..request.len() - 2], b"yz"].concat(), usize::MAX, &Limits::default());
        assert_eq!(found, [[&text[..len], b"x"]]);
        let limits = Limits { max_bulk: 50, ..Limits::default() };
        let (_, error) = parse(&request, usize::MAX, &limits);
        assert_eq!(error, (len > 50).then_some(ProtocolError::InvalidBulkLength), "{len}");
    }
}

#[test]
fn short_requests_with_many_behind_them() {
    let requests = b"*2\r\n$4\r\nECHO\r\n$12\r\nhello, world\r\n".repeat(50);
    expect(&requests, &[&[&b"ECHO"[..], b"hello, world"][..]; 50]);
}

#[test]
fn a_long_argument_behind_other_requests() {
    let text = [b'v'; 120];
    expect(&[b"PING\r\n*2\r\n$1\r\nx\r\n$120\r\n", &text[..], b"\r\n"].concat(), &[&[b"PING"], &[b"x", &text]]);
}

#[test]
fn arguments_that_look_like_arguments() {
    expect(b"*2\r\n$7\r\n$1\r\nx\r\n\r\n$8\r\n*1\r\n$1\r\n\r\n", &[&[b"$1\r\nx\r\n", b"*1\r\n$1\r\n"]]);
    let mut parser = RequestParser::new();
    let mut buf = b"*1\r\n$7\r\n".to_vec();
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(false));
    buf.extend_from_slice(b"$1\r\nx\r\n\r\n");
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(true));
    assert_eq!(&parser.args(&buf)[0], b"$1\r\nx\r\n");
}

/// Only between requests may another connection use the parser.
#[test]
fn a_parser_is_idle_between_requests_wherever_reads_end() {
    let long = [b"*1\r\n$120\r\n", &[b'v'; 120][..], b"\r\n"].concat();
    let limits = Limits::default();
    for request in [&b"PING\r\n"[..], b"*1\r\n$4\r\nPING\r\n", &long] {
        for len in 1..request.len() {
            let mut parser = RequestParser::new();
            let mut buf = request[..len].to_vec();
            assert_eq!(parser.advance(&mut buf, &limits), Ok(false));
            assert!(!parser.is_idle(), "after {len} of {request:?}");
            buf.extend_from_slice(&request[len..]);
            assert_eq!(parser.advance(&mut buf, &limits), Ok(true));
            buf.drain(..parser.rebase());
            assert_eq!((buf.len(), parser.advance(&mut buf, &limits)), (0, Ok(false)));
            assert!(parser.is_idle(), "after {len} and the rest of {request:?}");
        }
    }
}

#[test]
fn a_request_tells_in_which_form_it_came() {
    let mut parser = RequestParser::new();
    let mut buf = b"PING\r\n*1\r\n$4\r\nPING\r\n".to_vec();
    for inline in [true, false] {
        assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(true));
        assert_eq!(parser.is_inline(&buf), inline);
    }
}

#[test]
fn inline_requests_between_multibulk_ones() {
    expect(
        b"PING\r\n*1\r\n$1\r\nx\r\nset a \"b\\n c\"\nend\n",
        &[&[b"PING"], &[b"x"], &[b"set", b"a", b"b\n c"], &[b"end"]],
    );
}

#[test]
fn empty_requests_are_passed_over() {
    expect(b"*0\r\n*-1\r\n*-5\r\n\r\n\n  \r\nPING\r\n", &[&[b"PING"]]);
    expect(b"*0\r\n", &[]);
    expect(b"*-1\r\nx\n", &[&[b"x"]]);
    expect(b"*-1\r\n", &[]);
}

#[test]
fn arguments_from_elsewhere() {
    let mut parser = RequestParser::new();
    let limits = Limits::default();
    let mut buf = b"*4\r\n$1\r\na\r\n$5\r\nbb".to_vec();
    assert_eq!(parser.awaited(0), None);
    assert_eq!(parser.advance(&mut buf, &limits), Ok(false));
    assert_eq!((parser.awaited(6), parser.awaited(5), parser.parsed()), (None, Some(5), buf.len() - 2));
    buf.truncate(parser.parsed());
    let argument = Arc::new(b"bbbbb".to_vec());
    let before = parser.memory();
    parser.supply(argument.clone());
    assert_eq!((parser.supplied(), parser.memory() - before), (5, argument.capacity()));
    assert_eq!((parser.awaited(0), parser.is_idle()), (None, false));
    // Its line end, and an argument behind it that does not come elsewhere.
    for byte in *b"\r\n$0\r\n\r\n$2\r\ncc\r" {
        buf.push(byte);
        assert_eq!(parser.advance(&mut buf, &limits), Ok(false));
    }
    buf.extend_from_slice(b"\nPING\r\n");
    assert_eq!(parser.advance(&mut buf, &limits), Ok(true));
    let args = parser.args(&buf);
    assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"bbbbb", b"", b"cc"]);
    assert!(Arc::ptr_eq(args.shared(1).unwrap(), &argument) && args.shared(0).is_none() && args.shared(4).is_none());
    assert_eq!((&args[1], args.get(1)), (&b"bbbbb"[..], Some(&b"bbbbb"[..])));
    assert_eq!(parser.advance(&mut buf, &limits), Ok(true));
    assert_eq!((parser.args(&buf).len(), Arc::strong_count(&argument)), (1, 1));
    assert!(parser.args(&buf).shared(0).is_none());
}

#[test]
fn wrong_counts() {
    for bad in ["*abc\r\n", "*\r\n", "*01\r\n", "*+1\r\n", "* 1\r\n", "*2147483648\r\n", "*99999999999999999999\r\n"] {
        expect_error(bad.as_bytes(), "Protocol error: invalid multibulk length");
    }
    for bad in ["-1", "", "a", "03", "536870913", "9223372036854775808"] {
        expect_error(format!("*1\r\n${bad}\r\n").as_bytes(), "Protocol error: invalid bulk length");
    }
    expect_error(b"*2\r\n$1\r\na\r\n:1\r\n", "Protocol error: expected '$', got ':'");
    expect_error(b"*1\r\nGET\r\n", "Protocol error: expected '$', got 'G'");
    expect_error(b"*1\r\n\r\n", "Protocol error: expected '$', got '\r'");
    // As it came in the reply, escaped in a log.
    let (_, error) = parse(b"*1\r\n\xff1\r\n", 100, &Limits::default());
    assert_eq!(&error.unwrap().reply()[..], b"Protocol error: expected '$', got '\xff'");
    assert_eq!(error.unwrap().to_string(), "Protocol error: expected '$', got '\\xff'");
}

#[test]
fn lines_without_an_end() {
    let long = vec![b'1'; INLINE_MAX + 1];
    expect_error(&long, "Protocol error: too big inline request");
    expect_error(&[b"*", &long[..]].concat(), "Protocol error: too big mbulk count string");
    expect_error(&[b"*1\r\n$", &long[..]].concat(), "Protocol error: too big bulk count string");
    expect_error(&[&long[..], b"\n"].concat(), "Protocol error: too big inline request");
    let longest = [&long[..INLINE_MAX], b"\n"].concat();
    for piece in [4000, INLINE_MAX] {
        assert_eq!(parse(&longest, piece, &Limits::default()).0[0][0].len(), INLINE_MAX);
    }
}

#[test]
fn a_carriage_return_ends_an_inline_word() {
    expect(b"GET a\rb \"c\"\r\n", &[&[b"GET", b"a", b"b", b"c"]]);
    expect(b"PING\r\r\n", &[&[b"PING"]]);
}

#[test]
fn open_quotes() {
    expect_error(b"set a \"b\r\n", "Protocol error: unbalanced quotes in request");
}

#[test]
fn the_most_arguments_are_allowed_and_no_more() {
    let limits = Limits { max_args: 2, ..Limits::default() };
    let parse = |input: &[u8]| parse(input, 100, &limits);
    assert_eq!(parse(b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"), (vec![vec![b"a".to_vec(), b"b".to_vec()]], None));
    assert_eq!(parse(b"*3\r\n"), (vec![], Some(ProtocolError::InvalidMultibulkLength)));
}

#[test]
fn a_request_beyond_4_gib_is_refused() {
    let mut parser = RequestParser::new();
    let end = u32::MAX as usize;
    assert_eq!(parser.push_span(0, end - 1), Ok(()));
    assert_eq!(parser.push_span(0, end), Err(ProtocolError::TooBigRequest));
    assert_eq!(parser.push_span(0, end + 1), Err(ProtocolError::TooBigRequest));
}

#[test]
fn the_memory_of_many_arguments_is_given_back() {
    let mut parser = RequestParser::new();
    let mut buf = b"a ".repeat(10_000);
    buf.push(b'\n');
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(true));
    parser.rebase();
    assert!(parser.memory() >= 80_000);
    parser.shrink(100);
    assert!(parser.memory() <= 1000);
}

#[test]
fn limits_before_authentication() {
    let limits = Limits { unauthenticated: true, ..Limits::default() };
    let error = |input: &[u8]| parse(input, 100, &limits).1;
    assert_eq!(error(b"*11\r\n"), Some(ProtocolError::UnauthenticatedMultibulkLength));
    assert_eq!(error(b"*10\r\n$16384\r\n"), None);
    assert_eq!(error(b"*10\r\n$16385\r\n"), Some(ProtocolError::UnauthenticatedBulkLength));
}

#[test]
fn announced_sizes_allocate_nothing() {
    let mut parser = RequestParser::new();
    let mut buf = b"*1000000000\r\n$536870912\r\nabc".to_vec();
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(false));
    assert_eq!(parser.memory(), 0);
    assert_eq!(parser.awaited(0), Some(536870912));
}

#[test]
fn bytes_are_searched_once() {
    let mut parser = RequestParser::new();
    let mut buf = vec![b'a'; 1000];
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(false));
    assert_eq!(parser.searched, 1000);
    assert!(!parser.is_idle());
    buf.push(b'\n');
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(true));
    assert!(parser.is_idle());
    assert_eq!(parser.rebase(), 1001);
}

#[test]
fn arguments_by_index_and_as_iterator() {
    let mut parser = RequestParser::new();
    let mut buf = b"a bc d\n".to_vec();
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(true));
    let args = parser.args(&buf);
    assert_eq!((args.len(), &args[1], args.get(2), args.get(3)), (3, &b"bc"[..], Some(&b"d"[..]), None));
    assert_eq!(args.from(1).collect::<Vec<_>>(), [&b"bc"[..], b"d"]);
    assert_eq!(args.from(9).len(), 0);
}

#[test]
fn arguments_that_are_kept_are_counted() {
    let sent = OwnedArgs::new(&["SET", "k", "value"]);
    assert_eq!(sent.as_args().iter().collect::<Vec<_>>(), [&b"SET"[..], b"k", b"value"]);
    assert_eq!(sent.memory(), 9 + 3 * size_of::<Span>());
    let mut parser = RequestParser::new();
    let mut buf = b"*2\r\n$1\r\na\r\n$5\r\n".to_vec();
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(false));
    parser.supply(Arc::new(b"bbbbb".to_vec()));
    buf.extend_from_slice(b"\r\n");
    assert_eq!(parser.advance(&mut buf, &Limits::default()), Ok(true));
    let kept = parser.args(&buf).to_owned();
    assert_eq!(kept.as_args().iter().collect::<Vec<_>>(), [&b"a"[..], b"bbbbb"]);
    assert_eq!(kept.memory(), buf.len() + 2 * size_of::<Span>() + 5);
}

#[test]
fn requests_that_nobody_sent_share_their_memory() {
    let mut made = ArgsBuffer::default();
    made.push(|out| out.extend_from_slice(b"DEL"));
    made.push(|out| out.extend_from_slice(&[b'k'; 1000]));
    assert_eq!(made.as_args().iter().collect::<Vec<_>>(), [&b"DEL"[..], &[b'k'; 1000]]);
    let memory = made.memory();
    assert_eq!(memory, made.request.capacity() + made.spans.capacity() * size_of::<Span>());
    assert!(memory >= 1003 + 2 * size_of::<Span>());
    made.clear();
    made.push(|out| out.extend_from_slice(b"PING"));
    assert_eq!(made.as_args().iter().collect::<Vec<_>>(), [b"PING"]);
    assert_eq!(made.memory(), memory);
}
