// libae from Java by JNA (Debian: libjna-java): a timer, an echo server and a client in one loop.
//
//   java -cp /usr/share/java/jna.jar Echo.java                  all three; ends by itself
//   java -cp /usr/share/java/jna.jar Echo.java --serve 7000     the server alone, until Ctrl-C

import com.sun.jna.Callback;
import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

public class Echo {
    static final int READABLE = 1, WRITABLE = 2, NOMORE = -1;
    static final int ANET_ERR_LEN = 256, EAGAIN = 11, SIGINT = 2;

    /** What is used of ae.h, anet.h and libae.h. */
    interface Ae extends Library {
        interface FileProc extends Callback {
            void invoke(Pointer loop, int fd, Pointer data, int mask);
        }

        interface TimeProc extends Callback {
            int invoke(Pointer loop, long id, Pointer data);
        }

        interface SignalProc extends Callback {
            void invoke(Pointer loop, int number, Pointer data);
        }

        Ae LIBAE = Native.load("libae.so.1", Ae.class);

        Pointer aeCreateEventLoop(int setsize);
        void aeDeleteEventLoop(Pointer loop);
        void aeMain(Pointer loop);
        void aeStop(Pointer loop);
        int aeStopNow(Pointer loop);
        int aeCreateFileEvent(Pointer loop, int fd, int mask, FileProc proc, Pointer data);
        void aeDeleteFileEvent(Pointer loop, int fd, int mask);
        long aeCreateTimeEvent(Pointer loop, long milliseconds, TimeProc proc, Pointer data, Pointer finalizer);
        int aeCreateSignalEvent(Pointer loop, int number, SignalProc proc, Pointer data);
        int anetTcpServer(byte[] err, int port, String address, int backlog);
        int anetTcpAccept(byte[] err, int server, byte[] ip, long size, IntByReference port);
        int anetTcpNonBlockConnect(byte[] err, String address, int port);
        int anetNonBlock(byte[] err, int fd);
        int anetSockName(int fd, byte[] ip, long size, IntByReference port);
    }

    /** Descriptors are numbers to the library, which Java's own sockets do not show. */
    interface C extends Library {
        C LIBC = Native.load("c", C.class);

        long read(int fd, byte[] data, long count);
        long write(int fd, byte[] data, long count);
        int close(int fd);
    }

    static final Ae ae = Ae.LIBAE;
    static final C c = C.LIBC;

    static int check(int result) {
        // JNA keeps the errno of each call, for the thread that made it.
        if (result == -1) throw new LastErrorException(Native.getLastError());
        return result;
    }

    /**
     * A loop that calls any function. It has one C callback for all events of a kind, which finds the function by the
     * event. The library's pointers are unknown to Java's garbage collector: the callbacks are fields, and so live as
     * long as the loop.
     */
    static class Loop implements AutoCloseable {
        final Pointer pointer = ae.aeCreateEventLoop(1024);
        final Map<Integer, IntConsumer> files = new HashMap<>();
        final Map<Long, IntSupplier> timers = new HashMap<>();
        final Map<Integer, Runnable> signals = new HashMap<>();
        Throwable failure;

        final Ae.FileProc onFile = (loop, fd, data, mask) -> guarded(null, () -> {
            files.get(fd).accept(fd);
            return null;
        });
        final Ae.TimeProc onTime = (loop, id, data) -> {
            int again = guarded(NOMORE, () -> timers.get(id).getAsInt());
            if (again == NOMORE) timers.remove(id);
            return again;
        };
        final Ae.SignalProc onSignal = (loop, number, data) -> guarded(null, () -> {
            signals.get(number).run();
            return null;
        });

        /**
         * An exception cannot pass through C: it is kept, the loop stops, and run throws it. JNA itself would print it
         * and return 0, which to a time event means "again at once".
         */
        <T> T guarded(T afterFailure, Supplier<T> call) {
            try {
                return call.get();
            } catch (Throwable thrown) {
                if (failure == null) failure = thrown;
                ae.aeStopNow(pointer);
                return afterFailure;
            }
        }

