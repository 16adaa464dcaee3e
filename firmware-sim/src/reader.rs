//! From the sheet to what the network says.

use crate::canvas::{Canvas, SIDE};
use core::fmt;
use edge8::Crc32;
use edge8::Operator;
use edge8::{Computed, Digit, Error, Model, Reject, section};
use edge8_preprocess::Picture;
use edge8_preprocess::digit::{self, workspace_len};

/// Bytes that pre-processing of the sheet works in.
pub const WORKSPACE_LEN: usize = workspace_len(SIDE, SIDE);

/// Classes: the digits.
pub const DIGITS: usize = 10;

/// The memory that reading takes; each slice may be longer than need be.
#[derive(Debug)]
pub struct Memory<'a> {
    /// [`WORKSPACE_LEN`] bytes and [`Model::arena_len`]: pre-processing and the network work in them in turn.
    pub arena: &'a mut [u8],
    /// The network's input.
    pub input: &'a mut [i8],
}

/// Why a model cannot read digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The image is none.
    Model(Error),
    /// The recipe is not for digits.
    NoDigits,
    /// The network does not end in the probabilities of ten digits.
    NoProbabilities,
    /// The arena or the input is shorter than the model or pre-processing needs.
    Memory,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::NoDigits => {
                f.write_str("expected a network that reads digits: its recipe is for other pictures")
            }
            Self::NoProbabilities => {
                write!(f, "expected a network that ends in a softmax over {DIGITS} classes, the digits")
            }
            Self::Memory => {
                f.write_str("the arena or the input is shorter than the model or pre-processing needs")
            }
        }
    }
}

/// What the sheet shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet, or not enough.
    Blank,
    /// A digit.
    Digit(u8),
    /// Ink that is no digit.
    Reject,
}

/// A model that reads digits.
#[derive(Debug)]
pub struct Reader<'a> {
    model: Model<'a>,
    recipe: Digit<'a>,
    /// What is no digit; of an image without a rule every reading is one.
    reject: Option<Reject<'a>>,
    memory: Memory<'a>,
    output: [i8; DIGITS],
}

impl<'a> Reader<'a> {
    /// # Errors
    /// If the model does not read digits, or the memory is too small for it.
    pub fn new(model: Model<'a>, memory: Memory<'a>) -> Result<Self, Refused> {
        let recipe = Digit::parse(model.section(section::RECIPE).map_err(Refused::Model)?);
        let area = |recipe: &Digit<'_>| usize::from(recipe.framing().side).pow(2);
        let recipe = recipe.filter(|recipe| area(recipe) == model.input_len()).ok_or(Refused::NoDigits)?;
        let reject = match model.reject() {
            Ok(rule) => Some(rule),
            Err(Error::SectionMissing { .. }) => None,
            Err(error) => return Err(Refused::Model(error)),
        };
        let ends = matches!(model.operators().last(), Some(Operator::Softmax(_)));
        if !ends || model.output_len() != DIGITS {
            return Err(Refused::NoProbabilities);
        }
        let arena_len = model.arena_len().max(WORKSPACE_LEN);
        if memory.arena.len() < arena_len || memory.input.len() < model.input_len() {
            return Err(Refused::Memory);
        }
        let reader = Self { model, recipe, reject, memory, output: [i8::MIN; DIGITS] };
        reader.memory.input.fill(i8::MIN);
        Ok(reader)
    }

    /// Reads the sheet.
    pub fn read(&mut self, canvas: &Canvas) -> Verdict {
        canvas.picture().map_or(Verdict::Blank, |picture| self.read_picture(&picture))
    }

    /// Reads a grey picture; a larger one than the sheet if the arena has its [`workspace_len`].
    pub fn read_picture(&mut self, picture: &Picture<'_>) -> Verdict {
        self.output = [i8::MIN; DIGITS];
        let Some(input) = self.memory.input.get_mut(..self.model.input_len()) else {
            return Verdict::Blank;
        };
        if digit::apply(&self.recipe, picture, self.memory.arena, edge8::bytes_of_mut(input)).is_err() {
            // It has seen nothing, not what it saw before.
            input.fill(i8::MIN);
            return Verdict::Blank;
        }
        if self.model.run(input, self.memory.arena, &mut self.output).is_err() {
            return Verdict::Blank;
        }
        self.judge()
    }

    /// What the latest output says, if the ink may be a digit.
    fn judge(&self) -> Verdict {
        let class = Model::class(&self.output);
        let probability = self.probabilities().nth(class).unwrap_or(0);
        let side = self.recipe.framing().side.into();
        let accepts = |rule: Reject<'_>| rule.accepts(class, probability, self.input(), side);
        if self.reject.is_none_or(accepts) { Verdict::Digit(class as u8) } else { Verdict::Reject }
    }

    /// See [`edge8::crossings`], of the latest reading.
    pub fn crossings(&self) -> u32 {
        edge8::crossings(self.input(), self.recipe.framing().side.into())
    }

    /// The probability of each digit in the latest reading, of 256.
    pub fn probabilities(&self) -> impl Iterator<Item = u8> + '_ {
        self.output.iter().map(|&value| value.wrapping_sub(i8::MIN) as u8)
    }

    /// The network's input in the latest reading.
    pub fn input(&self) -> &[i8] {
        self.memory.input.get(..self.model.input_len()).unwrap_or(&[])
    }

    /// The same as `side` rows of grey values.
    pub fn seen(&self) -> (usize, impl Iterator<Item = u8> + '_) {
        let side = self.recipe.framing().side.into();
        (side, self.input().iter().map(|&value| value.wrapping_sub(i8::MIN) as u8))
    }

    /// Runs the network once more on the latest input; the CRC-32 of all rows of all layers, in the order in which they are
    /// computed.
    pub fn hash_of_layers(&mut self) -> u32 {
        let (mut hash, mut output) = (Crc32::default(), self.output);
        if let Some(input) = self.memory.input.get(..self.model.input_len()) {
            let hashed = |computed: Computed<'_, '_>| {
                for &value in computed.values {
                    hash = hash.update(&[value as u8]);
                }
            };
            // It has the lengths that have been checked.
            let _ = self.model.run_layers(input, self.memory.arena, &mut output, hashed);
        }
        hash.value()
    }

    /// The model.
    pub const fn model(&self) -> &Model<'a> {
        &self.model
    }
}
