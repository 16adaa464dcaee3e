//! From the sheet to what the network says.

use crate::canvas::{Canvas, SIDE};
use crate::name::{LABELS, Name};
use crate::prepare;
use crate::text::Line;
use core::fmt;
use edge8::{Computed, Crc32, Error, Model, Operator, Recipe, Reject, Shape, section};
use edge8_preprocess::{Picture, PictureError, digit, workspace_len};

/// Bytes that pre-processing of the sheet works in; with a recipe for pictures of less than four rows it may be more.
pub const WORKSPACE_LEN: usize = digit::workspace_len(SIDE, SIDE);

/// The memory that reading takes; each slice may be longer than need be.
#[derive(Debug)]
pub struct Memory<'a> {
    /// [`WORKSPACE_LEN`] bytes and [`Model::arena_len`]: pre-processing and the network work in them in turn.
    pub arena: &'a mut [u8],
    /// The network's input, [`Model::input_len`] values.
    pub input: &'a mut [i8],
    /// Its output, [`Model::output_len`] values.
    pub output: &'a mut [i8],
}

/// Why a model cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The image is none, or has no recipe.
    Model(Error),
    /// The recipe is not for digits, and the app was built without the feature `pictures`.
    NoDigits,
    /// The recipe does not fill the network's inputs.
    Inputs {
        /// Values that the recipe makes.
        expected: usize,
        /// Values of all inputs.
        found: usize,
    },
    /// The network does not end in the probabilities of two classes or more.
    NoProbabilities {
        /// Whether it ends in a softmax.
        softmax: bool,
        /// Values of the output.
        outputs: usize,
    },
    /// A part of the memory is shorter than the model or pre-processing needs.
    Memory {
        /// Which part.
        name: &'static str,
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::NoDigits => f.write_str(
                "expected a network that reads digits, found a recipe for other pictures: build the app with the feature \
                 `pictures`",
            ),
            Self::Inputs { expected, found } => {
                write!(
                    f,
                    "expected a network with one input of {expected} values, which the recipe makes, found {found}"
                )
            }
            Self::NoProbabilities { softmax, outputs } => {
                let last = if *softmax { "a softmax" } else { "another layer" };
                write!(
                    f,
                    "expected a network that ends in a softmax over two classes or more, found {last} and {outputs} values"
                )
            }
            Self::Memory { name, expected, found } => {
                write!(f, "the {name} needs {expected} bytes, found {found}")
            }
        }
    }
}

/// What the sheet shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet, or not enough.
    Blank,
    /// A class, by its number.
    Class(u16),
    /// Ink that is none of the classes.
    Reject,
}

/// A model that reads.
#[derive(Debug)]
pub struct Reader<'a> {
    model: Model<'a>,
    /// Of the input.
    shape: Shape,
    /// What is no answer; of an image without a rule every reading is one.
    reject: Option<Reject>,
    memory: Memory<'a>,
}

impl<'a> Reader<'a> {
    /// # Errors
    /// If the model does not read pictures or has no probabilities, or the memory is too small for it.
    pub fn new(model: Model<'a>, memory: Memory<'a>) -> Result<Self, Refused> {
        let recipe = prepare::recipe(&model)?;
        let shape = recipe.input_shape();
        let (expected, found) = (shape.len(), model.input_len());
        if expected != found {
            return Err(Refused::Inputs { expected, found });
        }
        let reject = match model.reject() {
            Ok(rule) => Some(rule),
            Err(Error::SectionMissing { .. }) => None,
            Err(error) => return Err(Refused::Model(error)),
        };
        let softmax = matches!(model.operators().last(), Some(Operator::Softmax(_)));
        let outputs = model.output_len();
        if !softmax || outputs < 2 {
            return Err(Refused::NoProbabilities { softmax, outputs });
        }
        let arena_len = model.arena_len().max(workspace_len(&recipe.preparation(), SIDE, SIDE));
        let parts = [
            ("arena", arena_len, memory.arena.len()),
            ("input", model.input_len(), memory.input.len()),
            ("output", outputs, memory.output.len()),
        ];
        for (name, expected, found) in parts {
            if found < expected {
                return Err(Refused::Memory { name, expected, found });
            }
        }
        memory.input.fill(i8::MIN);
        memory.output.fill(i8::MIN);
        Ok(Self { model, shape, reject, memory })
    }

    /// Reads the sheet.
    pub fn read(&mut self, canvas: &Canvas) -> Verdict {
        self.look(|recipe, workspace, input| prepare::sheet(recipe, canvas, workspace, input))
    }

    /// Reads a picture, grey or of a recipe for coloured ones; a larger one than the sheet if the arena has its
    /// [`workspace_len`].
    pub fn read_picture(&mut self, picture: &Picture<'_>) -> Verdict {
        self.look(|recipe, workspace, input| prepare::picture(recipe, picture, workspace, input))
    }

