//! Many model images, one after the other: each with every kernel set that the processor has, and what each costs.
//!
//! The file that `EDGE8_IMAGES` names is a sequence of entries at multiples of 16 bytes: the image's length and the number of
//! bytes before it, to test any alignment, both `u32`, 8 bytes of zeros, those bytes, the image. For each a line with its
//! number, its stack and its verdict is written.

use core::hint::black_box;
use cortex_m_semihosting::hio::HostStream;
use device::marks;
use edge8::Aligned;
use edge8::KernelSet;
use edge8::internal::image_checksum;
use edge8::operator::USUAL_KINDS;
use edge8::{Error, Model, Problem};

static IMAGES: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("EDGE8_IMAGES")));

/// All memory that the images need, stack apart.
#[derive(Debug)]
pub struct Memory {
    arena: Aligned<[u8; 1 << 18]>,
    output: [i8; 1 << 16],
}

impl Memory {
    /// Zeros.
    pub const fn new() -> Self {
        Self { arena: Aligned::new(), output: [0; 1 << 16] }
    }
}

/// Runs all images; whether each has the host's bits.
pub fn run(memory: &mut Memory, out: &mut HostStream) -> bool {
    let mut rest = &IMAGES.0;
    let (mut equal, mut number) = (true, 0);
    while let Some((image, others)) = next(rest) {
        rest = others;
        let found = check(image, memory);
        line(out, number, &found);
        equal &= found.is_some_and(|found| found.different.is_none());
        number += 1;
    }
    equal && number > 0
}

/// The first image, and the others.
fn next(images: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = images.split_at_checked(16)?;
    let [len, before, ..] = head.as_chunks().0 else { return None };
    let [len, before] = [len, before].map(|word| u32::from_le_bytes(*word) as usize);
    let end = before.checked_add(len)?;
    Some((rest.get(before..end)?, rest.get(end.next_multiple_of(16)..).unwrap_or(&[])))
}

/// The most stack that an image takes with any kernel set, and the kernel set with which it differs from the host.
struct Found {
    stack: usize,
    different: Option<KernelSet>,
}

/// Counts the parsing, the checksum in it, and one run, and compares every layer; [`None`] where something is refused.
fn check(image: &[u8], memory: &mut Memory) -> Option<Found> {
    marks::begin();
    let model = Model::parse(image);
    marks::end();
    let model = model.ok()?;
    marks::begin();
    black_box(image_checksum(image));
    marks::end();
    let arena = memory.arena.bytes().get_mut(..model.arena_len())?;
    let output = memory.output.get_mut(..model.output().shape.len())?;
    let vector = model.test_vectors().ok()?.next()?;
    marks::begin();
    let mut result = model.run(vector.input, arena, output);
    marks::end();
    let mut stack = 0;
    for kernels in KernelSet::available() {
        let model = model.with_kernels(kernels);
        let used = marks::stack(|| result = result.and(model.run(vector.input, arena, output)));
        stack = used.max(stack);
    }
    result.ok()?;
    for kernels in KernelSet::available() {
        let model = model.with_kernels(kernels);
        // The arena too may lie at any address.
        for from in 0..2 {
            if differs(&model, memory.arena.bytes().get_mut(from..)?, output)? {
                return Some(Found { stack, different: Some(kernels) });
            }
        }
    }
    let different = usual_differs(image, memory)?.then(KernelSet::best);
    Some(Found { stack, different })
}

/// Whether a program without the scalar kernels takes the image, and a layer differs.
fn usual_differs(image: &[u8], memory: &mut Memory) -> Option<bool> {
    let model = match Model::parse_as::<USUAL_KINDS>(image) {
        Err(Error::Operator { problem: Problem::NotBuilt(_), .. }) => return Some(false),
        model => model.ok()?,
    };
    let output = memory.output.get_mut(..model.output().shape.len())?;
    differs(&model, memory.arena.bytes(), output)
}

/// Whether a layer of a test vector differs.
fn differs(model: &Model<'_>, arena: &mut [u8], output: &mut [i8]) -> Option<bool> {
    for vector in model.test_vectors().ok()? {
        if model.first_difference(&vector, arena, output).ok()?.is_some() {
            return Some(true);
        }
    }
    Some(false)
}

/// Writes what was found of an image.
fn line(out: &mut HostStream, number: usize, found: &Option<Found>) {
    let mut write = |text: &[u8]| {
        let _ = out.write_all(text);
    };
    decimal(number, &mut write);
    match found {
        None => write(b" refused"),
        Some(Found { stack, different }) => {
            write(b" stack ");
            decimal(*stack, &mut write);
            write(b" ");
            write(different.map_or("equal", KernelSet::name).as_bytes());
        }
    }
    write(b"\n");
}

/// Writes a number.
fn decimal(mut number: usize, write: &mut impl FnMut(&[u8])) {
    let mut digits = [b'0'; 10];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        (number, used) = (number / 10, used + 1);
        if number == 0 {
            break;
        }
    }
    write(digits.get(10usize.wrapping_sub(used)..).unwrap_or(&[]));
}
