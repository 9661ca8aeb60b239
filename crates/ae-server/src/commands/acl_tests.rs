use crate::clients::client::Closing;
use crate::config::choices::Allowed;
use crate::config::groups::RenameLine;
use crate::config::settings::Config;
use crate::log::{Level, heard};
use crate::testing::Session;

const NO_COMMAND: &str = "-NOPERM this user has no permissions to run the 'get' command";
const NO_KEY: &str = "-NOPERM this user has no permissions to access one of the keys used as arguments";
const NO_CHANNEL: &str = "-NOPERM this user has no permissions to access one of the channels used as arguments";

#[test]
fn sort_looks_up_keys_for_those_who_may_read_all() {
    let mut session = Session::new();
    let mut other = session.other();
    let denied = |option| format!("-ERR {option} option of SORT denied due to insufficient ACL permissions.");
    session.expect(&[
        ("RPUSH l 2 1", ":2"),
        ("SET v1 1", "+OK"),
        ("ACL SETUSER u on nopass +sort +auth ~l ~v*", "+OK"),
    ]);
    session.run_as(&mut other, "AUTH u x");
    assert_eq!(session.run_as(&mut other, "SORT l"), "*2 $1 1 $1 2");
    assert_eq!(session.run_as(&mut other, "SORT l BY nosort"), "*2 $1 2 $1 1");
    assert_eq!(session.run_as(&mut other, "SORT l BY v* x"), denied("BY"));
    assert_eq!(session.run_as(&mut other, "SORT l GET #"), denied("GET"));
    // A selector that does not allow the command does not count, nor does one for writing.
    session.expect(&[("ACL SETUSER u (+get ~*) (+sort ~l %W~*)", "+OK")]);
    assert_eq!(session.run_as(&mut other, "SORT l GET v*"), denied("GET"));
    session.expect(&[("ACL SETUSER u (+sort ~l %R~*)", "+OK")]);
    assert_eq!(session.run_as(&mut other, "SORT l BY v* GET v*"), "*2 $-1 $1 1");
}

#[test]
fn rights_count_when_a_waiting_request_is_served() {
    let mut session = Session::new();
    let (mut other, mut third) = (session.other(), session.other());
    session.expect(&[("ACL SETUSER u on nopass +@all ~*", "+OK")]);
    session.run_as(&mut other, "AUTH u x");
    session.run_as(&mut other, "BLPOP k 0");
    session.run_as(&mut third, "BLPOP k 0");
    session.expect(&[("ACL SETUSER u resetkeys", "+OK"), ("RPUSH k a", ":1"), ("LLEN k", ":0")]);
    assert_eq!(session.received(&mut other), NO_KEY);
    assert_eq!(session.received(&mut third), "*2 $1 k $1 a");
    session.expect(&[("ACL SETUSER u allkeys -blpop", "+OK")]);
}

#[test]
fn users_and_their_rules() {
    Session::new().expect(&[
        ("ACL WHOAMI", "$7 default"),
        ("ACL LIST", "*1 $34 user default on nopass ~* &* +@all"),
        ("ACL SETUSER u on >p ~k* &c +get (+set ~x)", "+OK"),
        ("ACL SETUSER u +nosuch", "-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL"),
        ("ACL SETUSER u (+get", "-ERR Unmatched parenthesis in acl selector starting at '(+get'."),
        ("ACL SETUSER \"a b\"", "-ERR Usernames can't contain spaces or null characters"),
        (
            "ACL GETUSER u",
            "*12 $5 flags *1 $2 on $9 passwords *1 $64 \
             148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940 $8 commands $10 -@all +get $4 keys $3 ~k* \
             $8 channels $2 &c $9 selectors *1 *6 $8 commands $10 -@all +set $4 keys $2 ~x $8 channels $0 ",
        ),
        ("ACL GETUSER nosuch", "$-1"),
        ("ACL USERS", "*2 $7 default $1 u"),
        ("ACL DELUSER u default", "-ERR The 'default' user cannot be removed"),
        ("ACL DELUSER u nosuch", ":1"),
        ("ACL CAT nosuch", "-ERR Unknown category 'nosuch'"),
        ("ACL CAT HyperLogLog", "*5 $5 pfadd $7 pfcount $7 pfdebug $7 pfmerge $10 pfselftest"),
        ("ACL GENPASS 0", "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"),
        ("ACL GENPASS x", "-ERR value is not an integer or out of range"),
        ("ACL LOG 1 2", "-ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP."),
    ]);
    let mut session = Session::new();
    let unknown = format!("-ERR Unknown category '{}'", "x".repeat(128));
    assert_eq!(session.run(&format!("ACL CAT {}", "x".repeat(129))), unknown);
    assert_eq!(session.run("ACL GENPASS").len(), "$64 ".len() + 64);
    assert_eq!(session.run("ACL GENPASS 5").len(), "$2 ".len() + 2);
    assert_ne!(session.run("ACL GENPASS"), session.run("ACL GENPASS"));
}