    /// Runs the network on what `prepare` makes of the recipe, in a workspace, for an input.
    fn look(
        &mut self,
        prepare: impl FnOnce(&Recipe<'_>, &mut [u8], &mut [i8]) -> Result<(), PictureError>,
    ) -> Verdict {
        let Memory { arena, input, output } = &mut self.memory;
        let (input, output) =
            (input.get_mut(..self.model.input_len()), output.get_mut(..self.model.output_len()));
        let (Some(input), Some(output), Ok(recipe)) = (input, output, prepare::recipe(&self.model)) else {
            return Verdict::Blank;
        };
        output.fill(i8::MIN);
        if prepare(&recipe, arena, input).is_err() {
            // It has seen nothing, not what it saw before.
            input.fill(i8::MIN);
            return Verdict::Blank;
        }
        if self.model.run(input, arena, output).is_err() {
            return Verdict::Blank;
        }
        self.judge()
    }

    /// What the latest output says, if it is an answer.
    fn judge(&self) -> Verdict {
        let output = self.output();
        if self.reject.is_none_or(|rule| rule.accepts(output)) {
            Verdict::Class(Model::class(output) as u16)
        } else {
            Verdict::Reject
        }
    }

    /// How many classes there are, at least 2.
    pub fn classes(&self) -> usize {
        self.model.output_len()
    }

    /// What a class is called.
    pub fn name(&self, class: usize) -> Name<'a> {
        match self.label(class) {
            Some(label) => Name::Label(label),
            None => Name::Number(Line::new().number(class)),
        }
    }

    /// Characters of the longest name.
    pub fn longest_name(&self) -> usize {
        let label = self.labels().map(|label| label.chars().count()).max();
        let numbers = [9, 99, 999].into_iter().filter(|&last| self.classes() > last + 1).count() + 1;
        label.unwrap_or(numbers)
    }

    fn label(&self, class: usize) -> Option<&'a str> {
        self.labels().nth(class).filter(|label| !label.is_empty())
    }

    /// As [`Model::labels`], whose lines a device's compiler does not see never to panic; of a program without code for them, none.
    fn labels(&self) -> impl Iterator<Item = &'a str> {
        let section = if LABELS { self.model.section(section::LABELS).ok() } else { None };
        let lines = section.into_iter().flat_map(|section| section.split(|&byte| byte == b'\n'));
        lines.map(|line| core::str::from_utf8(line).unwrap_or("").trim_end())
    }

    /// Whether the recipe is for digits.
    pub fn reads_digits(&self) -> bool {
        !cfg!(feature = "pictures") || matches!(prepare::recipe(&self.model), Ok(Recipe::Digit(_)))
    }

    /// The probability of each class in the latest reading, of 256.
    pub fn probabilities(&self) -> impl Iterator<Item = u8> + '_ {
        self.output().iter().map(|&value| level(value))
    }

    /// All classes and their probabilities, the likeliest one first, equals by their numbers.
    pub fn likeliest(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        // Where a class stands is a number: the probability, and below it the class, a lower one standing higher.
        let key = |(probability, class): (u8, u16)| u32::from(probability) << 16 | u32::from(!class);
        let mut last = u32::MAX;
        core::iter::from_fn(move || {
            let keys = self.probabilities().zip(0..).map(key);
            last = keys.filter(|&key| key < last).max()?;
            Some((usize::from(!last as u16), (last >> 16) as u8))
        })
    }

    /// The network's output in the latest reading.
    fn output(&self) -> &[i8] {
        self.memory.output.get(..self.model.output_len()).unwrap_or(&[])
    }

    /// The network's input in the latest reading.
    pub fn input(&self) -> &[i8] {
        self.memory.input.get(..self.model.input_len()).unwrap_or(&[])
    }

    /// The shape of the same.
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The same as red, green and blue, row by row; of a grey input they are equal.
    pub fn seen(&self) -> impl Iterator<Item = [u8; 3]> + '_ {
        let channels = usize::from(self.shape.channels).max(1);
        self.input().chunks_exact(channels).map(|values| {
            let [red, green, blue] = match *values {
                [red, green, blue] => [red, green, blue],
                _ => [values.first().copied().unwrap_or(i8::MIN); 3],
            };
            [red, green, blue].map(level)
        })
    }

    /// Runs the network once more on the latest input; the CRC-32 of all rows of all layers, in the order in which they are
    /// computed.
    pub fn hash_of_layers(&mut self) -> u32 {
        let mut hash = Crc32::default();
        let Memory { arena, input, output } = &mut self.memory;
        let (input, output) =
            (input.get(..self.model.input_len()), output.get_mut(..self.model.output_len()));
        if let (Some(input), Some(output)) = (input, output) {
            let hashed = |computed: Computed<'_, '_>| {
                for &value in computed.values {
                    hash = hash.update(&[value as u8]);
                }
            };
            let blank = output.get(Model::class(output)) == Some(&i8::MIN);
            // It has the lengths that have been checked.
            let _ = self.model.run_layers(input, arena, output, hashed);
            if blank {
                output.fill(i8::MIN);
            }
        }
        hash.value()
    }

    /// The model.
    pub const fn model(&self) -> &Model<'a> {
        &self.model
    }
}

/// From the least value of an int8 on.
const fn level(value: i8) -> u8 {
    value.wrapping_sub(i8::MIN) as u8
}
