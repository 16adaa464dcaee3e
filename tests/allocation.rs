//! Counts what a thread allocates, so that a reader's memory can be held to a bound.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What a thread has allocated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Bytes in use; negative where the thread has freed what another one had allocated.
    pub live: isize,
    /// The most bytes that have been in use at a time.
    pub peak: isize,
    /// Calls that asked for memory.
    pub calls: usize,
}

thread_local! {
    static USAGE: Cell<Usage> = const { Cell::new(Usage { live: 0, peak: 0, calls: 0 }) };
}

/// What `run` allocates on this thread, beside its result; all 0 in a program whose allocator is not [`Counting`].
pub fn measure<T>(run: impl FnOnce() -> T) -> (T, Usage) {
    let outer = USAGE.replace(Usage::default());
    let result = run();
    let inner = USAGE.get();
    let live = outer.live + inner.live;
    let peak = outer.peak.max(outer.live + inner.peak);
    USAGE.set(Usage { live, peak, calls: outer.calls + inner.calls });
    (result, inner)
}

/// The system's allocator, counted: `#[global_allocator] static ALLOCATOR: Counting = Counting;`.
#[derive(Debug)]
pub struct Counting;

/// Takes note of a block that becomes `new` instead of `old` bytes long.
fn count(old: usize, new: usize) {
    let mut usage = USAGE.get();
    usage.live += new as isize - old as isize;
    usage.peak = usage.peak.max(usage.live);
    usage.calls += usize::from(new > 0);
    USAGE.set(usage);
}

// SAFETY: every call is passed on to the system's allocator as it is. Counting does not allocate: the thread's counters
// are constants that need neither initialisation nor destruction.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        // The system may hold the old and the new block for a moment.
        count(0, new);
        count(layout.size(), 0);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(block, layout, new) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}
