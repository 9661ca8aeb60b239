# Completion of ae-cli's options for bash.

_ae_cli() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $before in
    -s | --cacert | --cert | --key | --rdb | --functions-rdb | --eval)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --cacertdir)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    -h)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
        return
        ;;
    --show-pushes)
        mapfile -t COMPREPLY < <(compgen -W "y n" -- "$word")
        return
        ;;
    --cluster)
        mapfile -t COMPREPLY < <(compgen -W "call info check help" -- "$word")
        return
        ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "-h -p -s -u -a --pass --user --askpass --no-auth-warning -n -2 -3 -t -c
            --tls --sni --insecure --cacert --cacertdir --cert --key --tls-ciphers --tls-ciphersuites -r -i -x -X
            --quoted-input -e --raw --no-raw --csv --json --quoted-json -d -D --show-pushes --scan --pattern
            --quoted-pattern --count --bigkeys --memkeys --memkeys-samples --hotkeys --stat --latency
            --latency-history --latency-dist --mono --intrinsic-latency --lru-test --pipe --pipe-timeout --rdb
            --functions-rdb --replica --eval --cluster --cluster-only-masters --cluster-only-replicas
            --cluster-search-multiple-owners --verbose --help --version" -- "$word")
    fi
}

complete -F _ae_cli ae-cli
