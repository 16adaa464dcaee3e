//! One inference, for tools that count its instructions: valgrind's callgrind counts the function `one_inference`, a
//! QEMU plugin what lies between two hints on AArch64. `tests/instructions` uses both.
//!
//! ```sh
//! one_inference MODEL.edge8 [KERNELS]
//! ```

use edge8::KernelSet;
use edge8::{Error, Model};
use std::hint::black_box;

/// The markers on AArch64 are hints that do nothing on any processor of today.
#[unsafe(no_mangle)]
#[inline(never)]
extern "Rust" fn one_inference(
    model: &Model<'_>,
    input: &[i8],
    arena: &mut [u8],
    output: &mut [i8],
) -> Result<(), Error> {
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a hint changes nothing.
    unsafe {
        std::arch::asm!("hint #100");
    }
    let result = model.run(input, arena, output);
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("hint #101");
    }
    result
}

/// Prints the kernel set that was run.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let image = std::fs::read(arguments.next().ok_or("which model image?")?)?;
    let mut model = Model::parse(&image)?;
    if let Some(name) = arguments.next() {
        model = model.with_kernels(KernelSet::named(&name)?);
    }
    // Values without a pattern: 167 is odd, so that all 256 come before one comes again.
    let input: Vec<i8> =
        (0..model.input().shape.len()).map(|index| (index * 167 + index / 256) as i8).collect();
    let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output().shape.len()]);
    // What only the first run does is not counted.
    model.run(black_box(&input), &mut arena, &mut output)?;
    one_inference(black_box(&model), black_box(&input), &mut arena, &mut output)?;
    println!("{}", model.kernels().name());
    Ok(())
}
