//! Scratch memory that is used again: fresh pages from the system cost more than the work done in them.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Vectors that nobody uses now; as many as were in use at the same time.
static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// The first values of a vector that goes back to the pool.
pub(super) struct Buffer {
    values: Vec<f32>,
    length: usize,
}

/// A buffer of `length` zeros.
pub(super) fn zeros(length: usize) -> Buffer {
    let mut buffer = scratch(length);
    buffer.fill(0.0);
    buffer
}

/// A buffer of `length` values that mean nothing.
pub(super) fn scratch(length: usize) -> Buffer {
    let mut free = free();
    // The smallest that is long enough: others would all grow to the largest length.
    let fitting =
        (0..free.len()).filter(|&index| free[index].len() >= length).min_by_key(|&index| free[index].len());
    let values = match fitting {
        Some(index) => free.swap_remove(index),
        None => vec![0.0; length],
    };
    Buffer { values, length }
}

fn free() -> std::sync::MutexGuard<'static, Vec<Vec<f32>>> {
    FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        free().push(std::mem::take(&mut self.values));
    }
}
