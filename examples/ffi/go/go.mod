module libae-from-go

go 1.19
