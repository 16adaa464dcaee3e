//! Does this processor compute what the maker of an image computed? Takes a model image from standard input, runs its
//! test vectors with every kernel set, compares every layer and every output, and ends with 0 if all are equal:
//!
//! ```sh
//! cargo run --release -p edge8 --example self_test < runtime/models/mnist.edge8
//! ```
//!
//! It needs no more than an operating system that reads: `tests/golden_bits.rs` runs it on every processor that can be
//! emulated, without a standard library where there is none.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod bare;

use edge8::{Error, Model};

/// The first layer that differs from a test vector, as [`Model::first_difference`] counts them.
fn difference(model: &Model<'_>, arena: &mut [u8], output: &mut [i8]) -> Result<Option<usize>, Error> {
    for vector in model.test_vectors()? {
        let layer = model.first_difference(&vector, arena, output)?;
        if layer.is_some() {
            return Ok(layer);
        }
    }
    Ok(None)
}

/// Prints the kernel sets that have been run, one a line.
#[cfg(not(target_os = "none"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut image = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut image)?;
    let model = Model::parse(&image)?;
    let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output().shape.len()]);
    for kernels in edge8::KernelSet::available() {
        if let Some(layer) = difference(&model.with_kernels(kernels), &mut arena, &mut output)? {
            return Err(format!("{} kernels: layer {layer} differs", kernels.name()).into());
        }
        println!("{}", kernels.name());
    }
    Ok(())
}
