//! Properties that hold for any request.

use crate::command::table::TABLE;
use crate::config::settings::Config;
use crate::testing::Session;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What commands may take for names, numbers, options, patterns and times, and some that they should not.
const WORDS: &str = "k other 0 1 2 3 -1 99 9223372036854775807 -9223372036854775808 18446744073709551615 1e4000 -0.5 \
    EX px EXAT NX XX GT GET KEEPTTL PERSIST MATCH COUNT TYPE * [ \\ ID ADDR SKIPME no FILTERBY PATTERN AUTH SETNAME \
    timeout maxclients requirepass ASYNC OBJECT ENCODING get MSET client|list | all stats x\r\ny 512mb";

fn word() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&str> = WORDS.split(' ').collect();
    prop_oneof![
        8 => select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A panic would end the server.
    #[test]
    fn no_request_panics(requests in vec((any::<Index>(), vec(word(), 0..7)), 1..8)) {
        let mut session = Session::with(Config { max_bulk: 100_000, ..Config::default() });
        // All except DEBUG SLEEP, which would do what it is told.
        let names: Vec<Vec<&str>> = TABLE.all()
            .filter(|command| command.spec.name != "debug")
            .flat_map(|command| {
                let subs = command.subcommands.iter().map(|sub| vec![command.spec.name, sub.spec.name]);
                subs.chain([vec![command.spec.name]])
            })
            .collect();
        for (which, args) in requests {
            let name = which.get(&names).iter().map(|word| word.as_bytes().to_vec());
            let request: Vec<Vec<u8>> = name.chain(args).collect();
            session.request(&request);
        }
    }
}
