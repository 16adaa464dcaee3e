//! The image's header.

use super::checksum;
use super::layout::{self, header};
use crate::bytes;
use crate::error::Error;
use crate::slices::not_unrolled;
use crate::tensor::Tensor;

/// The header's fields, checked against the image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) arena_len: u32,
    pub(crate) scratch_len: u32,
    pub(crate) operators: u32,
    pub(crate) sections: u32,
    pub(crate) input: Tensor,
    pub(crate) output: Tensor,
}

/// The magic bytes in a form that is compared without a loop.
const MAGIC: u64 = u64::from_le_bytes(layout::MAGIC);

impl Header {
    pub(crate) fn parse(image: &[u8]) -> Result<Self, Error> {
        if image.first_chunk().map(|magic| u64::from_le_bytes(*magic)) != Some(MAGIC) {
            return Err(Error::Magic);
        }
        let cut = Error::ImageLength { expected: header::LEN, found: image.len() };
        let field = |at| bytes::u32(image, at).ok_or(cut);
        let version = bytes::u16(image, header::VERSION).ok_or(cut)?;
        if version != layout::VERSION {
            return Err(Error::Version { found: version });
        }
        let contract = field(header::CONTRACT)?;
        if contract != layout::CONTRACT {
            return Err(Error::Contract { found: contract });
        }
        check_integrity(image, field(header::IMAGE_LEN)?, field(header::CHECKSUM)?)?;
        for range in header::RESERVED {
            not_unrolled();
            let zero = |&byte: &u8| {
                not_unrolled();
                byte == 0
            };
            if !image.get(range).ok_or(cut)?.iter().all(zero) {
                return Err(Error::Reserved);
            }
        }
        let arena_len = field(header::ARENA_LEN)?;
        let endpoint = |at| match Tensor::decode(image, at) {
            Some(tensor) if tensor.is_valid() && tensor.range().end <= arena_len as usize => Ok(tensor),
            _ => Err(Error::Endpoint),
        };
        Ok(Self {
            arena_len,
            scratch_len: field(header::SCRATCH_LEN)?,
            operators: field(header::OPERATORS)?,
            sections: field(header::SECTIONS)?,
            input: endpoint(header::INPUT)?,
            output: endpoint(header::OUTPUT)?,
        })
    }

    /// Whether a tensor lies in the arena behind the scratch bytes.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn has_room_for(&self, tensor: &Tensor) -> bool {
        let range = tensor.range();
        range.start >= self.scratch_len as usize && range.end <= self.arena_len as usize
    }
}

/// Length and checksum: after this, a damaged image needs malice or bad luck in 32 bits to go on.
fn check_integrity(image: &[u8], stated_len: u32, stated_checksum: u32) -> Result<(), Error> {
    if stated_len as usize != image.len() {
        return Err(Error::ImageLength { expected: stated_len as usize, found: image.len() });
    }
    let found = checksum::image_checksum(image);
    if found != stated_checksum {
        return Err(Error::Checksum { expected: stated_checksum, found });
    }
    Ok(())
}
