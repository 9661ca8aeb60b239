//! Whatever a script passes, there is a result or an error, and no more memory than the input asks for.