#[test]
fn what_administrators_do_is_dangerous() {
    let mut session = Session::new();
    let [admin, dangerous] = ["ACL CAT admin", "ACL CAT dangerous"].map(|line| session.run(line));
    let names = |list: &str| list.split(' ').filter(|word| !word.starts_with(['$', '*'])).map(String::from).collect();
    let (admin, dangerous): (Vec<String>, Vec<String>) = (names(&admin), names(&dangerous));
    assert!(admin.iter().any(|name| name == "shutdown"), "{admin:?}");
    assert_eq!(admin.iter().find(|name| !dangerous.contains(name)), None);
    session.expect(&[("ACL SETUSER u on nopass ~* +@all -@dangerous", "+OK"), ("AUTH u x", "+OK"), ("SET k v", "+OK")]);
    session.expect(&[("REPLICAOF NO ONE", "-NOPERM this user has no permissions to run the 'replicaof' command")]);
}

#[test]
fn requests_without_the_right() {
    let mut session = Session::new();
    session.expect(&[
        ("ACL SETUSER u on nopass ~k* &c +get +set +publish +spublish +subscribe +multi +exec", "+OK"),
        ("AUTH u x", "+OK"),
        ("GET k", "$-1"),
        ("GET x", NO_KEY),
        ("DEL k", "-NOPERM this user has no permissions to run the 'del' command"),
        ("ACL WHOAMI", "-NOPERM this user has no permissions to run the 'acl|whoami' command"),
        ("PUBLISH c m", ":0"),
        ("PUBLISH d m", NO_CHANNEL),
        ("SPUBLISH c m", ":0"),
        ("SPUBLISH d m", NO_CHANNEL),
        ("MULTI", "+OK"),
        ("GET x", NO_KEY),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("AUTH default x", "+OK"),
        ("ACL SETUSER u -exec", "+OK"),
        ("AUTH u x", "+OK"),
        ("MULTI", "+OK"),
        (
            "EXEC",
            "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' command",
        ),
        ("MULTI", "+OK"),
    ]);
}

#[test]
fn rights_change_at_once() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run("ACL SETUSER u on nopass ~* +@all");
    for (line, reply) in [("AUTH u x", "+OK"), ("MULTI", "+OK"), ("GET k", "+QUEUED")] {
        assert_eq!(session.run_as(&mut other, line), reply);
    }
    session.run("ACL SETUSER u -get");
    assert_eq!(
        session.run_as(&mut other, "EXEC"),
        "*1 -NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
         command is no longer allowed for the following reason: no permission to execute the command or subcommand"
    );
    assert_eq!(session.run_as(&mut other, "GET k"), NO_COMMAND);
    session.expect(&[("CLIENT KILL USER u", ":1"), ("CLIENT KILL USER v", "-ERR No such user 'v'")]);
    assert!(session.server.clients.get_same(other).is_none());
}

