//! A checked model image.

use crate::cast;
use crate::checksum::Crc32;
#[cfg(not(device))]
use crate::engine::threads::{Lent, Threads, spare_len};
use crate::engine::{self, Alone, Code, Computed, Workers};
use crate::error::Error;
use crate::format::section;
use crate::image::{
    Header, Operators, Sections, Steps, TestVector, TestVectors, check_operators, check_steps,
};
use crate::kernels::KernelSet;
use crate::operator::{ALL_KINDS, Kinds, UNUSUAL, has};
use crate::recipe::Recipe;
use crate::reject::Reject;
use crate::slices::{copy, not_unrolled};
use crate::tensor::{Shape, Tensor};

/// A model image that has been checked: it can be run and inspected, and a run cannot fail late.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    header: Header<'a>,
    sections: Sections<'a>,
    operators: Operators<'a>,
    steps: Steps<'a>,
    code: Code,
}

impl<'a> Model<'a> {
    /// Checks an image, in time that is bounded by its length, and chooses the fastest kernels for this processor.
    ///
    /// The image may lie at any address; one that is a multiple of 16 is read fastest.
    ///
    /// On a device, where time counts, what no run relies on is left out: labels, recipe and test vectors are checked when they
    /// are asked for, and the weights' values and sums were, by the quantizer.
    ///
    /// # Errors
    /// The first thing found that is not as [the format](crate::image) says.
    pub fn parse(image: &'a [u8]) -> Result<Self, Error> {
        Self::parse_as::<ALL_KINDS>(image)
    }

