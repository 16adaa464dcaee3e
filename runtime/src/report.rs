//! Where results go: text for people, or one JSON object as the last line of stdout.

use anyhow::Result;
use std::io::{self, Write};

/// With `--json`, text goes to stderr and leaves stdout to the JSON object.
#[derive(Clone, Copy)]
pub struct Report {
    json: bool,
}

impl Report {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes a line, or several, of text.
    pub fn text(self, text: &str) -> Result<()> {
        if self.json {
            // The result goes to stdout; nobody needs to listen here.
            let _ = writeln!(io::stderr(), "{text}");
        } else {
            writeln!(io::stdout(), "{text}")?;
        }
        Ok(())
    }

    /// Writes the result as JSON, if that is wanted.
    pub fn finish(self, result: &serde_json::Value) -> Result<()> {
        if self.json {
            writeln!(io::stdout(), "{result}")?;
        }
        Ok(())
    }
}

/// True if the error is that nobody reads the output any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// A number of bytes for people.
pub fn bytes(count: usize) -> String {
    match count {
        0..10_240 => format!("{count} B"),
        10_240..10_485_760 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

/// A time for people.
pub fn time(nanoseconds: u128) -> String {
    match nanoseconds {
        0..10_000 => format!("{nanoseconds} ns"),
        10_000..10_000_000 => format!("{:.1} us", nanoseconds as f64 / 1e3),
        _ => format!("{:.1} ms", nanoseconds as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(
            [bytes(7), bytes(20_480), bytes(20 << 20)],
            ["7 B", "20.0 KiB", "20.0 MiB"].map(String::from)
        );
        assert_eq!(
            [time(7), time(20_500), time(20_000_000)],
            ["7 ns", "20.5 us", "20.0 ms"].map(String::from)
        );
    }
}