#[test]
fn what_was_refused_is_told() {
    let mut session = Session::new();
    session.run("ACL SETUSER u on nopass ~k +get +multi +exec +discard");
    session.run("AUTH u wrong-is-right");
    for line in ["GET x", "GET x", "SET k 1", "MULTI", "GET y", "DISCARD", "MULTI", "AUTH nosuch x", "EXEC"] {
        session.run(line);
    }
    session.run("AUTH default x");
    session.run("RESET");
    session.wait(1500);
    let log = session.run("ACL LOG");
    for part in [
        "*4 *14 $5 count :1 $6 reason $4 auth $7 context $5 multi $6 object $4 AUTH $8 username $6 nosuch \
         $11 age-seconds $3 1.5 $11 client-info $",
        "$6 reason $3 key $7 context $5 multi $6 object $1 y $8 username $1 u",
        "$6 reason $7 command $7 context $8 toplevel $6 object $3 set ",
        "$5 count :2 $6 reason $3 key $7 context $8 toplevel $6 object $1 x ",
        " cmd=get user=u redir=-1 ",
    ] {
        assert!(log.contains(part), "{part} in {log}");
    }
    session.run("ACL LOG RESET");
    // A right that was lost after the request was queued.
    session.run("AUTH u x");
    session.expect(&[("MULTI", "+OK"), ("GET k", "+QUEUED"), ("GET k", "+QUEUED")]);
    let mut other = session.other();
    session.run_as(&mut other, "ACL SETUSER u -get");
    assert!(session.run("EXEC").starts_with("*2 -NOPERM "));
    session.run("AUTH default x");
    let log = session.run("ACL LOG");
    for part in ["$5 multi $6 object $3 get ", " flags=x ", " multi=2 ", " cmd=exec user=u "] {
        assert!(log.contains(part), "{part} in {log}");
    }
    session.expect(&[
        ("CONFIG SET acllog-max-len 1", "+OK"),
        ("AUTH a b", WRONG),
        ("ACL LOG 0", "*0"),
        ("ACL LOG -1", "*0"),
    ]);
    assert!(session.run("ACL LOG 5").starts_with("*1 "));
    session.expect(&[("ACL LOG RESET", "+OK"), ("ACL LOG", "*0")]);
}

const WRONG: &str = "-WRONGPASS invalid username-password pair or user is disabled.";

#[test]
fn subscribers_that_lose_a_channel_are_ended() {
    let mut session = Session::new();
    session.run("ACL SETUSER u on nopass +@all &a* &b");
    let (mut kept, mut ended, mut by_pattern) = (session.other(), session.other(), session.other());
    for client in [&mut kept, &mut ended, &mut by_pattern] {
        session.run_as(client, "AUTH u x");
    }
    let mut of_another_user = session.other();
    session.run_as(&mut of_another_user, "SUBSCRIBE z");
    session.run_as(&mut kept, "SUBSCRIBE a1");
    session.run_as(&mut ended, "SSUBSCRIBE b");
    session.run_as(&mut by_pattern, "PSUBSCRIBE a*");
    session.run("ACL SETUSER u &c");
    assert!(session.server.clients.get_same(ended).is_some());
    session.run("ACL SETUSER u resetchannels &a*");
    assert!(session.server.clients.get_same(ended).is_none() && session.server.clients.get_same(kept).is_some());
    session.run("ACL SETUSER u resetchannels &a1");
    assert!(session.server.clients.get_same(by_pattern).is_none() && session.server.clients.get_same(kept).is_some());
    session.run("ACL DELUSER u");
    assert!(session.server.clients.get_same(kept).is_none());
    assert!(session.server.clients.get_same(of_another_user).is_some());
    session.run("ACL SETUSER v on nopass +@all allchannels");
    let mut of_all = session.other();
    session.run_as(&mut of_all, "AUTH v x");
    session.run_as(&mut of_all, "SUBSCRIBE z");
    session.run("ACL SETUSER v resetchannels &a*");
    assert!(session.server.clients.get_same(of_all).is_none());
}

#[test]
fn who_removes_itself_leaves() {
    let mut session = Session::new();
    session.expect(&[("ACL SETUSER u on nopass +@all", "+OK"), ("AUTH u x", "+OK"), ("ACL DELUSER u", ":1")]);
    assert_eq!(session.client.closing, Closing::AfterReplies);
}

