//! Uses everything that a model offers, with every kernel set that this processor has.

use crc32fast::Hasher;
use edge8::operator::{AveragePool, MaxPool};
use edge8::{Error, Model};
use edge8::{KernelSet, Operator};
use edge8_preprocess::Picture;
use edge8_preprocess::digit::Workspace;

/// A model that names more arena than this, in bytes, is not run: any machine must pass.
const MOST_ARENA: usize = 1 << 24;

/// A model whose run takes more steps than this is not run: a network may take long, that is no fault.
const MOST_STEPS: u64 = 1 << 25;

/// Test vectors that are run.
const MOST_VECTORS: usize = 2;

/// Parses an image and, if that succeeds, uses what the model offers; how many test vectors came out as they should.
/// It allocates the arena, the input and the output, and nothing if the image is refused or not run.
///
/// # Errors
/// If the image is refused.
///
/// # Panics
/// If what has been parsed cannot be run, or if a kernel set computes other bits than the scalar one.
pub fn exercise(image: &[u8]) -> Result<usize, Error> {
    let model = Model::parse(image)?;
    if model.arena_len() > MOST_ARENA || steps(&model) > MOST_STEPS {
        return Ok(0);
    }
    let mut arena = vec![0; model.arena_len()];
    let mut input: Vec<i8> = (0..model.input().shape.len()).map(some_value).collect();
    let mut output = vec![0; model.output().shape.len()];
    compare(model, &input, &mut arena, &mut output);
    let _ = model.labels().map(|labels| labels.count());
    if let Ok(recipe) = model.recipe() {
        let pixels: [u8; 100] = std::array::from_fn(|pixel| if pixel % 7 == 3 { 250 } else { 9 });
        let picture = Picture::new(10, 10, &pixels).expect("10x10 pixels");
        let _ = edge8_preprocess::apply(&recipe, &picture, Workspace::new().bytes(), &mut input);
    }
    let mut equal = 0;
    for vector in model.test_vectors().into_iter().flatten().take(MOST_VECTORS) {
        let different = model.first_difference(&vector, &mut arena, &mut output);
        equal += usize::from(different.expect("lengths are the model's own").is_none());
    }
    Ok(equal)
}

/// A value of an input: with its neighbours, all of int8 in turns.
fn some_value(index: usize) -> i8 {
    (index as u8).wrapping_mul(89) as i8
}

/// Lets the kernel sets answer each other: the same rows of every layer in the same order, and the same output. It holds
/// for any image: what a run reads without anything having written it is zero.
fn compare(model: Model<'_>, input: &[i8], arena: &mut [u8], output: &mut [i8]) {
    let expected = bits(model.with_kernels(KernelSet::SCALAR), input, arena, output);
    for kernels in KernelSet::available().filter(|&set| set != KernelSet::SCALAR) {
        let found = bits(model.with_kernels(kernels), input, arena, output);
        assert_eq!(found, expected, "{} and scalar kernels differ", kernels.name());
    }
}

/// A hash of what a run computes, as it computes it, and of its output.
fn bits(model: Model<'_>, input: &[i8], arena: &mut [u8], output: &mut [i8]) -> u32 {
    let mut hash = Hasher::new();
    let run = model.run_layers(input, arena, output, |computed| {
        for number in [computed.index, computed.rows.start, computed.rows.end] {
            hash.update(&number.to_le_bytes());
        }
        hash.update(edge8::bytes_of(computed.values));
    });
    run.expect("lengths are the model's own");
    hash.update(edge8::bytes_of(output));
    hash.finalize()
}

/// Values that one run reads, multiplies or writes, at most.
fn steps(model: &Model<'_>) -> u64 {
    model.operators().map(|operator| operator_steps(&operator)).fold(0, u64::saturating_add)
}

fn operator_steps(operator: &Operator<'_>) -> u64 {
    let len = |tensor: &edge8::Tensor| tensor.shape.len() as u64;
    let taps = match operator {
        Operator::AveragePool(AveragePool(pool)) | Operator::MaxPool(MaxPool(pool)) => {
            len(&pool.output).saturating_mul(pool.window.taps().min(pool.input.shape.pixels()) as u64)
        }
        other => other.macs(),
    };
    operator.inputs().chain([operator.output()]).map(len).fold(taps, u64::saturating_add)
}
