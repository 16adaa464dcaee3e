//! Inputs to run both sides on.

use super::dump::Dump;
use anyhow::{Result, ensure};

/// Cuts a file's values into inputs of `len` values each: an `.npz` file with the array `input`, or raw int8 values.
///
/// # Errors
/// If an `.npz` file has no such array, or there is not a whole number of inputs, at least one.
pub fn from_file(bytes: &[u8], len: usize) -> Result<Vec<Vec<i8>>> {
    if bytes.starts_with(b"PK") {
        return cut(&Dump::read(bytes)?.input, len);
    }
    cut(&bytes.iter().map(|&byte| byte as i8).collect::<Vec<i8>>(), len)
}

/// Cuts values into inputs of `len` values each.
///
/// # Errors
/// If there is not a whole number of them, at least one.
pub fn cut(values: &[i8], len: usize) -> Result<Vec<Vec<i8>>> {
    ensure!(
        !values.is_empty() && values.len().is_multiple_of(len),
        "{} values are no whole number of inputs of {len} values",
        values.len()
    );
    Ok(values.chunks_exact(len).map(<[i8]>::to_vec).collect())
}

/// `count` random inputs of `len` values, the same for the same seed: the first all -128, the second all 127, the third
/// of both, the others of all values.
pub fn random(len: usize, count: usize, seed: u64) -> Vec<Vec<i8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut value = |input: usize| match input {
        0 => i8::MIN,
        1 => i8::MAX,
        2 if random.bool() => i8::MIN,
        2 => i8::MAX,
        _ => random.i8(..),
    };
    (0..count).map(|input| (0..len).map(|_| value(input)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_inputs_repeat_and_hold_the_extremes() {
        let inputs = random(300, 5, 7);
        assert_eq!(inputs, random(300, 5, 7));
        assert_ne!(inputs[3..], random(300, 5, 8)[3..]);
        assert!(inputs[0].iter().all(|&x| x == -128) && inputs[1].iter().all(|&x| x == 127));
        let distinct = |values: &[i8]| values.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(distinct(&inputs[2]), 2);
        assert!(distinct(&inputs[3]) > 100 && inputs[3] != inputs[4]);
    }

    #[test]
    fn raw_bytes_are_cut_into_inputs() {
        assert_eq!(from_file(&[1, 255, 2, 128], 2).unwrap(), [[1, -1], [2, -128]]);
        assert!(from_file(&[1, 2, 3], 2).unwrap_err().to_string().contains("3 values"));
        assert!(from_file(&[], 2).is_err());
    }
}
