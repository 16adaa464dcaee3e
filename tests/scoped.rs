//! Threads that exist for one step only: slow, and all of them at work at the same time.

use edge8::Threads;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// So many threads, and how often something was handed over to one.
#[derive(Debug)]
pub struct Scoped {
    count: usize,
    joins: AtomicUsize,
}

impl Scoped {
    /// `count` threads.
    pub fn new(count: usize) -> Self {
        Self { count, joins: AtomicUsize::new(0) }
    }

    /// How often [`join`](Threads::join) has been called.
    pub fn joins(&self) -> usize {
        self.joins.load(Ordering::Relaxed)
    }
}

impl Threads for Scoped {
    fn count(&self) -> usize {
        self.count
    }

    fn join(&self, here: impl FnOnce() + Send, elsewhere: impl FnOnce() + Send) {
        self.joins.fetch_add(1, Ordering::Relaxed);
        thread::scope(|scope| {
            scope.spawn(elsewhere);
            here();
        });
    }
}
