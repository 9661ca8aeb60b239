use crate::testing::Session;

#[test]
fn what_a_replica_says_about_itself() {
    Session::new().expect(&[
        ("REPLCONF listening-port 7000 capa eof capa psync2 capa new", "+OK"),
        ("REPLCONF ip-address 10.0.0.1", "+OK"),
        ("REPLCONF version 7.0.15", "+OK"),
        ("REPLCONF rdb-only 1", "+OK"),
        ("REPLCONF rdb-filter-only functions", "+OK"),
        ("REPLCONF rdb-filter-only x", "-ERR Unsupported rdb-filter-only option: x"),
        ("REPLCONF nosuch 1", "-ERR Unrecognized REPLCONF option: nosuch"),
        ("REPLCONF listening-port x", "-ERR value is not an integer or out of range"),
        ("REPLCONF capa", "-ERR syntax error"),
        ("REPLCONF ack 5", ""),
        ("REPLCONF getack *", ""),
    ]);
}