    /// As [`Model::parse`], for a program that has code for some kinds of operators only: an image with others is refused.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn parse_as<const KINDS: Kinds>(image: &'a [u8]) -> Result<Self, Error> {
        let header = Header::parse(image)?;
        let sections = Sections::parse(image, header.sections_at(), header.sections)?;
        let invalid = Error::SectionContent { kind: section::OPERATORS };
        let weights = sections.get(section::WEIGHTS)?;
        let operators = Operators::new(sections.get(section::OPERATORS)?, weights).ok_or(invalid)?;
        check_operators::<KINDS>(&operators, &header)?;
        let steps = Steps::parse(sections.get(section::SCHEDULE)?)?;
        check_steps(steps, &operators)?;
        let code = Code::new::<KINDS>(KernelSet::best());
        let model = Self { header, sections, operators, steps, code };
        #[cfg(not(device))]
        model.check_optional_sections()?;
        Ok(model)
    }

    /// The model with other kernels, for comparisons: [`KernelSet::named`] says where a processor does not run some.
    #[must_use]
    pub fn with_kernels(self, kernels: KernelSet) -> Self {
        Self { code: Code::new::<ALL_KINDS>(kernels), ..self }
    }

    /// Sections that an image may lack must be right where it has them. On a device only who asks for one learns it.
    #[cfg(not(device))]
    fn check_optional_sections(&self) -> Result<(), Error> {
        absent_or(self.labels().map(|_| true), section::LABELS)?;
        absent_or(self.recipe().map(|_| true), section::RECIPE)?;
        absent_or(self.test_vectors().map(|_| true), section::TEST_VECTORS)?;
        absent_or(self.reject().map(|_| true), section::REJECT)
    }

    /// Runs the network once.
    ///
    /// `input` and `output` hold the values of [`Model::inputs`] and [`Model::outputs`], back to back, channels last; `arena` has
    /// at least [`Model::arena_len`] bytes, and what it held does not matter.
    ///
    /// # Errors
    /// Only if a slice has the wrong length, or if the arena of a model from [`embed_model!`](crate::embed_model) does not lie at
    /// a multiple of 4, as its `Arena` does; nothing has been written then.
    pub fn run(&self, input: &[i8], arena: &mut [u8], output: &mut [i8]) -> Result<(), Error> {
        self.run_layers(input, arena, output, |_| ())
    }

    /// As [`Model::run`], and shows `observe` the rows of every operator as they are computed.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn run_layers(
        &self,
        input: &[i8],
        arena: &mut [u8],
        output: &mut [i8],
        observe: impl FnMut(Computed<'_, '_>),
    ) -> Result<(), Error> {
        self.run_by(Alone, input, arena, output, observe)
    }

    /// As [`Model::run_layers`], on several threads: the rows of a step that is large enough are shared out among them, with
    /// the same bits as on one. Steps of a single row, which a small arena takes, are not.
    ///
    /// `arena` has at least the bytes that [`Model::arena_len_for`] says for so many threads.
    ///
    /// # Errors
    /// As [`Model::run`].
    #[cfg(not(device))]
    pub fn run_on(
        &self,
        threads: &impl Threads,
        input: &[i8],
        arena: &mut [u8],
        output: &mut [i8],
        observe: impl FnMut(Computed<'_, '_>),
    ) -> Result<(), Error> {
        let count = threads.count();
        if count <= 1 {
            return self.run_layers(input, arena, output, observe);
        }
        let expected = self.arena_len_for(count);
        let short = Error::ArenaLength { expected, found: arena.len() };
        let whole = arena.get_mut(..expected).ok_or(short)?;
        // In front of the arena, whose place among the cache lines stays what it is.
        let (spare, arena) = whole.split_at_mut_checked(expected - self.arena_len()).ok_or(short)?;
        let workers = Lent { threads, count, spare: cast::as_i8_mut(spare) };
        self.run_by(workers, input, arena, output, observe)
    }

    /// As [`Model::run_layers`]; `workers` compute the rows of each step.
    fn run_by(
        &self,
        workers: impl Workers,
        input: &[i8],
        arena: &mut [u8],
        output: &mut [i8],
        observe: impl FnMut(Computed<'_, '_>),
    ) -> Result<(), Error> {
        if input.len() != self.input_len() {
            return Err(Error::InputLength { expected: self.input_len(), found: input.len() });
        }
        let arena = self.checked_arena(arena, output)?;
        self.put_inputs(input, arena);
        self.execute(workers, arena, output, observe);
        Ok(())
    }

    /// The place of the network's first input in the arena, for [`run_filled`](Self::run_filled): a camera's rows can go there one
    /// by one, and no memory holds the input twice.
    ///
    /// # Errors
    /// If the arena is too short.
    pub fn input_in<'m>(&self, arena: &'m mut [u8]) -> Result<&'m mut [i8], Error> {
        let short = Error::ArenaLength { expected: self.arena_len(), found: arena.len() };
        cast::as_i8_mut(arena).get_mut(self.input().range()).ok_or(short)
    }

    /// As [`Model::run`], with what [`input_in`](Self::input_in) has been filled with as input. A run overwrites it.
    ///
    /// # Errors
    /// As [`Model::run`]; [`Error::InputLength`] if the network has several inputs.
    pub fn run_filled(&self, arena: &mut [u8], output: &mut [i8]) -> Result<(), Error> {
        let place = self.input().range();
        if self.input_len() != place.len() {
            return Err(Error::InputLength { expected: self.input_len(), found: place.len() });
        }
        let arena = self.checked_arena(arena, output)?;
        for others in [0..place.start, place.end..self.arena_len()] {
            arena.get_mut(others).unwrap_or_default().fill(0);
        }
        self.execute(Alone, arena, output, |_| ());
        Ok(())
    }

    /// The arena's bytes, if they and the output have the right lengths.
    fn checked_arena<'m>(&self, arena: &'m mut [u8], output: &[i8]) -> Result<&'m mut [i8], Error> {
        if output.len() != self.output_len() {
            return Err(Error::OutputLength { expected: self.output_len(), found: output.len() });
        }
        let short = Error::ArenaLength { expected: self.arena_len(), found: arena.len() };
        let arena = cast::as_i8_mut(arena).get_mut(..self.arena_len()).ok_or(short)?;
        if !has(self.code.kinds, UNUSUAL) && !arena.as_ptr().cast::<u32>().is_aligned() {
            return Err(Error::ArenaPlace);
        }
        Ok(arena)
    }

    /// Runs the operators on an arena that holds the inputs.
    fn execute(
        &self,
        workers: impl Workers,
        arena: &mut [i8],
        output: &mut [i8],
        observe: impl FnMut(Computed<'_, '_>),
    ) {
        if let Some((scratch, tensors)) = arena.split_at_mut_checked(self.scratch_len()) {
            engine::execute(self.code, self.operators, self.steps, [scratch, tensors], workers, observe);
        }
        self.take_outputs(arena, output);
    }

    /// The inputs in their places, and nothing else in the arena.
    #[cfg_attr(device, inline(never))]
    fn put_inputs(&self, input: &[i8], arena: &mut [i8]) {
        // What an operator of a strange image reads without anything having written it is zero, on every device.
        arena.fill(0);
        let mut rest = input;
        for tensor in self.inputs() {
            let Some((values, others)) = rest.split_at_checked(tensor.shape.len()) else { break };
            if let Some(place) = arena.get_mut(tensor.range()) {
                copy(place, values);
            }
            rest = others;
        }
    }

    /// The outputs from their places.
    #[cfg_attr(device, inline(never))]
    fn take_outputs(&self, arena: &[i8], output: &mut [i8]) {
        let mut rest = output;
        for tensor in self.outputs() {
            let Some((values, others)) = rest.split_at_mut_checked(tensor.shape.len()) else { break };
            if let Some(place) = arena.get(tensor.range()) {
                copy(values, place);
            }
            rest = others;
        }
    }

    /// Runs a test vector and compares every layer's hash and the output; the index of the first layer that differs,
    /// or the number of operators if only the output does, or [`None`] if all is equal.
    ///
    /// `output` is overwritten with the network's output. Layers are computed in turns, so that each needs a hash of its
    /// own: the network runs once for every [`HASHES`](Self::HASHES) layers.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn first_difference(
        &self,
        vector: &TestVector<'_>,
        arena: &mut [u8],
        output: &mut [i8],
    ) -> Result<Option<usize>, Error> {
        let layers = self.operators.len();
        for first in (0..layers).step_by(Self::HASHES) {
            let mut hashes = [Crc32::default(); Self::HASHES];
            self.run_layers(vector.input, arena, output, |computed| {
                if let Some(hash) = computed.index.checked_sub(first).and_then(|index| hashes.get_mut(index))
                {
                    *hash = hash.update(cast::as_u8(computed.values));
                }
            })?;
            for (layer, hash) in (first..layers).zip(&hashes) {
                if vector.layer(layer) != Some(hash.value()) {
                    return Ok(Some(layer));
                }
            }
        }
        Ok((*output != *vector.output).then_some(layers))
    }

    /// Layers that [`Model::first_difference`] compares in one run.
    pub const HASHES: usize = 16;

    /// The class that an output of a classifier names: the index of its largest value, the first of equals.
    pub fn class(output: &[i8]) -> usize {
        let first_largest = |best: (usize, i8), (index, &value)| {
            not_unrolled();
            if value > best.1 { (index, value) } else { best }
        };
        output.iter().enumerate().fold((0, i8::MIN), first_largest).0
    }

    /// The network's first input, of nearly all networks the only one.
    pub fn input(&self) -> Tensor {
        first(self.inputs())
    }

    /// The network's first output, of nearly all networks the only one.
    pub fn output(&self) -> Tensor {
        first(self.outputs())
    }

    /// The network's inputs.
    pub fn inputs(&self) -> impl Iterator<Item = Tensor> + use<'a> {
        self.header.inputs.iter()
    }

    /// The network's outputs.
    pub fn outputs(&self) -> impl Iterator<Item = Tensor> + use<'a> {
        self.header.outputs.iter()
    }

    /// Values of all inputs.
    pub const fn input_len(&self) -> usize {
        self.header.inputs.len
    }

    /// Values of all outputs.
    pub const fn output_len(&self) -> usize {
        self.header.outputs.len
    }

    /// Bytes of arena that a run needs.
    pub const fn arena_len(&self) -> usize {
        self.header.room.arena_len as usize
    }

    /// Bytes of arena that a run on some threads needs: scratch of its own for each but one of them.
    #[cfg(not(device))]
    pub const fn arena_len_for(&self, threads: usize) -> usize {
        let spare = spare_len(self.scratch_len()).saturating_mul(threads.saturating_sub(1));
        self.arena_len().saturating_add(spare)
    }

    /// Bytes at the arena's begin in which kernels work.
    pub const fn scratch_len(&self) -> usize {
        self.header.room.scratch_len as usize
    }

    /// The operators in the order of their records: each after those that it reads from.
    pub const fn operators(&self) -> Operators<'a> {
        self.operators
    }

    /// The order in which the operators' rows are computed.
    pub const fn steps(&self) -> Steps<'a> {
        self.steps
    }

    /// Bytes of the weights section.
    pub fn weight_len(&self) -> usize {
        self.section(section::WEIGHTS).map_or(0, <[u8]>::len)
    }

    /// The kernels that run this model.
    pub const fn kernels(&self) -> KernelSet {
        self.code.kernels()
    }

    /// The content of the first section of a [`section`](crate::section) kind.
    ///
    /// # Errors
    /// [`Error::SectionMissing`] if there is none.
    pub fn section(&self, kind: u32) -> Result<&'a [u8], Error> {
        self.sections.get(kind)
    }

    /// The names of the classes, in the order of the outputs; there may be fewer than outputs.
    ///
    /// # Errors
    /// If the image has none, or, on a device, one that is not as the format says.
    pub fn labels(&self) -> Result<core::str::Lines<'a>, Error> {
        let text = core::str::from_utf8(self.section(section::LABELS)?);
        Ok(text.map_err(|_| Error::SectionContent { kind: section::LABELS })?.lines())
    }

    /// How a picture becomes the input tensor.
    ///
    /// # Errors
    /// If the image has none, or, on a device, one that is not as the format says.
    pub fn recipe(&self) -> Result<Recipe<'a>, Error> {
        let recipe = Recipe::parse(self.section(section::RECIPE)?);
        let fits = |recipe: &Recipe<'_>| recipe.input_shape() == self.input().shape;
        recipe.filter(fits).ok_or(Error::SectionContent { kind: section::RECIPE })
    }

    /// When an output is no answer.
    ///
    /// # Errors
    /// If the image has no such rule, or, on a device, one that is not as the format says.
    pub fn reject(&self) -> Result<Reject, Error> {
        let rule = Reject::parse(self.section(section::REJECT)?);
        rule.ok_or(Error::SectionContent { kind: section::REJECT })
    }

    /// The image's own test vectors.
    ///
    /// # Errors
    /// If the image has none, or, on a device, one that is not as the format says.
    pub fn test_vectors(&self) -> Result<TestVectors<'a>, Error> {
        let lens = [self.input_len(), self.output_len(), self.header.operators as usize];
        TestVectors::parse(self.section(section::TEST_VECTORS)?, lens)
    }
}

/// The first of some tensors, of which a checked image has one at least.
fn first(mut tensors: impl Iterator<Item = Tensor>) -> Tensor {
    let shape = Shape { height: 0, width: 0, channels: 0 };
    tensors.next().unwrap_or(Tensor { offset: 0, shape, rows: 0, zero_point: 0, scale: 0.0 })
}

/// Whether a section is absent, or right.
#[cfg(not(device))]
fn absent_or(content: Result<bool, Error>, kind: u32) -> Result<(), Error> {
    match content {
        Ok(true) | Err(Error::SectionMissing { .. }) => Ok(()),
        Ok(false) => Err(Error::SectionContent { kind }),
        Err(error) => Err(error),
    }
}
