# Completion of ae-cli's options for fish.

complete -c ae-cli -f
complete -c ae-cli -s h -d "the server's host" -x -a "(__fish_print_hostnames)"
complete -c ae-cli -s p -d "its port" -x
complete -c ae-cli -s s -d "a unix socket" -r -F
complete -c ae-cli -s u -d "a URI" -x
complete -c ae-cli -s a -d "the password" -x
complete -c ae-cli -l pass -d "the password" -x
complete -c ae-cli -l user -d "who connects" -x
complete -c ae-cli -l askpass -d "ask for the password"
complete -c ae-cli -l no-auth-warning -d "do not warn of passwords"
complete -c ae-cli -s n -d "the database" -x
complete -c ae-cli -s 2 -d "protocol version 2"
complete -c ae-cli -s 3 -d "protocol version 3"
complete -c ae-cli -s t -d "seconds to try to connect" -x
complete -c ae-cli -s c -d "follow redirections of a cluster"
complete -c ae-cli -l tls -d "use TLS"
complete -c ae-cli -l sni -d "the server's name" -x
complete -c ae-cli -l insecure -d "accept any certificate"
complete -c ae-cli -l cacert -d "CAs to trust" -r -F
complete -c ae-cli -l cacertdir -d "a folder of CAs to trust" -x -a "(__fish_complete_directories)"
complete -c ae-cli -l cert -d "the client's certificate" -r -F
complete -c ae-cli -l key -d "its key" -r -F
complete -c ae-cli -l tls-ciphers -d "ciphers of TLS 1.2" -x
complete -c ae-cli -l tls-ciphersuites -d "ciphers of TLS 1.3" -x
complete -c ae-cli -s r -d "send it so often" -x
complete -c ae-cli -s i -d "seconds in between" -x
complete -c ae-cli -s x -d "standard input is the last argument"
complete -c ae-cli -s X -d "standard input is the argument of this name" -x
complete -c ae-cli -l quoted-input -d "arguments have quotes and escapes"
complete -c ae-cli -s e -d "status 1 after an error"
complete -c ae-cli -l raw -d "replies as they are"
complete -c ae-cli -l no-raw -d "replies for people"
complete -c ae-cli -l csv -d "replies with commas"
complete -c ae-cli -l json -d "replies as JSON"
complete -c ae-cli -l quoted-json -d "replies as JSON in ASCII"
complete -c ae-cli -s d -d "between raw elements" -x
complete -c ae-cli -s D -d "behind raw replies" -x
complete -c ae-cli -l show-pushes -d "print messages that answer nothing" -x -a "y n"
complete -c ae-cli -l scan -d "all keys"
complete -c ae-cli -l pattern -d "keys that match" -x
complete -c ae-cli -l quoted-pattern -d "the same with escapes" -x
complete -c ae-cli -l count -d "how many keys a call looks at" -x
complete -c ae-cli -l bigkeys -d "the biggest keys by elements"
complete -c ae-cli -l memkeys -d "the biggest keys by memory"
complete -c ae-cli -l memkeys-samples -d "elements to look at" -x
complete -c ae-cli -l hotkeys -d "the most used keys"
complete -c ae-cli -l stat -d "figures again and again"
complete -c ae-cli -l latency -d "round trips"
complete -c ae-cli -l latency-history -d "round trips over time"
complete -c ae-cli -l latency-dist -d "round trips as a spectrum"
complete -c ae-cli -l mono -d "greys instead of colours"
complete -c ae-cli -l intrinsic-latency -d "this machine's own latency" -x
complete -c ae-cli -l lru-test -d "a cache under load" -x
complete -c ae-cli -l pipe -d "send standard input in the protocol"
complete -c ae-cli -l pipe-timeout -d "seconds to wait for replies" -x
complete -c ae-cli -l rdb -d "fetch a snapshot" -r -F
complete -c ae-cli -l functions-rdb -d "fetch a snapshot of the functions" -r -F
complete -c ae-cli -l replica -d "print what a replica is sent"
complete -c ae-cli -l eval -d "run a Lua script" -r -F
complete -c ae-cli -l cluster -d "ask the nodes of a cluster" -x -a "call info check help"
complete -c ae-cli -l cluster-only-masters -d "ask only masters"
complete -c ae-cli -l cluster-only-replicas -d "ask only replicas"
complete -c ae-cli -l cluster-search-multiple-owners -d "look for slots with several owners"
complete -c ae-cli -l verbose -d "accepted for redis-cli's sake"
complete -c ae-cli -l help -d "print help"
complete -c ae-cli -l version -d "print the version"
