//! Properties that hold for any request.

use crate::command::table::TABLE;
use crate::config::settings::Config;
use crate::testing::Session;
use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What there is before the requests: something of each type.
const KEYS: &str = "SET k hello|SET n 5|RPUSH l 1 2 a|HSET h a 1 b x|SADD s 1 2 3|SADD sa a b|ZADD z 1 a 2.5 b|\
    GEOADD geo 13 38 a 15 37 b|PFADD p a b|XADD x 5-5 f v|XGROUP CREATE x g 0|XREADGROUP GROUP g c STREAMS x >";

/// What commands may take for keys, names, numbers, options, patterns and times, and some that they should not.
const WORDS: &str = "k n l h s sa z geo p x g c other a 0 1 2 3 -1 99 9223372036854775807 -9223372036854775808 \
    -9223372036854775807 4294967296 18446744073709551615 1e4000 1e308 -0.5 inf -inf nan (1 [a + - $ > 5-5 0-0 \
    18446744073709551615-18446744073709551615 u8 i64 u63 #9223372036854775807 KM m * [ \\ no get MSET client|list | all \
    timeout maxclients requirepass ID ADDR ASYNC stats x\r\ny 512mb";

fn word() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&str> = WORDS.split(' ').collect();
    prop_oneof![
        8 => select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ]
}

/// Arguments that follow a command's syntax as far as `words` go: of each pair, whether the next part is there, and
/// what stands for it unless it is an option's name.
fn arguments(syntax: &str, words: Vec<(bool, Vec<u8>)>) -> impl Iterator<Item = Vec<u8>> {
    let parts = syntax.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let parts = parts.map(Some).chain(std::iter::repeat(None));
    let kept = parts.zip(words).filter(|(_, (is_there, _))| *is_there);
    kept.map(|(part, (_, word))| {
        let option = part.filter(|part| part.len() > 1 && !part.contains(char::is_lowercase));
        option.map_or(word, |option| option.as_bytes().to_vec())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A panic would end the server.
    #[test]
    fn no_request_panics(requests in vec((any::<Index>(), vec((weighted(0.8), word()), 0..12)), 1..12)) {
        // Where some of them save.
        let folder = tempfile::tempdir().unwrap();
        let dir = Some(folder.path().into());
        let mut session = Session::with(Config { max_bulk: 100_000, dir, ..Config::default() });
        KEYS.split('|').for_each(|line| _ = session.run(line));
        // All except DEBUG SLEEP, which would do what it is told.
        let specs: Vec<_> = TABLE.all()
            .filter(|command| command.spec.name != "debug")
            .flat_map(|command| command.subcommands.iter().map(|sub| sub.spec).chain([command.spec]))
            .collect();
        for (which, words) in requests {
            let spec = which.get(&specs);
            let name = spec.parent.into_iter().chain([spec.name]).map(|word| word.as_bytes().to_vec());
            let request: Vec<Vec<u8>> = name.chain(arguments(spec.syntax, words)).collect();
            session.request(&request);
        }
    }
}
