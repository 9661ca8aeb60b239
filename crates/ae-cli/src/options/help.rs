//! What `--help` prints: one screen by topic.

/// The text.
pub fn text() -> String {
    format!("ae-cli {}\n{TEXT}", env!("CARGO_PKG_VERSION"))
}

const TEXT: &str = "
Usage: ae-cli [OPTIONS] [COMMAND [ARG...]]      Without a command: a prompt, or commands from standard input.

Connect    -h HOST  -p PORT  -s SOCKET          127.0.0.1 and 6379 unless told otherwise
           -u URI                               redis://user:password@host:port/db, rediss:// (TLS), unix:///path
           -a PASSWORD (--pass)  --user NAME    or REDISCLI_AUTH; --askpass asks; --no-auth-warning
           -n DB  -2  -3  -t SECONDS  -c        database, protocol, time to connect; -c follows a cluster's MOVED, ASK
TLS        --tls  --sni NAME  --insecure        --cacert FILE  --cacertdir FOLDER  --cert FILE  --key FILE
           --tls-ciphers LIST                   --tls-ciphersuites LIST
Commands   -r COUNT  -i SECONDS                 repeat (-1: forever), and how long to wait in between
           -x  -X TAG                           the last argument, or the one called TAG, is standard input
           --quoted-input  -e                   arguments have quotes and escapes; status 1 after an error
Output     --raw  --no-raw  --csv               as it is (into a pipe), for people (on a terminal), values with commas
           --json  --quoted-json                the second in ASCII
           -d TEXT  -D TEXT                     between raw elements, behind raw replies (a new line)
           --show-pushes y|n                    messages that answer nothing
Keys       --scan  --pattern P  --count N       all keys, those that match; --quoted-pattern P has escapes
           --bigkeys  --memkeys  --hotkeys      the biggest of each type, in elements, in memory; the most used
           --memkeys-samples N                  how many elements MEMORY USAGE looks at
Watch      --stat                               a line of figures each -i seconds
           --latency  --latency-history         round trips; --latency-dist in colours (--mono: in grey)
           --intrinsic-latency SECONDS          how long this machine lets a program wait
           --lru-test KEYS                      a cache under load: its hits and misses
Transfer   --pipe  --pipe-timeout SECONDS       send standard input, in the protocol, as fast as possible
           --rdb FILE  --functions-rdb FILE     fetch a snapshot; - is standard output
           --replica                            print what a replica is sent
Scripts    --eval FILE [KEY...] , [ARG...]      run a Lua script on the server
Cluster    --cluster call|info|check HOST:PORT  --cluster help lists them
           --help  --version
";
