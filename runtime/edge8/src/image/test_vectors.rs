//! Inputs with their outputs and a hash of every layer: the image proves itself on any processor.

use crate::bytes;
use crate::cast;
use crate::error::Error;
use crate::format::section;

/// The test vectors of an image.
///
/// The section is a `u32` count, then for each vector the inputs (int8, back to back), the outputs likewise and one `u32` per
/// operator, the CRC-32 of its output; without padding.
#[derive(Clone, Debug)]
pub struct TestVectors<'a> {
    rest: &'a [u8],
    lens: [usize; 3],
}

/// One input with what must come out.
#[derive(Clone, Copy, Debug)]
pub struct TestVector<'a> {
    /// The values of the input tensors, back to back.
    pub input: &'a [i8],
    /// The values of the output tensors, back to back.
    pub output: &'a [i8],
    layers: &'a [[u8; 4]],
}

impl TestVector<'_> {
    /// CRC-32 of the output of operator `index`.
    pub fn layer(&self, index: usize) -> Option<u32> {
        self.layers.get(index).copied().map(u32::from_le_bytes)
    }
}

impl<'a> TestVectors<'a> {
    /// Checks that the section holds what its count says; `lens` are the inputs', the outputs' and the number of
    /// operators.
    pub(crate) fn parse(content: &'a [u8], lens: [usize; 3]) -> Result<Self, Error> {
        let [input, output, operators] = lens;
        let parse = || {
            let count = bytes::u32(content, 0)? as usize;
            let each = operators.checked_mul(4)?.checked_add(input)?.checked_add(output)?;
            let rest = content.get(4..)?;
            (count.checked_mul(each)? == rest.len()).then_some(Self { rest, lens })
        };
        parse().ok_or(Error::SectionContent { kind: section::TEST_VECTORS })
    }
}

impl<'a> Iterator for TestVectors<'a> {
    type Item = TestVector<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let [input_len, output_len, operators] = self.lens;
        let (input, rest) = self.rest.split_at_checked(input_len)?;
        let (output, rest) = rest.split_at_checked(output_len)?;
        let (layers, rest) = rest.split_at_checked(operators.checked_mul(4)?)?;
        self.rest = rest;
        Some(TestVector {
            input: cast::as_i8(input),
            output: cast::as_i8(output),
            layers: layers.as_chunks().0,
        })
    }
}
