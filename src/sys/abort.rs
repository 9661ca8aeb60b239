//! How a process ends in which an invariant is broken, or memory is wanted where nobody can be told: by one line, in place
//! of the standard library's backtrace, whose code is two thirds of a library without connections. The Makefile links
//! `libae-core.a` so; elsewhere nobody calls these.

use super::fd;
use super::text::Text;
use core::fmt;
use core::panic::PanicInfo;

fn end(why: fmt::Arguments<'_>) -> ! {
    let line = Text::<512>::new(format_args!("libae: {why}\n"));
    let _ = fd::write_from(fd::STDERR, line.as_c_str().to_bytes());
    std::process::abort()
}

/// What a panic calls: `rust_begin_unwind` of the standard library.
#[unsafe(no_mangle)]
pub(crate) fn libae_panicked(info: &PanicInfo<'_>) -> ! {
    match info.location() {
        Some(at) => end(format_args!("{}, at {}:{}", info.message(), at.file(), at.line())),
        None => end(format_args!("{}", info.message())),
    }
}

/// What a failed allocation calls that cannot be an error: `__rust_alloc_error_handler` of the standard library.
#[unsafe(no_mangle)]
pub(crate) fn libae_out_of_memory(size: usize, _align: usize) -> ! {
    end(format_args!("no memory for {size} bytes"))
}