#[test]
fn trying_a_request() {
    Session::new().expect(&[
        ("ACL SETUSER u ~k +get +publish", "+OK"),
        ("ACL DRYRUN nosuch GET k", "-ERR User 'nosuch' not found"),
        ("ACL DRYRUN u nosuch", "-ERR Command 'nosuch' not found"),
        ("ACL DRYRUN u config nosuch", "-ERR Command 'config' not found"),
        ("ACL DRYRUN u GET", "-ERR wrong number of arguments for 'get' command"),
        ("ACL DRYRUN u GET k", "+OK"),
        ("ACL DRYRUN u GET x", "$50 This user has no permissions to access the 'x' key"),
        ("ACL DRYRUN u PUBLISH c m", "$54 This user has no permissions to access the 'c' channel"),
        ("ACL DRYRUN u CONFIG GET x", "$60 This user has no permissions to run the 'config|get' command"),
    ]);
}

#[test]
fn the_file_of_users() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.acl");
    let text = "user default on nopass ~* &* +@all\nuser u on nopass resetchannels -@all +get\n";
    std::fs::write(&path, text).unwrap();
    let mut config = Config::default();
    config.security.acl_file = path.to_str().unwrap().into();
    let mut session = Session::with(config);
    session.server.load_security().unwrap();
    assert!(heard::take().is_empty());
    let mut other = session.other();
    session.run_as(&mut other, "AUTH u x");
    session.expect(&[("ACL SETUSER v on", "+OK"), ("ACL SAVE", "+OK")]);
    let saved = format!("{text}user v on resetchannels -@all\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), saved);
    session.server.config.security.acl_file = folder.path().join("none/users.acl").to_str().unwrap().into();
    let error = "-ERR There was an error trying to save the ACLs. Please check the server logs for more information";
    session.expect(&[("ACL SAVE", error)]);
    heard::told(Level::Warning, "cannot save the users: No such file or directory");
    session.server.config.security.acl_file = path.to_str().unwrap().into();
    std::fs::write(&path, "user default off\nusr").unwrap();
    let error = format!(
        "-ERR {}:2 should start with user keyword followed by the username. WARNING: ACL errors detected, no \
         change to the previously active ACL rules was performed",
        path.display()
    );
    session.expect(&[("ACL LOAD", &error), ("ACL USERS", "*3 $7 default $1 u $1 v")]);
    assert!(session.server.load_security().is_err());
    std::fs::write(&path, "user u on nopass +@all\n").unwrap();
    session.expect(&[
        ("ACL SETUSER default -flushall", "+OK"),
        ("ACL LOAD", "+OK"),
        ("ACL USERS", "*2 $7 default $1 u"),
    ]);
    std::fs::write(&path, "user u +@all\n").unwrap();
    session.server.load_security().unwrap();
    heard::expect(Level::Notice, &["the user 'u' is disabled: its rules have no 'on'"]);
    assert!(session.run("ACL LIST").contains("user default on nopass ~* &* +@all"), "as if it were not known");
    assert!(session.server.clients.get_same(other).is_none());
    assert!(
        Session::new().run("ACL SAVE").starts_with("-ERR This Redis instance is not configured to use an ACL file.")
    );
}

