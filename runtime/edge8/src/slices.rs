//! Slices cut and copied without a panic for lengths that do not fit, and loops over them.

/// The part of `values` from `start` on that is `len` long; empty if there is none.
pub(crate) fn part(values: &[i8], start: usize, len: usize) -> &[i8] {
    values.get(start..).and_then(|rest| rest.get(..len)).unwrap_or(&[])
}

/// Copies values, as many as the shorter slice has.
pub(crate) fn copy(to: &mut [i8], from: &[i8]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}

/// Keeps a loop that it is called in small: on a device the compiler does not unroll it. It takes no instruction.
#[inline(always)]
pub(crate) fn not_unrolled() {
    #[cfg(device)]
    core::hint::black_box(());
}

/// The same slice, whose length the compiler is not to know, so that it does not write a loop over it out.
#[cfg(arm_dsp)]
#[inline(always)]
pub(crate) fn of_any_len<T>(values: &[T]) -> &[T] {
    core::hint::black_box(values)
}
