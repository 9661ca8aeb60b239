use crate::scripting::running::Running;
use crate::testing::Session;

/// A session and a way to run a script without quotes in it.
fn eval(session: &mut Session, script: &str, rest: &[&str]) -> String {
    let mut request = vec![b"EVAL".to_vec(), script.as_bytes().to_vec()];
    request.extend(rest.iter().map(|word| word.as_bytes().to_vec()));
    let reply = session.request(&request);
    String::from_utf8_lossy(&reply).replace("\r\n", " ").trim_end().into()
}

#[test]
fn scripts_run_commands() {
    let mut session = Session::new();
    for (script, rest, reply) in [
        ("return redis.call('set', KEYS[1], ARGV[1])", &["1", "k", "v"][..], "+OK"),
        ("return {redis.call('get', KEYS[1]), #ARGV}", &["1", "k"], "*2 $1 v :0"),
        ("return redis.call('get', 'nokey')", &["0"], "$-1"),
        ("return redis.pcall('incr', KEYS[1])", &["1", "k"], "-ERR value is not an integer or out of range"),
        (
            "return redis.call('nosuch')",
            &["0"],
            "-ERR Unknown Redis command called from script script: 206396248e12c6e742fd7296250433c8d7343b74, on \
             @user_script:1.",
        ),
        ("return redis.pcall('get')", &["0"], "-ERR Wrong number of args calling Redis command from script"),
        ("return redis.pcall('subscribe', 'c')", &["0"], "-ERR This Redis command is not allowed from script"),
        ("return 1", &["2", "a"], "-ERR Number of keys can't be greater than number of args"),
        ("return 1", &["-1"], "-ERR Number of keys can't be negative"),
        ("return 1", &["a"], "-ERR value is not an integer or out of range"),
        ("not Lua", &["a"], "-ERR value is not an integer or out of range"),
        ("return redis.call('select', 1)", &["0"], "+OK"),
        ("return redis.call('get', KEYS[1])", &["1", "k"], "$1 v"),
        ("redis.setresp(3) return redis.call('hgetall', 'nokey')", &["0"], "*0"),
        ("return redis.acl_check_cmd('set', 'a', 'b')", &["0"], ":1"),
    ] {
        assert_eq!(eval(&mut session, script, rest), reply, "{script}");
    }
}

