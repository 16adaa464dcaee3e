//! The threads that one inference runs on.

use anyhow::{Context, Result};
use clap::value_parser;
use edge8::Threads;

/// More than any machine that this is for has cores.
const MOST: i64 = 64;

/// The option of every command that runs one inference at a time.
#[derive(clap::Args)]
pub struct ThreadsOption {
    /// Threads for the rows of large layers; it takes a large input and an arena for many rows (`quantizer plan`) to be faster.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=MOST))]
    threads: u16,
}

impl ThreadsOption {
    pub fn start(&self) -> Result<Pool> {
        Pool::new(self.threads.into())
    }
}

/// The main thread alone, or a pool.
pub struct Pool(Option<rayon::ThreadPool>);

impl Pool {
    pub const ALONE: Self = Self(None);

    fn new(count: usize) -> Result<Self> {
        if count == 1 {
            return Ok(Self::ALONE);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
        Ok(Self(Some(pool.with_context(|| format!("cannot start {count} threads"))?)))
    }

    /// Calls a function on a thread of the pool, so that all of a run is there: from outside, every step that is shared would
    /// wait for one of the pool's threads to wake up.
    pub fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }
}

impl Threads for Pool {
    fn count(&self) -> usize {
        self.0.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    fn join(&self, here: impl FnOnce() + Send, elsewhere: impl FnOnce() + Send) {
        match &self.0 {
            Some(pool) => {
                pool.join(here, elsewhere);
            }
            None => {
                here();
                elsewhere();
            }
        }
    }
}
