//! How a process ends when an invariant is broken, or memory runs out where no error can be returned: with one line
//! instead of the standard library's backtrace, whose code would be two thirds of `libae-core.a`. The Makefile links
//! that archive so; elsewhere nobody calls these.

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

/// What a failed allocation calls when it cannot return an error: `__rust_alloc_error_handler` of the standard library.
#[unsafe(no_mangle)]
pub(crate) fn libae_out_of_memory(size: usize, _align: usize) -> ! {
    end(format_args!("no memory for {size} bytes"))
}