#[test]
fn scripts_are_known_by_their_hash() {
    let mut session = Session::new();
    const SHA: &str = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    session.expect(&[
        (&format!("EVALSHA {SHA} 0"), "-NOSCRIPT No matching script. Please use EVAL."),
        ("SCRIPT LOAD 'return 1'", &format!("$40 {SHA}")),
        (&format!("EVALSHA {SHA} 0"), ":1"),
        (&format!("EVALSHA_RO {} 0", SHA.to_uppercase()), ":1"),
        (&format!("SCRIPT EXISTS {SHA} x"), "*2 :1 :0"),
        ("SCRIPT FLUSH x", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
        ("SCRIPT FLUSH ASYNC", "+OK"),
        (&format!("SCRIPT EXISTS {SHA} x"), "*2 :0 :0"),
        ("SCRIPT LOAD 'retu 1'", "-ERR Error compiling script (new function): user_script:1: '=' expected near '1'"),
        ("SCRIPT KILL", "-NOTBUSY No scripts in execution right now."),
        ("SCRIPT DEBUG no", "+OK"),
        ("SCRIPT DEBUG x", "-ERR Use SCRIPT DEBUG YES/SYNC/NO"),
    ]);
}

#[test]
fn scripts_of_eval_are_forgotten_when_they_are_many() {
    use crate::scripting::scripts::EVALUATED_MAX;
    let mut session = Session::new();
    session.run("SCRIPT LOAD 'return 1'");
    for number in 0..=EVALUATED_MAX {
        assert_eq!(eval(&mut session, &format!("return {number} + 0"), &["0"]), format!(":{number}"));
    }
    assert_eq!(session.server.scripting.scripts.len(), EVALUATED_MAX + 1);
    session.expect(&[("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", ":1")]);
}

#[test]
fn what_a_script_says_of_itself_holds() {
    let mut session = Session::new();
    for (script, reply) in [
        (
            "#!lua flags=no-writes\nreturn redis.pcall('set', 'a', 1)",
            "-ERR Write commands are not allowed from read-only scripts.",
        ),
        ("#!lua flags=no-writes\nreturn 1", ":1"),
        ("#!lua\nreturn redis.call('set', 'a', 1)", "+OK"),
        ("#!lua foo=1\nreturn 1", "-ERR Unknown lua shebang option: foo=1"),
        ("#!js\nreturn 1", "-ERR Unexpected engine in script shebang: #!js"),
    ] {
        assert_eq!(eval(&mut session, script, &["0"]), reply, "{script}");
    }
    session.expect(&[
        (
            "EVAL_RO \"return redis.pcall('set', 'a', 1)\" 0",
            "-ERR Write commands are not allowed from read-only scripts.",
        ),
        ("EVAL_RO \"#!lua\\nreturn 1\" 0", "-ERR Can not execute a script with write flag using *_ro command."),
    ]);
    let known = session.run("SCRIPT LOAD \"return redis.pcall('set', 'a', 1)\"");
    let sha = known.split(' ').nth(1).unwrap();
    session.expect(&[
        (&format!("EVALSHA_RO {sha} 0"), "-ERR Write commands are not allowed from read-only scripts."),
        (&format!("EVALSHA {sha} 0"), "+OK"),
    ]);
}

#[test]
fn without_memory_only_what_may_go_on_does() {
    let mut session = Session::new();
    session.expect(&[("CONFIG SET maxmemory 1", "+OK")]);
    const OUT_OF_MEMORY: &str = "-OOM command not allowed when used memory > 'maxmemory'.";
    for (script, reply) in [
        ("return redis.pcall('set', 'a', 1)", OUT_OF_MEMORY),
        ("#!lua\nreturn 1", OUT_OF_MEMORY),
        ("#!lua flags=allow-oom\nreturn redis.call('set', 'a', 1)", "+OK"),
        ("#!lua flags=no-writes\nreturn redis.call('get', 'a')", "$1 1"),
        ("redis.call('del', 'a') return redis.pcall('set', 'a', 1)", "+OK"),
    ] {
        assert_eq!(eval(&mut session, script, &["0"]), reply, "{script}");
    }
}

#[test]
fn while_writes_are_paused_scripts_that_say_that_they_only_read_run() {
    let mut session = Session::new();
    let known = session.run("SCRIPT LOAD \"#!lua flags=no-writes\\nreturn 1\"");
    let known = known.strip_prefix("$40 ").unwrap().to_string();
    session.expect(&[("CLIENT PAUSE 1000 WRITE", "+OK")]);
    session.expect(&[(&format!("EVALSHA {known} 0"), ":1")]);
    assert_eq!(eval(&mut session, "#!lua flags=no-writes\nreturn 1", &["0"]), ":1");
    assert!(session.client.postponed.is_none());
    for script in ["#!lua\nreturn 1", "return 1"] {
        assert_eq!(eval(&mut session, script, &["0"]), "", "{script}");
        assert!(session.client.postponed.take().is_some());
    }
}

#[test]
fn scripts_do_what_their_user_may() {
    let mut session = Session::new();
    session.expect(&[("ACL SETUSER u on nopass ~a* resetchannels +@all -get", "+OK"), ("AUTH u x", "+OK")]);
    for (script, reply) in [
        ("return redis.pcall('get', 'a')", "-ERR The user executing the script can't run this command or subcommand"),
        (
            "return redis.pcall('set', 'b', 1)",
            "-ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
        ),
        (
            "return redis.pcall('publish', 'b', 1)",
            "-ERR The user executing the script can't publish to the channel mentioned in the command",
        ),
        ("return redis.call('set', 'a', 1)", "+OK"),
        ("return {redis.acl_check_cmd('get', 'a'), redis.acl_check_cmd('set', 'a', 1)}", "*2 $-1 :1"),
    ] {
        assert_eq!(eval(&mut session, script, &["0"]), reply, "{script}");
    }
    assert!(session.run("ACL LOG 1").contains("lua"));
}

#[test]
fn a_script_in_a_transaction_is_part_of_it() {
    let mut session = Session::new();
    session.expect(&[
        ("MULTI", "+OK"),
        ("EVAL \"return redis.call('incr', KEYS[1])\" 1 n", "+QUEUED"),
        ("GET n", "+QUEUED"),
        ("EXEC", "*2 :1 $1 1"),
        ("WATCH n", "+OK"),
        ("EVAL \"return redis.call('incr', KEYS[1])\" 1 n", ":2"),
        ("MULTI", "+OK"),
        ("EXEC", "*-1"),
    ]);
}

#[test]
fn what_a_script_changes_is_told_as_one() {
    let mut session = Session::new();
    session.server.set_streams(true, true);
    session.run("SET a 1");
    session.server.streams.log.bytes.clear();
    session.server.streams.replicas.bytes.clear();
    eval(
        &mut session,
        "redis.call('incr','a') redis.call('get','a') redis.set_repl(redis.REPL_NONE) redis.call('set','b',1) \
         redis.set_repl(redis.REPL_AOF) redis.call('set','c',1) redis.set_repl(redis.REPL_REPLICA) \
         redis.call('set','d',1) redis.set_repl(redis.REPL_ALL) redis.call('spop','x')",
        &["0"],
    );
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", " ");
    let streams = &session.server.streams;
    let multi = |last: &str| format!("*1 $5 MULTI *2 $4 incr $1 a *3 $3 set $1 {last} $1 1 *1 $4 EXEC ");
    assert_eq!(shown(&streams.log.bytes), multi("c"));
    assert_eq!(shown(&streams.replicas.bytes), multi("d"));
}

#[test]
fn nobody_is_woken_in_the_midst_of_a_script() {
    let mut session = Session::new();
    let mut waiting = session.other();
    assert_eq!(session.run_as(&mut waiting, "BLPOP l 0"), "");
    let reply = eval(&mut session, "redis.call('rpush','l','a') return redis.call('rpop','l')", &["0"]);
    assert_eq!((reply.as_str(), session.received(&mut waiting).as_str()), ("$1 a", ""));
    eval(&mut session, "redis.call('rpush','l','b')", &["0"]);
    assert_eq!(session.received(&mut waiting), "*2 $1 l $1 b");
}

#[test]
fn monitors_see_what_scripts_do() {
    let mut session = Session::new();
    let mut monitor = session.other();
    session.run_as(&mut monitor, "MONITOR");
    session.received(&mut monitor);
    eval(&mut session, "return redis.call('get','a')", &["0"]);
    let seen = session.received(&mut monitor);
    let (script, command) = (seen.find("\"EVAL\""), seen.find("[0 lua] \"get\" \"a\""));
    assert!(script.is_some() && script < command, "{seen}");
    // What others ask for meanwhile does not come from it.
    let started = session.server.clock.mark();
    session.server.scripting.running = Some(Running::new(false, b"", started));
    session.run("PING");
    assert!(session.received(&mut monitor).ends_with(" [0 ?:0] \"PING\""));
    session.server.scripting.running = None;
    for (request, reply) in [("EVALSHA x 0", "-NOSCRIPT"), ("EVAL x 0", "-ERR"), ("FCALL x 0", "-ERR")] {
        assert!(session.run(request).starts_with(reply));
        let (name, _) = request.split_once(' ').unwrap();
        assert!(session.received(&mut monitor).ends_with(&format!("\"{name}\" \"x\" \"0\"")));
    }
}

#[test]
fn scripts_do_not_wait_and_see_sets_in_order() {
    let mut session = Session::new();
    session.run("SADD s b c a z");
    for (script, reply) in [
        (
            "return redis.pcall('xread','block',0,'streams','x','0')",
            "-ERR xread command is not allowed with BLOCK option from scripts",
        ),
        ("return redis.call('sort','s','by','nosort')", "*4 $1 a $1 b $1 c $1 z"),
        ("return redis.error_reply('CODE text')", "-CODE text"),
        ("return redis.error_reply('')", "-ERR"),
        ("return redis.pcall('debug','change-repl-id')", "-ERR This Redis command is not allowed from script"),
    ] {
        assert_eq!(eval(&mut session, script, &["0"]), reply, "{script}");
    }
    session.expect(&[("DEBUG SET-DISABLE-DENY-SCRIPTS 1", "+OK")]);
    assert_eq!(eval(&mut session, "return redis.call('debug','change-repl-id')", &["0"]), "+OK");
}

#[test]
fn what_a_script_is_refused_is_the_command_s_failure() {
    let mut session = Session::new();
    session.expect(&[("CONFIG SET maxmemory 1", "+OK"), ("CONFIG RESETSTAT", "+OK")]);
    eval(&mut session, "redis.pcall('set', 'x', 'y') return 1", &["0"]);
    let info = session.run("INFO commandstats");
    let calls = |name: &str| {
        info.split(' ').find(|line| line.starts_with(&format!("cmdstat_{name}:"))).unwrap_or_default().to_string()
    };
    assert!(calls("eval").ends_with("rejected_calls=0,failed_calls=0"), "{info}");
    assert!(calls("set").ends_with("rejected_calls=1,failed_calls=0"), "{info}");
    // Unless it is what the script returns.
    for script in ["return redis.pcall('set', 'x', 'y')", "return redis.call('set', 'x', 'y')"] {
        session.run("CONFIG RESETSTAT");
        eval(&mut session, script, &["0"]);
        let info = session.run("INFO commandstats");
        assert!(info.contains("cmdstat_eval:calls=1") && info.contains("rejected_calls=0,failed_calls=1"), "{info}");
        assert!(session.run("INFO errorstats").contains("errorstat_OOM:count=1"));
    }
}

#[test]
fn a_script_that_reads_is_told_of_its_keys() {
    let mut session = Session::new();
    let mut reader = session.other();
    session.expect(&[("MSET a 1 b 1 c 1", "+OK")]);
    session.run_as(&mut reader, "HELLO 3");
    session.run_as(&mut reader, "CLIENT TRACKING on");
    for (script, told) in [
        ("EVAL \"redis.call('set','c',1)\" 2 a b", false),
        ("EVAL \"redis.call('get','c')\" 2 a b", true),
        // The keys of its own request count, whatever else it reads.
        ("EVAL \"redis.call('get','a')\" 0", false),
        ("EVAL_RO \"redis.call('ping')\" 2 a b", false),
        ("EVAL_RO \"redis.call('get','a')\" 2 a b", true),
    ] {
        session.run_as(&mut reader, script);
        session.received(&mut reader);
        session.run("MSET a 2 b 2");
        assert_eq!(session.received(&mut reader).contains("invalidate"), told, "{script}");
    }
}

#[test]
fn memory_of_scripts_counts_and_is_limited() {
    let mut session = Session::new();
    assert_eq!(session.number("used_memory_lua"), 0);
    session.expect(&[
        ("CONFIG GET script-memory-limit", "*2 $19 script-memory-limit $10 1073741824"),
        ("CONFIG SET script-memory-limit 8mb", "+OK"),
        ("EVAL \"KEYS[1] = ('x'):rep(1000000) return #KEYS[1]\" 0", ":1000000"),
    ]);
    assert!(session.number("used_memory_lua") > 1_000_000);
    assert_eq!(session.number("used_memory_vm_eval"), session.number("used_memory_lua"));
    assert_eq!(session.number("number_of_cached_scripts"), 1);
    let scripts = session.server.scripting.scripts.memory();
    let caches = format!(" lua.caches :{scripts} functions.caches :0 ");
    assert!(session.run("MEMORY STATS").replace("$10 ", "").replace("$16 ", "").contains(&caches));
    let long = format!("return 1 --{}", "x".repeat(10_000));
    assert_eq!(eval(&mut session, &long, &["0"]), ":1");
    assert!((10_000..20_000).contains(&(session.server.scripting.scripts.memory() - scripts)));
    for _ in 0..3 {
        let endless = eval(&mut session, "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", &["0"]);
        assert_eq!(endless, "-ERR not enough memory");
        session.expect(&[("EVAL \"return ARGV[1]\" 0 a", "$1 a")]);
    }
    assert!(session.number("used_memory_lua") < 2_000_000);
    // What commands reply counts.
    session.run("SETRANGE long 9000000 x");
    for thousand in 0..200 {
        let numbers = (0..1000).map(|number| format!("{thousand}-{number}").into_bytes());
        session.request(&[b"RPUSH".to_vec(), b"many".to_vec()].into_iter().chain(numbers).collect::<Vec<_>>());
    }
    for command in ["'get', 'long'", "'lrange', 'many', 0, -1"] {
        let script = format!("return redis.pcall({command}).err");
        assert_eq!(eval(&mut session, &script, &["0"]), "$21 ERR not enough memory", "{command}");
    }
    session.run("DEL long many");
    // The reply counts, too, and an error takes the place of all of it.
    let reply = "local s, t = ('x'):rep(1000000), {} for i = 1, 100 do t[i] = s end return t";
    assert_eq!(eval(&mut session, reply, &["0"]), "-ERR not enough memory");
    // Libraries have an interpreter of their own.
    let library = "#!lua name=lib\nlocal kept = {} redis.register_function('keep', function(k, a) \
        for i = 1, a[1] do kept[#kept + 1] = ('x'):rep(1000) .. #kept end return #kept end)";
    session.request(&["FUNCTION", "LOAD", library].map(|word| word.as_bytes().to_vec()));
    session.expect(&[
        ("FCALL keep 0 3000", ":3000"),
        ("FCALL keep 0 9000", "-ERR not enough memory"),
        ("EVAL \"return #('x'):rep(1000000)\" 0", ":1000000"),
        ("CONFIG SET script-memory-limit 100mb", "+OK"),
    ]);
    let kept = session.run("FCALL keep 0 9000");
    assert!(kept[1..].parse::<u64>().is_ok_and(|kept| kept >= 12_000), "{kept}");
    session.expect(&[
        ("FUNCTION FLUSH", "+OK"),
        ("CONFIG SET script-memory-limit 1000", "-ERR CONFIG SET failed (possibly related to argument 'script-memory-limit') - argument must be between 1048576 and 9223372036854775807 inclusive"),
    ]);
    assert_eq!(session.number("used_memory_vm_functions"), 0);
}

#[test]
fn what_came_from_the_primary_or_has_written_cannot_be_killed() {
    let mut session = Session::new();
    let started = session.server.clock.mark();
    session.server.scripting.running = Some(Running { is_ordered: true, ..Running::new(false, b"", started) });
    let reply = session.run("SCRIPT KILL");
    assert!(reply.starts_with("-UNKILLABLE The busy script was sent by a master instance"), "{reply}");
    session.server.scripting.running = Some(Running { has_written: true, ..Running::new(false, b"", started) });
    let reply = session.run("SCRIPT KILL");
    assert!(reply.starts_with("-UNKILLABLE Sorry the script already executed write commands"), "{reply}");
    session.server.scripting.running = Some(Running::new(true, b"", started));
    let reply = session.run("SCRIPT KILL");
    assert!(reply.starts_with("-BUSY "), "{reply}");
    session.expect(&[("FUNCTION KILL", "+OK")]);
}

#[test]
fn a_script_of_the_primary_adds_data_without_memory() {
    let mut session = Session::new();
    session.run("CONFIG SET maxmemory 1");
    let script = "return redis.call('set', KEYS[1], 'v')";
    let reply = eval(&mut session, script, &["1", "k"]);
    assert!(reply.starts_with("-OOM "), "{reply}");
    session.client.is_primary = true;
    eval(&mut session, script, &["1", "k"]);
    session.client.is_primary = false;
    session.expect(&[("GET k", "$1 v")]);
}

/// Of scripts that were only evaluated, the oldest go; one that was loaded stays.
#[test]
fn evaluated_scripts_go_and_loaded_ones_stay() {
    let mut session = Session::new();
    let text = |number: usize| format!("return {number} --{}", "x".repeat(1000));
    let evaluate = |session: &mut Session, from: usize| {
        (from..from + 500).for_each(|number| assert_eq!(eval(session, &text(number), &["0"]), format!(":{number}")));
    };
    assert_eq!(eval(&mut session, &text(0), &["0"]), ":0");
    let loaded = String::from_utf8(session.request(&[b"SCRIPT".into(), b"LOAD".into(), text(0).into()])).unwrap();
    let sha = loaded.lines().nth(1).unwrap().to_string();
    evaluate(&mut session, 1);
    let memory = session.server.scripting.scripts.memory();
    evaluate(&mut session, 501);
    let later = session.server.scripting.scripts.memory();
    assert!(later < memory + 100_000, "{memory} {later}");
    session.expect(&[(&format!("EVALSHA {sha} 0"), ":0")]);
}

/// The commands that it calls may not: they are looked at one by one.
#[test]
fn a_script_may_run_with_stale_data_if_it_says_so() {
    let mut session = Session::new();
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK"), ("CONFIG SET replica-serve-stale-data no", "+OK")]);
    let stale = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    let read_only = "-READONLY You can't write against a read only replica.";
    for (flags, while_read_only, otherwise) in [
        ("", read_only, stale),
        ("flags=no-writes", stale, stale),
        ("flags=allow-stale", read_only, ":1"),
        ("flags=allow-stale,no-writes", ":1", ":1"),
    ] {
        for (setting, expected) in [("yes", while_read_only), ("no", otherwise)] {
            session.run(&format!("CONFIG SET replica-read-only {setting}"));
            assert_eq!(eval(&mut session, &format!("#!lua {flags}\nreturn 1"), &["0"]), expected, "{flags} {setting}");
        }
    }
    let reply = eval(&mut session, "#!lua flags=allow-stale\nreturn redis.call('get', 'k')", &["0"]);
    assert!(reply.starts_with("-ERR Can not execute the command on a stale replica script: "), "{reply}");
    assert_eq!(eval(&mut session, "#!lua flags=allow-stale\nreturn redis.call('publish', 'c', 'm')", &["0"]), ":0");
}

/// Commands of the append-only file have been run before, with as little memory.
#[test]
fn a_script_of_the_append_only_file_adds_data_without_memory() {
    let mut session = Session::new();
    session.run("CONFIG SET maxmemory 1");
    session.client.is_log = true;
    eval(&mut session, "return redis.call('set', KEYS[1], 'v')", &["1", "k"]);
    session.client.is_log = false;
    session.expect(&[("GET k", "$1 v")]);
}

/// Not one that the script has called.
#[test]
fn the_last_command_of_a_client_is_the_script() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "EVAL \"return redis.call('get', 'k')\" 0");
    let list = session.run(&format!("CLIENT LIST ID {}", other.id));
    assert!(list.contains(" cmd=eval "), "{list}");
}

