//! The time of an inference with each kernel set, in turn, where the command `runtime bench` does not run. Takes a model
//! image from standard input:
//!
//! ```sh
//! RUSTFLAGS="-C target-feature=+simd128" CARGO_TARGET_WASM32_WASIP1_RUNNER="node tests/wasi.mjs" cargo run --release \
//!     -p edge8 --example kernel_times --target wasm32-wasip1 < runtime/models/mnist.edge8
//! ```

use edge8::KernelSet;
use edge8::{Error, Model};
use std::hint::black_box;
use std::time::Instant;

/// Rounds, of which the median counts, and inferences of each.
const ROUNDS: usize = 21;
const RUNS: u32 = 20;

/// Microseconds of an inference.
fn time(model: &Model<'_>, input: &[i8], arena: &mut [u8], output: &mut [i8]) -> Result<f64, Error> {
    let start = Instant::now();
    for _ in 0..RUNS {
        model.run(black_box(input), arena, output)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(RUNS))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut image = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut image)?;
    let model = Model::parse(&image)?;
    let input: Vec<i8> =
        (0..model.input().shape.len()).map(|index| (index * 167 + index / 256) as i8).collect();
    let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output().shape.len()]);
    let sets: Vec<KernelSet> = KernelSet::available().collect();
    let mut times = vec![Vec::new(); sets.len()];
    // The first round, in which an engine may still compile, does not count.
    for round in 0..=ROUNDS {
        for (set, times) in sets.iter().zip(&mut times) {
            let time = time(&model.with_kernels(*set), &input, &mut arena, &mut output)?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    for (set, times) in sets.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!("{:<12} {:>9.1} us", set.name(), times[ROUNDS / 2]);
    }
    Ok(())
}
