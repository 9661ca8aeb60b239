// libae from Go by cgo: a timer, an echo server and a client in one loop.
//
//	go build -o echo .
//	./echo                        all three; ends by itself
//	./echo --serve 7000           the server alone, until Ctrl-C
package main

/*
#cgo pkg-config: libae
#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <stdlib.h>

// The functions that are exported below, with C's types.
void goFile(aeEventLoop *loop, int fd, void *data, int mask);
int goTime(aeEventLoop *loop, long long id, void *data);
void goSignal(aeEventLoop *loop, int number, void *data);
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Loop calls any function. C has one callback for all events of a kind, which finds the loop by its address and the
// function by the event: C may not keep pointers to what Go's garbage collector moves.
type Loop struct {
	pointer *C.aeEventLoop
	files   map[int]func(fd int)
	timers  map[int64]func() int
	signals map[syscall.Signal]func()
	failure any
}

var loops = map[*C.aeEventLoop]*Loop{}

func NewLoop(setsize int) (*Loop, error) {
	// With a second result, a call gives its errno.
	pointer, err := C.aeCreateEventLoop(C.int(setsize))
	if pointer == nil {
		return nil, err
	}
	loop := &Loop{pointer: pointer, files: map[int]func(int){}, timers: map[int64]func() int{},
		signals: map[syscall.Signal]func(){}}
	loops[pointer] = loop
	return loop, nil
}

func (loop *Loop) Close() {
	delete(loops, loop.pointer)
	C.aeDeleteEventLoop(loop.pointer)
}

// Watch has call called whenever the descriptor is readable or writable, and nothing else for it any more.
func (loop *Loop) Watch(fd int, mask C.int, call func(fd int)) error {
	loop.Unwatch(fd)
	result, err := C.aeCreateFileEvent(loop.pointer, C.int(fd), mask, (*C.aeFileProc)(C.goFile), nil)
	if result == C.AE_ERR {
		return err
	}
	loop.files[fd] = call
	return nil
}

func (loop *Loop) Unwatch(fd int) {
	C.aeDeleteFileEvent(loop.pointer, C.int(fd), C.AE_READABLE|C.AE_WRITABLE)
	delete(loop.files, fd)
}

// After has call called then; it returns after how many milliseconds to call it again, or AE_NOMORE.
func (loop *Loop) After(milliseconds int64, call func() int) error {
	id, err := C.aeCreateTimeEvent(loop.pointer, C.longlong(milliseconds), (*C.aeTimeProc)(C.goTime), nil, nil)
	if id == C.AE_ERR {
		return err
	}
	loop.timers[int64(id)] = call
	return nil
}

func (loop *Loop) OnSignal(number syscall.Signal, call func()) error {
	loop.signals[number] = call
	result, err := C.aeCreateSignalEvent(loop.pointer, C.int(number), (*C.aeSignalProc)(C.goSignal), nil)
	if result == C.AE_ERR {
		return err
	}
	return nil
}

func (loop *Loop) Stop() {
	C.aeStop(loop.pointer)
}

// Run keeps its goroutine in one thread: a loop is one thread's at a time.
func (loop *Loop) Run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.aeMain(loop.pointer)
	if loop.failure != nil {
		panic(loop.failure)
	}
}

// A panic is not to jump over C: it is kept, the loop stops, and Run panics.
func (loop *Loop) recovered() {
	if failure := recover(); failure != nil {
		loop.failure = failure
		C.aeStopNow(loop.pointer)
	}
}

//export goFile
func goFile(pointer *C.aeEventLoop, fd C.int, data unsafe.Pointer, mask C.int) {
	loop := loops[pointer]
	defer loop.recovered()
	loop.files[int(fd)](int(fd))
}

//export goTime
func goTime(pointer *C.aeEventLoop, id C.longlong, data unsafe.Pointer) (again C.int) {
	loop := loops[pointer]
	again = C.AE_NOMORE
	defer loop.recovered()
	again = C.int(loop.timers[int64(id)]())
	if again == C.AE_NOMORE {
		delete(loop.timers, int64(id))
	}
	return again
}

//export goSignal
func goSignal(pointer *C.aeEventLoop, number C.int, data unsafe.Pointer) {
	loop := loops[pointer]
	defer loop.recovered()
	loop.signals[syscall.Signal(number)]()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

var localhost = C.CString("127.0.0.1")

func listen(loop *Loop, wanted int) (server, port int) {
	var text [C.ANET_ERR_LEN]C.char
	var bound C.int
	fd := C.anetTcpServer(&text[0], C.int(wanted), localhost, 511)
	if fd == C.ANET_ERR {
		fmt.Fprintln(os.Stderr, C.GoString(&text[0]))
		os.Exit(1)
	}
	C.anetNonBlock(nil, fd)
	C.anetSockName(fd, nil, 0, &bound)
	must(loop.Watch(int(fd), C.AE_READABLE, func(server int) {
		client, err := C.anetTcpAccept(nil, C.int(server), nil, 0, nil)
		if client == C.ANET_ERR {
			if err != syscall.EAGAIN { // it has gone again
				panic(err)
			}
			return
		}
		must(loop.Watch(int(client), C.AE_READABLE, func(fd int) { echo(loop, fd) }))
	}))
	fmt.Println("listening on port", bound)
	return int(fd), int(bound)
}

func echo(loop *Loop, fd int) {
	var block [4096]byte
	count, err := syscall.Read(fd, block[:])
	if err == nil && count > 0 {
		// A client that does not read its answers is closed; examples/c/echo.c waits for it.
		if sent, _ := syscall.Write(fd, block[:count]); sent == count {
			return
		}
	}
	loop.Unwatch(fd)
	syscall.Close(fd)
}

func talk(loop *Loop, port int) {
	client, err := C.anetTcpNonBlockConnect(nil, localhost, C.int(port))
	if client == C.ANET_ERR {
		panic(err)
	}
	answer := ""
	hear := func(fd int) {
		var block [4096]byte
		count, err := syscall.Read(fd, block[:])
		must(err)
		answer += string(block[:count])
		if count > 0 && !strings.HasSuffix(answer, "\n") {
			return
		}
		fmt.Print("echo: ", answer)
		loop.Unwatch(fd)
		syscall.Close(fd)
		loop.Stop()
	}
	must(loop.Watch(int(client), C.AE_WRITABLE, func(fd int) {
		_, err := syscall.Write(fd, []byte("hello\n"))
		must(err)
		must(loop.Watch(fd, C.AE_READABLE, hear))
	}))
}

func main() {
	serve := len(os.Args) == 3 && os.Args[1] == "--serve"
	wanted := 0
	if serve {
		number, err := strconv.Atoi(os.Args[2])
		must(err)
		wanted = number
	}
	loop, err := NewLoop(1024)
	must(err)
	defer loop.Close()
	server, port := listen(loop, wanted)
	defer syscall.Close(server)
	// Go's own handler (os/signal) would tell another goroutine, which could call aeStopNow as well.
	must(loop.OnSignal(syscall.SIGINT, loop.Stop))
	if !serve {
		ticks := 0
		must(loop.After(20, func() int {
			ticks++
			fmt.Println("tick", ticks)
			if ticks < 3 {
				return 20
			}
			talk(loop, port)
			return C.AE_NOMORE
		}))
	}
	loop.Run()
	fmt.Println("stopped")
}