#[test]
fn a_script_that_only_reads_may_not_publish() {
    let mut session = Session::new();
    let script = "#!lua flags=no-writes\nreturn redis.call('publish', 'c', 'm')";
    let reply = eval(&mut session, script, &["0"]);
    assert!(reply.starts_with("-ERR Write commands are not allowed from read-only scripts."), "{reply}");
}

#[test]
fn a_script_has_written_also_if_it_reads_then() {
    let mut session = Session::new();
    let script = "redis.call('set', 'k', 'v') redis.call('get', 'k') redis.call('config', 'set', 'maxmemory', '1')\
                  return redis.call('append', 'k', 'w')";
    session.run("DEBUG SET-DISABLE-DENY-SCRIPTS 1");
    session.run("CONFIG SET maxmemory 0");
    assert_eq!(eval(&mut session, script, &["0"]), ":2");
}

#[test]
fn what_is_wrong_with_a_script_s_name_comes_before_what_is_wrong_with_its_keys() {
    Session::new().expect(&[
        ("EVALSHA x y", "-NOSCRIPT No matching script. Please use EVAL."),
        (&format!("EVALSHA {} y", "0".repeat(40)), "-ERR value is not an integer or out of range"),
        (&format!("EVALSHA {} 0", "0".repeat(40)), "-NOSCRIPT No matching script. Please use EVAL."),
        ("SCRIPT DEBUG yes", "-ERR this server has no debugger for scripts"),
        ("SCRIPT DEBUG Sync", "-ERR this server has no debugger for scripts"),
        ("SCRIPT DEBUG x", "-ERR Use SCRIPT DEBUG YES/SYNC/NO"),
    ]);
}

/// Whichever command should end it.
#[test]
fn that_it_has_written_is_told_first() {
    let mut session = Session::new();
    let started = session.server.clock.mark();
    session.server.scripting.running = Some(Running { has_written: true, ..Running::new(false, b"", started) });
    for request in ["FUNCTION KILL", "SCRIPT KILL"] {
        let reply = session.run(request);
        assert!(
            reply.starts_with("-UNKILLABLE Sorry the script already executed write commands"),
            "{request}: {reply}"
        );
    }
    session.server.scripting.running = Some(Running::new(false, b"", started));
    session.expect(&[("SCRIPT KILL", "+OK")]);
    assert!(session.server.scripting.running.as_ref().unwrap().killed);
}

/// With whatever they have left in the interpreter.
#[test]
fn scripts_that_are_flushed_leave_no_memory() {
    let mut session = Session::new();
    eval(&mut session, "return 1", &["0"]);
    assert!(session.number("used_memory_vm_eval") > 0);
    session.expect(&[("SCRIPT FLUSH", "+OK")]);
    assert_eq!((session.number("used_memory_vm_eval"), session.number("number_of_cached_scripts")), (0, 0));
}
