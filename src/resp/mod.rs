//! The Redis protocol (RESP2 and inline commands): parser and writer, free of I/O.
