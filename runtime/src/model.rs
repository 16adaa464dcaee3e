//! A checked model image.

use crate::cast;
use crate::engine;
use crate::error::Error;
use crate::image::layout::section;
use crate::image::{Crc32, Header, Operators, Sections, TestVector, TestVectors, check_operators};
use crate::kernels::KernelSet;
use crate::operator::Operator;
use crate::preprocess::Recipe;
use crate::slices::copy;
use crate::tensor::{Shape, Tensor};

/// A model image that has been checked: it can be run and inspected, and neither can fail late.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    header: Header,
    sections: Sections<'a>,
    records: &'a [u8],
    weights: &'a [u8],
    kernels: KernelSet,
}

impl<'a> Model<'a> {
    /// Checks an image, in time that is bounded by its length, and chooses the kernels for this processor.
    ///
    /// The image may lie at any address; one that is a multiple of 16 is read fastest.
    ///
    /// # Errors
    /// The first thing found that is not as [the format](crate::image) says.
    pub fn parse(image: &'a [u8]) -> Result<Self, Error> {
        let header = Header::parse(image)?;
        let sections = Sections::parse(image, header.sections)?;
        let records = sections.get(section::OPERATORS)?;
        let weights = sections.get(section::WEIGHTS)?;
        check_operators(Operators::new(records, weights), &header)?;
        let model = Self { header, sections, records, weights, kernels: KernelSet::best() };
        model.check_optional_sections()?;
        Ok(model)
    }

    /// Sections that an image may lack must be right where it has them.
    fn check_optional_sections(&self) -> Result<(), Error> {
        absent_or(self.labels().map(|_| true), section::LABELS)?;
        absent_or(self.recipe().map(|_| true), section::RECIPE)?;
        absent_or(self.test_vectors().map(|_| true), section::TEST_VECTORS)
    }

    /// Runs the network once.
    ///
    /// `input` and `output` hold the values of [`Model::input`] and [`Model::output`], channels last; `arena` has at
    /// least [`Model::arena_len`] bytes, and what it held does not matter.
    ///
    /// # Errors
    /// Only if a slice has the wrong length; nothing has been written then.
    pub fn run(&self, input: &[i8], arena: &mut [u8], output: &mut [i8]) -> Result<(), Error> {
        self.run_layers(input, arena, output, |_, _, _| ())
    }

    /// As [`Model::run`], and shows `observe` the output of every operator: its index, the operator, the values.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn run_layers(
        &self,
        input: &[i8],
        arena: &mut [u8],
        output: &mut [i8],
        observe: impl FnMut(usize, &Operator<'_>, &[i8]),
    ) -> Result<(), Error> {
        let lens = [self.input().shape.len(), self.output().shape.len(), self.arena_len()];
        if input.len() != lens[0] {
            return Err(Error::InputLength { expected: lens[0], found: input.len() });
        }
        if output.len() != lens[1] {
            return Err(Error::OutputLength { expected: lens[1], found: output.len() });
        }
        if arena.len() < lens[2] {
            return Err(Error::ArenaLength { expected: lens[2], found: arena.len() });
        }
        let arena = cast::as_i8_mut(arena);
        // What an operator of a strange image reads without anything having written it is zero, on every device.
        if let Some(used) = arena.get_mut(..lens[2]) {
            used.fill(0);
        }
        if let Some(place) = arena.get_mut(self.input().range()) {
            copy(place, input);
        }
        engine::execute(self.kernels, self.operators(), arena, observe);
        if let Some(result) = arena.get(self.output().range()) {
            copy(output, result);
        }
        Ok(())
    }

    /// Runs a test vector and compares every layer's hash and the output; the index of the first layer that differs,
    /// or the number of operators if only the output does, or [`None`] if all is equal.
    ///
    /// `output` is overwritten with the network's output.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn first_difference(
        &self,
        vector: &TestVector<'_>,
        arena: &mut [u8],
        output: &mut [i8],
    ) -> Result<Option<usize>, Error> {
        let mut different = None;
        self.run_layers(vector.input, arena, output, |index, _, values| {
            if different.is_none() && vector.layer(index) != Some(Crc32::of(cast::as_u8(values))) {
                different = Some(index);
            }
        })?;
        if different.is_none() && *output != *vector.output {
            different = Some(self.header.operators as usize);
        }
        Ok(different)
    }

    /// The class that an output of a classifier names: the index of its largest value, the first of equals.
    pub fn class(output: &[i8]) -> usize {
        let first_largest =
            |best: (usize, i8), (index, &value)| if value > best.1 { (index, value) } else { best };
        output.iter().enumerate().fold((0, i8::MIN), first_largest).0
    }

    /// The network's input.
    pub const fn input(&self) -> &Tensor {
        &self.header.input
    }

    /// The network's output.
    pub const fn output(&self) -> &Tensor {
        &self.header.output
    }

    /// Bytes of arena that a run needs.
    pub const fn arena_len(&self) -> usize {
        self.header.arena_len as usize
    }

    /// The operators in the order of execution.
    pub fn operators(&self) -> Operators<'a> {
        Operators::new(self.records, self.weights)
    }

    /// Bytes of the weights section.
    pub const fn weight_len(&self) -> usize {
        self.weights.len()
    }

    /// The kernels that run this model.
    pub const fn kernels(&self) -> KernelSet {
        self.kernels
    }

    /// The content of the first section of a [`section`](crate::image::layout::section) kind.
    ///
    /// # Errors
    /// [`Error::SectionMissing`] if there is none.
    pub fn section(&self, kind: u32) -> Result<&'a [u8], Error> {
        self.sections.get(kind)
    }

    /// The names of the classes, in the order of the outputs; there may be fewer than outputs.
    ///
    /// # Errors
    /// If the image has none.
    pub fn labels(&self) -> Result<core::str::Lines<'a>, Error> {
        let text = core::str::from_utf8(self.section(section::LABELS)?);
        Ok(text.map_err(|_| Error::SectionContent { kind: section::LABELS })?.lines())
    }

    /// How a picture becomes the input tensor.
    ///
    /// # Errors
    /// If the image has none.
    pub fn recipe(&self) -> Result<Recipe<'a>, Error> {
        let recipe = Recipe::parse(self.section(section::RECIPE)?);
        let Shape { height, width, channels } = self.input().shape;
        recipe
            .filter(|recipe| [height, width, channels] == [recipe.framing().side, recipe.framing().side, 1])
            .ok_or(Error::SectionContent { kind: section::RECIPE })
    }

    /// The image's own test vectors.
    ///
    /// # Errors
    /// If the image has none.
    pub fn test_vectors(&self) -> Result<TestVectors<'a>, Error> {
        let lens = [self.input().shape.len(), self.output().shape.len(), self.header.operators as usize];
        TestVectors::parse(self.section(section::TEST_VECTORS)?, lens)
    }
}

/// Whether a section is absent, or right.
fn absent_or(content: Result<bool, Error>, kind: u32) -> Result<(), Error> {
    match content {
        Ok(true) | Err(Error::SectionMissing { .. }) => Ok(()),
        Ok(false) => Err(Error::SectionContent { kind }),
        Err(error) => Err(error),
    }
}