#[test]
fn passwords_of_the_default_user() {
    let mut session = Session::with(Config { password: b"secret".into(), ..Config::default() });
    session.expect(&[
        ("ACL WHOAMI", "-NOAUTH Authentication required."),
        ("AUTH secret", "+OK"),
        ("ACL SETUSER default >other", "+OK"),
        ("RESET", "+RESET"),
        ("AUTH other", "+OK"),
        ("CONFIG SET requirepass \"\"", "+OK"),
        ("AUTH other", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"),
        ("ACL SETUSER default off", "+OK"),
        ("GET k", "$-1"),
        ("RESET", "+RESET"),
        ("GET k", "-NOAUTH Authentication required."),
        ("AUTH default x", WRONG),
    ]);
}

#[test]
fn passwords_do_not_outlive_what_replaces_them() {
    let mut session = Session::with(Config { password: b"first".into(), ..Config::default() });
    session.expect(&[
        ("AUTH first", "+OK"),
        ("CONFIG SET requirepass second", "+OK"),
        ("AUTH first", WRONG),
        ("AUTH second", "+OK"),
        ("ACL SETUSER u on >p nopass", "+OK"),
        ("AUTH u any", "+OK"),
        ("AUTH second", "+OK"),
        ("ACL SETUSER u >q", "+OK"),
        ("AUTH u p", WRONG),
        ("AUTH u q", "+OK"),
    ]);
}

#[test]
fn a_user_is_restricted_from_the_moment_on_that_says_so() {
    let mut session = Session::new();
    let mut other = session.other();
    session.expect(&[("ACL SETUSER u on nopass allkeys allcommands allchannels", "+OK")]);
    assert_eq!(session.run_as(&mut other, "AUTH u x"), "+OK");
    session.expect(&[("ACL SETUSER u resetchannels", "+OK")]);
    assert_eq!(session.run_as(&mut other, "PUBLISH c m"), NO_CHANNEL);
    session.expect(&[("ACL SETUSER u allchannels", "+OK")]);
    assert_eq!(session.run_as(&mut other, "PUBLISH c m"), ":0");
    session.expect(&[
        ("MULTI", "+OK"),
        ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
    ]);
}

#[test]
fn renamed_commands() {
    let mut config = Config::default();
    config.security.debug_command = Allowed::Yes;
    config.security.renamed = [("get", "fetch"), ("del", ""), ("config", "cfg"), ("debug", "look")]
        .map(|(from, to)| RenameLine { from: from.into(), to: to.into(), place: String::new() })
        .to_vec();
    let mut session = Session::with(config);
    session.server.load_security().unwrap();
    session.expect(&[
        ("GET k", "-ERR unknown command 'GET', with args beginning with: 'k' "),
        ("DEL k", "-ERR unknown command 'DEL', with args beginning with: 'k' "),
        ("FETCH k", "$-1"),
        ("FETCH", "-ERR wrong number of arguments for 'get' command"),
        ("MULTI", "+OK"),
        ("Fetch k", "+QUEUED"),
        ("EXEC", "*1 $-1"),
        ("ACL SETUSER u on nopass +get", "+OK"),
        ("COMMAND INFO get", "*1 $-1"),
        ("COMMAND LIST FILTERBY PATTERN del", "*0"),
        ("COMMAND GETKEYS fetch k", "*1 $1 k"),
    ]);
    // Where to look, by the names that the commands have here.
    let wrong = "-ERR unknown subcommand or wrong number of arguments for";
    session.expect(&[
        ("cfg NoSuch", "-ERR unknown subcommand 'NoSuch'. Try CFG HELP."),
        ("LOOK nosuch", &format!("{wrong} 'nosuch'. Try LOOK HELP.")),
        ("LOOK segfault", "-ERR this server has no DEBUG 'segfault'. Try LOOK HELP."),
        ("ACL LOG 1 2", &format!("{wrong} 'LOG'. Try ACL HELP.")),
    ]);
    for name in ["CFG", "LOOK"] {
        assert!(session.run(&format!("{name} HELP")).contains(&format!("+{name} <subcommand> ")), "{name}");
    }
}

#[test]
fn a_password_that_was_given_by_acl_outlives_other_settings() {
    let mut session = Session::new();
    session.expect(&[("ACL SETUSER default resetpass >secret", "+OK")]);
    let before = session.run("ACL GETUSER default");
    session.expect(&[("CONFIG SET timeout 5", "+OK"), ("ACL GETUSER default", &before)]);
}

#[test]
fn nobody_has_to_say_who_it_is_when_the_password_has_gone() {
    let mut session = Session::new();
    session.run("CONFIG SET requirepass secret");
    let mut other = session.other();
    assert_eq!(session.run_as(&mut other, "GET k"), "-NOAUTH Authentication required.");
    session.expect(&[("CONFIG SET requirepass ''", "+OK")]);
    assert_eq!(session.run_as(&mut other, "GET k"), "$-1");
}

#[test]
fn a_denial_is_counted_with_an_equal_one_of_the_latest_ten() {
    let mut session = Session::new();
    let denials = |session: &mut Session| session.run("ACL LOG 100").matches("$8 username").count();
    (0..11).for_each(|number| drop(session.run(&format!("AUTH user{number} wrong"))));
    assert_eq!(denials(&mut session), 11);
    session.run("AUTH user1 wrong");
    assert_eq!(denials(&mut session), 11);
    session.run("AUTH user0 wrong");
    assert_eq!(denials(&mut session), 12);
    assert_eq!(session.run("ACL LOG").matches("$8 username").count(), 10);
}

#[test]
fn in_resp3_users_and_denials_are_maps_and_flags_are_sets() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[("ACL SETUSER u on nopass (+get ~k)", "+OK")]);
    let user = session.run("ACL GETUSER u");
    assert!(user.starts_with("%6 $5 flags ~2 $2 on $6 nopass $9 passwords *0 "), "{user}");
    assert!(user.contains(" $9 selectors *1 %3 $8 commands "), "{user}");
    session.expect(&[("AUTH u x", "+OK")]);
    session.run("PING");
    session.run("AUTH default x");
    assert!(session.run("ACL LOG").starts_with("*1 %7 $5 count :1 $6 reason $7 command "));
}

