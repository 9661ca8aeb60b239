use crate::testing::Session;

#[test]
fn numbers() {
    Session::new().expect(&[
        ("SORT none", "*0"),
        ("RPUSH l 10 9 -1.5 100 9", ":5"),
        ("SORT l", "*5 $4 -1.5 $1 9 $1 9 $2 10 $3 100"),
        ("SORT l DESC LIMIT 1 2", "*2 $2 10 $1 9"),
        ("SORT l LIMIT -1 2", "*2 $4 -1.5 $1 9"),
        ("SORT l LIMIT 4 -1", "*1 $3 100"),
        ("SORT l LIMIT 9 9", "*0"),
        ("SORT l ALPHA", "*5 $4 -1.5 $2 10 $3 100 $1 9 $1 9"),
        ("ZADD z 1 3 2 1 3 2", ":3"),
        ("SORT z", "*3 $1 1 $1 2 $1 3"),
        ("OBJECT ENCODING z", "$8 skiplist"),
        ("RPUSH l x", ":6"),
        ("SORT l", "-ERR One or more scores can't be converted into double"),
        ("SORT l BY none*", "*6 $4 -1.5 $2 10 $3 100 $1 9 $1 9 $1 x"),
    ]);
}

#[test]
fn a_sorted_set_becomes_large_even_if_it_is_not_sorted() {
    Session::new().expect(&[
        ("ZADD z 1 a", ":1"),
        ("SORT z BY nosort", "*1 $1 a"),
        ("OBJECT ENCODING z", "$8 skiplist"),
    ]);
}

#[test]
fn by_other_keys() {
    Session::new().expect(&[
        ("RPUSH l a b c", ":3"),
        ("MSET w_a 3 w_b 1 w_c 2 n_a one n_b two", "+OK"),
        ("SORT l BY w_*", "*3 $1 b $1 c $1 a"),
        ("SORT l BY w_* GET # GET n_*", "*6 $1 b $3 two $1 c $-1 $1 a $3 one"),
        ("SORT l BY n_* ALPHA", "*3 $1 c $1 a $1 b"),
        ("SORT l BY n_* ALPHA DESC", "*3 $1 b $1 a $1 c"),
        ("SORT l BY n_*", "-ERR One or more scores can't be converted into double"),
        ("SORT l ALPHA GET fixed", "*3 $-1 $-1 $-1"),
        ("SORT l GET n_*", "-ERR One or more scores can't be converted into double"),
        ("SORT l BY nosort GET n_*", "*3 $3 one $3 two $-1"),
        ("SORT l BY nosort DESC LIMIT 0 2", "*2 $1 c $1 b"),
        ("SORT l BY nosort GET n_*->f", "*3 $-1 $-1 $-1"),
    ]);
}

#[test]
fn storing() {
    Session::new().expect(&[
        ("RPUSH l 3 1 2", ":3"),
        ("SORT l STORE to", ":3"),
        ("TYPE to", "+list"),
        ("SORT to BY nosort", "*3 $1 1 $1 2 $1 3"),
        ("SORT l GET none_* STORE to", ":3"),
        ("SORT to BY nosort", "*3 $0  $0  $0 "),
        ("SORT none STORE to", ":0"),
        ("EXISTS to", ":0"),
        ("SORT_RO l STORE to", "-ERR syntax error"),
        ("SORT_RO l DESC", "*3 $1 3 $1 2 $1 1"),
    ]);
}

#[test]
fn what_is_sorted_and_looked_up_is_used() {
    let mut session = Session::new();
    session.expect(&[("RPUSH l a", ":1"), ("MSET w_a 1 n_a x", "+OK")]);
    session.wait(10_000);
    session.expect(&[
        ("SORT l BY w_* GET n_*", "*1 $1 x"),
        ("OBJECT IDLETIME l", ":0"),
        ("OBJECT IDLETIME w_a", ":0"),
        ("OBJECT IDLETIME n_a", ":0"),
    ]);
}

#[test]
fn what_cannot_be_sorted() {
    Session::new().expect(&[
        ("SET s v", "+OK"),
        ("SORT s", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SORT s LIMIT 1", "-ERR syntax error"),
        ("SORT s LIMIT 1 x", "-ERR value is not an integer or out of range"),
        ("SORT s BY", "-ERR syntax error"),
        ("SORT s WHAT", "-ERR syntax error"),
    ]);
}

#[test]
fn an_arrow_at_the_end_is_part_of_the_key() {
    Session::new().expect(&[
        ("RPUSH l 1", ":1"),
        ("SET k1-> x", "+OK"),
        ("HSET k1 f y", ":1"),
        ("SORT l GET k*->", "*1 $1 x"),
        ("SORT l GET k*->f", "*1 $1 y"),
    ]);
}

#[test]
fn what_has_no_weight_counts_as_zero() {
    Session::new().expect(&[
        ("RPUSH l a b c", ":3"),
        ("MSET w_a 1 w_c -1", "+OK"),
        ("SORT l BY w_*", "*3 $1 c $1 b $1 a"),
        ("SADD s 1 2", ":2"),
        ("SORT s BY nosort", "*2 $1 1 $1 2"),
        ("SORT s BY nosort DESC", "*2 $1 1 $1 2"),
    ]);
}

#[test]
fn the_last_limit_counts() {
    Session::new().expect(&[("RPUSH l 3 1 2", ":3"), ("SORT l LIMIT 0 1 LIMIT 1 2 DESC ASC", "*2 $1 2 $1 3")]);
}

#[test]
fn white_space_in_front_of_a_number_means_nothing() {
    Session::new().expect(&[("RPUSH l \"\\t5\" \" 4\" \"\\x0b3\"", ":3"), ("SORT l", "*3 $2 \u{b}3 $2  4 $2 \t5")]);
}

/// C's strings end at a zero byte: in patterns and in what is compared, but not if the result is stored.
#[test]
fn zero_bytes() {
    Session::new().expect(&[
        ("RPUSH l \"1\\x00b\" \"1\\x00a\"", ":2"),
        ("SORT l ALPHA", "*2 $3 1\0b $3 1\0a"),
        ("SORT l ALPHA STORE to", ":2"),
        ("LRANGE to 0 -1", "*2 $3 1\0a $3 1\0b"),
        ("RPUSH one 1", ":1"),
        ("SET \"k1\\x00x\" v", "+OK"),
        ("SORT one GET \"k*\\x00x\" GET \"#\\x00x\"", "*2 $1 v $1 1"),
    ]);
}

#[test]
fn a_set_is_stored_in_order_though_it_is_not_to_be_sorted() {
    Session::new().expect(&[
        ("SADD s c a b", ":3"),
        ("SORT s BY nosort STORE to", ":3"),
        ("LRANGE to 0 -1", "*3 $1 a $1 b $1 c"),
    ]);
}

#[cfg(feature = "scripting")]
#[test]
fn a_script_gets_a_set_in_order_though_it_is_not_to_be_sorted() {
    Session::new().expect(&[
        ("SADD s 10 9 1", ":3"),
        ("EVAL \"return redis.call('SORT', 's', 'BY', 'nosort')\" 1 s", "*3 $1 1 $2 10 $1 9"),
    ]);
}
