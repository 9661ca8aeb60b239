# libae from Ruby by Fiddle, of the standard library: a timer, an echo server and a client in one loop.
#
#   ruby ruby.rb                       all three; ends by itself
#   ruby ruby.rb --serve 7000          the server alone, until Ctrl-C
require "fiddle/import"
require "socket"

# What is used of ae.h, anet.h and libae.h.
module Ae
  extend Fiddle::Importer
  dlload "libae.so.1"
  extern "void *aeCreateEventLoop(int)"
  extern "void aeDeleteEventLoop(void *)"
  extern "void aeMain(void *)"
  extern "void aeStop(void *)"
  extern "int aeStopNow(void *)"
  extern "int aeCreateFileEvent(void *, int, int, void *, void *)"
  extern "void aeDeleteFileEvent(void *, int, int)"
  extern "long long aeCreateTimeEvent(void *, long long, void *, void *, void *)"
  extern "int aeCreateSignalEvent(void *, int, void *, void *)"
  extern "int anetTcpServer(char *, int, char *, int)"
  extern "int anetTcpAccept(char *, int, char *, size_t, int *)"
  extern "int anetTcpNonBlockConnect(char *, char *, int)"
  extern "int anetNonBlock(char *, int)"

  READABLE = 1
  WRITABLE = 2
  NOMORE = -1
  ERR_LEN = 256

  # Makes an exception of a failure, Errno::EADDRINUSE and its like. Fiddle keeps the errno of each call.
  def self.check(result, what)
    raise SystemCallError.new(what, Fiddle.last_error) if result == -1
    result
  end

  # A loop that calls any block. It has one C callback for all events of a kind, which finds the block by the event:
  # the library's pointers are unknown to Ruby's garbage collector, so the closures are kept as long as the loop.
  class Loop
    include Fiddle

    def initialize(setsize)
      @pointer = Ae.aeCreateEventLoop(setsize)
      raise SystemCallError.new("aeCreateEventLoop", Fiddle.last_error) if @pointer.null?
      @files, @timers, @signals = {}, {}, {}
      @file = Closure::BlockCaller.new(TYPE_VOID, [TYPE_VOIDP, TYPE_INT, TYPE_VOIDP, TYPE_INT]) do |_, fd|
        guarded { @files[fd].call(fd) }
      end
      @time = Closure::BlockCaller.new(TYPE_INT, [TYPE_VOIDP, TYPE_LONG_LONG, TYPE_VOIDP]) do |_, id|
        again = guarded { @timers[id].call }
        @timers.delete(id) unless again
        again || NOMORE
      end
      @signal = Closure::BlockCaller.new(TYPE_VOID, [TYPE_VOIDP, TYPE_INT, TYPE_VOIDP]) do |_, number|
        guarded { @signals[number].call }
      end
    end

    def close
      Ae.aeDeleteEventLoop(@pointer)
    end

    # Calls the block whenever the descriptor is readable or writable, and no other for it any more.
    def watch(fd, mask, &block)
      unwatch(fd)
      Ae.check(Ae.aeCreateFileEvent(@pointer, fd, mask, @file, nil), "aeCreateFileEvent")
      @files[fd] = block
    end

    def unwatch(fd)
      Ae.aeDeleteFileEvent(@pointer, fd, READABLE | WRITABLE)
      @files.delete(fd)
    end

    # Calls the block then; it returns after how many milliseconds to call it again, or nil.
    def after(milliseconds, &block)
      id = Ae.check(Ae.aeCreateTimeEvent(@pointer, milliseconds, @time, nil, nil), "aeCreateTimeEvent")
      @timers[id] = block
    end

    def on_signal(name, &block)
      number = Signal.list.fetch(name)
      Ae.check(Ae.aeCreateSignalEvent(@pointer, number, @signal, nil), "aeCreateSignalEvent")
      @signals[number] = block
    end

    def stop
      Ae.aeStop(@pointer)
    end

    def run
      Ae.aeMain(@pointer)
      raise @failure if @failure
    end

    private

    # An exception is not to jump over C: it is kept, the loop stops, and `run` raises it again.
    def guarded
      yield
    rescue Exception => failure
      @failure ||= failure
      Ae.aeStopNow(@pointer)
      nil
    end
  end
end

def listen(loop, port)
  err = "\0" * Ae::ERR_LEN
  fd = Ae.anetTcpServer(err, port, "127.0.0.1", 511)
  abort err.unpack1("Z*") if fd == -1
  Ae.check(Ae.anetNonBlock(nil, fd), "anetNonBlock")
  server = Socket.for_fd(fd)
  clients = {} # an object of Ruby's that nobody knows closes its descriptor
  loop.watch(fd, Ae::READABLE) do
    accepted = Ae.anetTcpAccept(nil, fd, nil, 0, nil)
    next if accepted == -1 && Fiddle.last_error == Errno::EAGAIN::Errno # it has gone again
    clients[accepted] = Socket.for_fd(Ae.check(accepted, "anetTcpAccept"))
    loop.watch(accepted, Ae::READABLE) { echo(loop, clients, accepted) }
  end
  puts "listening on port #{server.local_address.ip_port}"
  server
end

def echo(loop, clients, fd)
  begin
    block = clients[fd].read_nonblock(4096)
    # A client that does not read its answers is closed; examples/c/echo.c waits for it.
    return if clients[fd].write_nonblock(block) == block.bytesize
  rescue SystemCallError, IOError # it is gone
  end
  loop.unwatch(fd)
  clients.delete(fd).close
end

def talk(loop, port)
  fd = Ae.check(Ae.anetTcpNonBlockConnect(nil, "127.0.0.1", port), "anetTcpNonBlockConnect")
  client = Socket.for_fd(fd)
  answer = +""
  loop.watch(fd, Ae::WRITABLE) do
    client.write_nonblock("hello\n")
    loop.watch(fd, Ae::READABLE) do
      answer << client.read_nonblock(4096)
      next unless answer.end_with?("\n")
      puts "echo: #{answer.chomp}"
      loop.unwatch(fd)
      client.close
      loop.stop
    end
  end
end

$stdout.sync = true
serve = ARGV[0] == "--serve"
ae = Ae::Loop.new(1024)
server = listen(ae, serve ? Integer(ARGV[1]) : 0)
# Ruby's own handler would wait until Ruby code runs.
ae.on_signal("INT") { ae.stop }
unless serve
  ticks = 0
  ae.after(20) do
    puts "tick #{ticks += 1}"
    next 20 if ticks < 3
    talk(ae, server.local_address.ip_port)
    nil
  end
end
ae.run
ae.close
server.close
puts "stopped"