#[test]
fn a_category_has_commands_with_subcommands_and_these() {
    let mut session = Session::new();
    let slow = session.run("ACL CAT slow");
    assert!(slow.contains(" $6 pubsub ") && slow.contains(" $13 pubsub|numpat "), "{slow}");
    session.expect(&[("ACL CAT x y", "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.")]);
}

#[test]
fn the_key_is_named_that_a_user_may_not_use() {
    Session::new().expect(&[
        ("ACL SETUSER u on ~a &c +@all", "+OK"),
        ("ACL DRYRUN u MGET a b", "$50 This user has no permissions to access the 'b' key"),
    ]);
}

#[test]
fn only_the_owner_may_read_a_new_file_of_users() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.acl");
    let mut config = Config::default();
    config.security.acl_file = path.to_str().unwrap().into();
    let mut session = Session::with(config);
    session.expect(&[("ACL SAVE", "+OK")]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn without_a_file_of_users_there_is_nothing_to_load() {
    let refused = "-ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the \
                   ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file \
                   set) in order to store users in the Redis configuration.";
    Session::new().expect(&[("ACL LOAD", refused), ("ACL SAVE", refused), ("ACL USERS", "*1 $7 default")]);
}

#[test]
fn a_channel_is_there_once() {
    let mut session = Session::new();
    session.expect(&[("ACL SETUSER u &a &a &b", "+OK")]);
    assert!(session.run("ACL LIST").contains("user u off resetchannels &a &b -@all"));
}

#[test]
fn keys_that_were_taken_from_a_user_are_refused_in_its_transaction() {
    let mut session = Session::new();
    let mut other = session.other();
    session.expect(&[("ACL SETUSER u on nopass ~k &c +@all", "+OK")]);
    for line in ["AUTH u x", "MULTI", "GET k", "PUBLISH c m"] {
        session.run_as(&mut other, line);
    }
    session.expect(&[("ACL SETUSER u resetkeys", "+OK")]);
    let reply = session.run_as(&mut other, "EXEC");
    assert!(reply.contains("for the following reason: no permission to touch the specified keys"), "{reply}");
}

/// Whoever may subscribe to everything loses nothing.
#[test]
fn subscribers_stay_whose_user_may_have_all_channels() {
    let mut session = Session::new();
    session.expect(&[("ACL SETUSER u on nopass +@all &c", "+OK")]);
    let mut subscriber = session.other();
    session.run_as(&mut subscriber, "AUTH u x");
    session.run_as(&mut subscriber, "SUBSCRIBE c");
    session.received(&mut subscriber);
    session.expect(&[("ACL SETUSER u allchannels", "+OK"), ("PUBLISH c m", ":1")]);
}

/// The rest of its transaction it does as who it has become.
#[test]
fn who_removes_itself_is_the_default_user_until_it_has_its_replies() {
    let mut session = Session::new();
    let mut other = session.other();
    session.expect(&[("ACL SETUSER u on nopass +@all ~*", "+OK")]);
    session.run_as(&mut other, "AUTH u x");
    session.expect(&[("ACL SETUSER default -set", "+OK")]);
    for request in ["MULTI", "ACL DELUSER u", "SET k v"] {
        session.run_as(&mut other, request);
    }
    assert_eq!(session.run_as(&mut other, "EXEC"), "*2 :1");
    session.expect(&[("EXISTS k", ":0")]);
}