        /** Calls it whenever the descriptor is readable or writable, and nothing else for it any more. */
        void watch(int fd, int mask, IntConsumer call) {
            unwatch(fd);
            check(ae.aeCreateFileEvent(pointer, fd, mask, onFile, null));
            files.put(fd, call);
        }

        void unwatch(int fd) {
            ae.aeDeleteFileEvent(pointer, fd, READABLE | WRITABLE);
            files.remove(fd);
        }

        /** Calls it then; it returns after how many milliseconds to call it again, or NOMORE. */
        void after(long milliseconds, IntSupplier call) {
            long id = ae.aeCreateTimeEvent(pointer, milliseconds, onTime, null, null);
            check((int) id);
            timers.put(id, call);
        }

        void onSignal(int number, Runnable call) {
            signals.put(number, call);
            check(ae.aeCreateSignalEvent(pointer, number, onSignal, null));
        }

        void stop() {
            ae.aeStop(pointer);
        }

        void run() {
            ae.aeMain(pointer);
            if (failure != null) throw new IllegalStateException("in a callback", failure);
        }

        @Override
        public void close() {
            ae.aeDeleteEventLoop(pointer);
        }
    }

    static int listen(Loop loop, int port) {
        byte[] err = new byte[ANET_ERR_LEN];
        IntByReference bound = new IntByReference();
        int server = ae.anetTcpServer(err, port, "127.0.0.1", 511);
        if (server == -1) throw new IllegalStateException(Native.toString(err));
        check(ae.anetNonBlock(null, server));
        check(ae.anetSockName(server, null, 0, bound));
        loop.watch(server, READABLE, ready -> {
            int fd = ae.anetTcpAccept(null, server, null, 0, null);
            if (fd == -1 && Native.getLastError() == EAGAIN) return; // it has gone again
            loop.watch(check(fd), READABLE, client -> echo(loop, client));
        });
        System.out.println("listening on port " + bound.getValue());
        return bound.getValue();
    }

    static void echo(Loop loop, int fd) {
        byte[] block = new byte[4096];
        long count = c.read(fd, block, block.length);
        // A client that does not read its answers is closed; examples/c/echo.c waits for it.
        if (count <= 0 || c.write(fd, block, count) < count) close(loop, fd);
    }

    static void close(Loop loop, int fd) {
        loop.unwatch(fd);
        c.close(fd);
    }

    static void talk(Loop loop, int port) {
        StringBuilder answer = new StringBuilder();
        loop.watch(check(ae.anetTcpNonBlockConnect(null, "127.0.0.1", port)), WRITABLE, fd -> {
            check((int) c.write(fd, "hello\n".getBytes(StandardCharsets.US_ASCII), 6));
            loop.watch(fd, READABLE, ready -> {
                byte[] block = new byte[4096];
                int count = check((int) c.read(fd, block, block.length));
                answer.append(new String(block, 0, count, StandardCharsets.US_ASCII));
                if (count > 0 && answer.indexOf("\n") == -1) return;
                System.out.print("echo: " + answer);
                close(loop, fd);
                loop.stop();
            });
        });
    }

    public static void main(String[] arguments) {
        boolean serve = arguments.length == 2 && arguments[0].equals("--serve");
        try (Loop loop = new Loop()) {
            int port = listen(loop, serve ? Integer.parseInt(arguments[1]) : 0);
            // In place of the virtual machine's own handler, until the loop is closed.
            loop.onSignal(SIGINT, loop::stop);
            if (!serve) {
                int[] ticks = {0};
                loop.after(20, () -> {
                    System.out.println("tick " + ++ticks[0]);
                    if (ticks[0] < 3) return 20;
                    talk(loop, port);
                    return NOMORE;
                });
            }
            loop.run();
        }
        System.out.println("stopped");
    }
}
