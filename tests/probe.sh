#!/usr/bin/env bash
# Runs scripts/libae-abi-probe on libae's own headers, of every profile whose headers there are, and on doctored copies
# of them, as forks might have. CC names the compiler.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

# check NAME STATUS PATTERN ARGUMENT...: the probe's status, and a shell pattern for all it prints.
check() {
    local name=$1 status=$2 pattern=$3 output actual=0
    shift 3
    output=$(scripts/libae-abi-probe "$@" 2>&1) || actual=$?
    # shellcheck disable=SC2053
    if [[ $actual == "$status" && $output == $pattern ]]; then
        passed=$((passed + 1))
        printf 'ok: %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  expected: %s, %s\n  actual:   %s, %s\n' "$name" "$status" "$pattern" "$actual" "$output"
    fi
}

# fork FILE SED-SCRIPT: a copy of the headers with one file edited. An edit that changes nothing is a broken test.
fork() {
    rm -rf "$folder/fork"
    mkdir "$folder/fork"
    cp include/*.h "$folder/fork"
    sed -i "$2" "$folder/fork/$1"
    if cmp -s "include/$1" "$folder/fork/$1"; then
        failed=$((failed + 1))
        printf 'FAILED: %s changes nothing in %s\n' "$2" "$1"
    fi
}

# differs NAME DIFFERENCE [PROFILE]: the doctored copy fits no profile, and the difference is named.
differs() {
    check "$1" 1 "none; the nearest is ${3:-redis-7.2}, with these differences:*  $2*" "$folder/fork"
}

# fits NAME PROFILE FOLDER: nothing else is said, not even before the profile has been built.
fits() {
    check "$1" 0 "$2"$'\nconnection.h: the *\nbuild libae with: make ABI='"$2"$' lib\nit replaces: ae.o anet.o connection.o*, with BUILD_TLS=yes tls.o' "$3"
}

fits "the committed headers" redis-7.2 include
check "what it replaces" 0 $'*\nit replaces: ae.o anet.o connection.o socket.o unix.o, with BUILD_TLS=yes tls.o' include
profiles=$(sed -n '2,$s/,.*//p' src/abi/facts/profiles.csv)
for profile in ${profiles/redis-7.2/}; do
    headers=target/include/$profile
    if [ -e "$headers/ae.h" ]; then
        fits "the headers of $profile" "$profile" "$headers"
    else
        printf 'not here: %s (make ABI=%s headers)\n' "$headers" "$profile"
    fi
done

# What differs.
fork ae.h 's/int maxfd;/int first;/; s/int setsize;/int maxfd;/; s/int first;/int setsize;/'
differs "two fields swapped" "aeEventLoop.maxfd: offset 4, 4 bytes; redis-7.2: offset 0, 4 bytes"
fork connection.h 's/(\*shutdown)(/(*first)(/; s/(\*close)(struct connection \*conn)/(*shutdown)(struct connection *conn)/; s/(\*first)(/(*close)(/'
differs "two slots swapped" "ConnectionType.shutdown: offset 96, 8 bytes; redis-7.2: offset 88, 8 bytes"
fork connection.h 's/^} ConnectionType;/void (*more)(void);\n&/'
differs "a slot more" "sizeof(ConnectionType): 232 bytes; redis-7.2: 224 bytes"
fork connection.h 's/^    int fd;/    float fd;/'
differs "a field of another type and the same size" "connection.fd: of another type; redis-7.2: int fd"
fork ae.h 's/^typedef int aeTimeProc/typedef long long aeTimeProc/'
differs "timers return long long" "aeTimeProc: typedef long long aeTimeProc(*; redis-7.2: int (*"
fork ae.h 's/^typedef void aeBeforeSleepProc.*/&\ntypedef void aeAfterSleepProc(struct aeEventLoop *, int);/; s/aeBeforeSleepProc \*aftersleep/aeAfterSleepProc *aftersleep/'
differs "the aftersleep hook has two arguments" "aeEventLoop.aftersleep: of another type; redis-7.2: aeBeforeSleepProc \*aftersleep"
fork anet.h '/^int anetUnixServer/,/;/ s/int backlog/int backlog, char *group/'
differs "unix sockets have a group" "anetUnixServer: int anetUnixServer(*char \*group); redis-7.2: int (char \*, char \*, mode_t, int)"
fork anet.h '/^int anetFdToString/,/;/ s/remote/fd_to_str_type/'
differs "the older meaning of anetFdToString" "anetFdToString, last argument: 0 asks for the peer; redis-7.2: 1 asks for the peer"
fork anet.h 's/^#define ANET_ERR_LEN.*/&\n#define FD_TO_PEER_NAME 0/'
differs "the older meaning, said by a macro" "anetFdToString, last argument: 0 asks for the peer*"
fork ae.h 's/^#define AE_BARRIER .*/#define AE_BARRIER 8/'
differs "another constant" "AE_BARRIER: 8; redis-7.2: 4"
fork connection.h 's/^    int fd;/    int fd, ours[3];/; s/^int connListen(.*/&\nint connOfTheirOwn(int fd);/'
differs "what the fork has added to one that does not fit" $'sizeof(connection):*\nfields here, not known of redis-7.2: connection.ours\nfunctions declared here, not known of redis-7.2: connOfTheirOwn'

# The TLS configuration, which is in server.h.
names='char *cert_file; /* first */ char *key_file, *key_file_pass, *client_cert_file, *client_key_file, *client_key_file_pass;'
rest='char *dh_params_file, *ca_cert_file, *ca_cert_dir, *protocols, *ciphers, *ciphersuites;
    int prefer_server_ciphers; int session_caching; int session_cache_size; int session_cache_timeout;'
fork ae.h 's/^    int maxfd;/    int maxfd; \/\/ moved\n/'
tls_config() {
    printf 'typedef struct redisTLSContextConfig {\n    %s\n    %s\n} redisTLSContextConfig;\n' "$1" "$2" > "$folder/fork/server.h"
}
tls_config "$names" "$rest"
fits "the profile's TLS configuration" redis-7.2 "$folder/fork"
tls_config "$names" "$rest int ours;"
fits "one with a field behind the others" redis-7.2 "$folder/fork"
tls_config "$names int client_auth_user;" "$rest"
differs "a TLS configuration with a field in the middle" "redisTLSContextConfig.dh_params_file, in server.h: offset 56, 8 bytes; redis-7.2: offset 48, 8 bytes"
tls_config "char *cert_file, *key_file, *client_cert_file, *client_key_file;" "$rest"
differs "a TLS configuration without passphrases" "redisTLSContextConfig.key_file_pass, in server.h: none; redis-7.2: offset 16, 8 bytes"
if [ -e target/include/redis-6.2/ae.h ]; then
    cp target/include/redis-6.2/*.h "$folder/fork"
    check "which 6.2.0 and 6.2.1 have" 0 $'redis-6.2\n*is that of redis-6.2.*tls_config_size' "$folder/fork"
fi

fork ae.h 's/monotime when;/long when_sec, when_ms;/'
check "headers from before 6.2" 1 $'older than 6.2\n*make ABI=redis-6.2*' "$folder/fork"

# What does not count.
fork anet.h '/^int anetCloexec(/d'
check "a function that the fork lacks" 0 $'redis-7.2\n*' "$folder/fork"
fork anet.h 's/^int anetCloexec(.*/&\nint anetOfTheirOwn(int fd);/'
check "a function of the fork's own" 0 $'redis-7.2\n*not known of redis-7.2:*anetOfTheirOwn*\n*' "$folder/fork"
fork ae.h 's/^    int maxfd;/    int maxfd; \/\/ moved\n/'
mkdir "$folder/src" && cp "$folder"/fork/*.h "$folder/src"
check "the folder above src" 0 $'redis-7.2\n*' "$folder"
rm "$folder/src/connection.h"
check "a program with ae.h and anet.h alone" 0 $'*connection.h: not found, so only ae.h and anet.h counted\n*' "$folder/src"
rm "$folder/src/anet.h"
check "a program with ae.h alone" 0 $'*so only ae.h counted\nfits too: *it replaces: ae.o anet.o' "$folder/src"

# What cannot be probed.
fork ae.h 's/^    int maxfd;/    unknown_t maxfd;/'
check "headers that do not compile" 2 "*do not compile*ae.h*error*unknown_t*" "$folder/fork"
check "until their flags are given" 0 $'redis-7.2\n*' -Dunknown_t=int "$folder/fork"
check "no C compiler" 2 "*did not compile*" --cc c++ include
check "a folder without ae.h" 2 "*has no ae.h" docs
check "no compiler" 2 "*nosuchcc*" --cc nosuchcc include
check "no facts" 2 "*layouts.csv is missing*" --facts "$folder" include
check "no folder" 2 "*which folder*"
if command -v clang > /dev/null; then
    check "clang" 0 $'redis-7.2\n*' --cc clang include
fi

printf 'probe: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
