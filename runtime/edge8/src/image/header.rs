//! The image's header, and the records of the network's inputs and outputs behind it.

use crate::bytes;
use crate::checksum;
use crate::error::Error;
use crate::format::{self, TENSOR_LEN, header};
use crate::operator::Room;
use crate::slices::not_unrolled;
use crate::tensor::Tensor;

/// The header's fields, checked against the image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) room: Room,
    pub(crate) operators: u32,
    pub(crate) sections: u32,
    pub(crate) inputs: Endpoints<'a>,
    pub(crate) outputs: Endpoints<'a>,
}

/// The network's inputs, or its outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoints<'a> {
    records: &'a [[u8; TENSOR_LEN]],
    /// Values of all.
    pub(crate) len: usize,
}

/// The most outputs of a network.
const MOST_OUTPUTS: usize = 64;

/// The magic bytes in a form that is compared without a loop.
const MAGIC: u64 = u64::from_le_bytes(format::MAGIC);

impl<'a> Header<'a> {
    pub(crate) fn parse(image: &'a [u8]) -> Result<Self, Error> {
        if image.first_chunk().map(|magic| u64::from_le_bytes(*magic)) != Some(MAGIC) {
            return Err(Error::Magic);
        }
        let cut = Error::ImageLength { expected: header::LEN, found: image.len() };
        let field = |at| bytes::u32(image, at).ok_or(cut);
        let version = bytes::u16(image, header::VERSION).ok_or(cut)?;
        if version != format::VERSION {
            return Err(Error::Version { found: version });
        }
        let contract = field(header::CONTRACT)?;
        if contract != format::CONTRACT {
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
        let room = Room { arena_len: field(header::ARENA_LEN)?, scratch_len: field(header::SCRATCH_LEN)? };
        let count = |at| bytes::u16(image, at).map(usize::from).ok_or(cut);
        let (inputs, outputs) = (count(header::INPUTS)?, count(header::OUTPUTS)?);
        let records = image.get(header::LEN..).ok_or(cut)?.as_chunks().0;
        let (inputs, rest) = records.split_at_checked(inputs).ok_or(Error::Endpoint)?;
        let outputs = rest.get(..outputs).ok_or(Error::Endpoint)?;
        if outputs.len() > MOST_OUTPUTS {
            return Err(Error::Endpoint);
        }
        Ok(Self {
            room,
            operators: field(header::OPERATORS)?,
            sections: field(header::SECTIONS)?,
            inputs: Endpoints::new(inputs, room).ok_or(Error::Endpoint)?,
            outputs: Endpoints::new(outputs, room).ok_or(Error::Endpoint)?,
        })
    }

    /// Where the section table begins.
    pub(crate) const fn sections_at(&self) -> usize {
        header::LEN + (self.inputs.records.len() + self.outputs.records.len()) * TENSOR_LEN
    }
}

impl<'a> Endpoints<'a> {
    /// At least one tensor, each whole and in the room; [`None`] if it is not so.
    #[cfg_attr(device, inline(never))]
    fn new(records: &'a [[u8; TENSOR_LEN]], room: Room) -> Option<Self> {
        let mut len = 0usize;
        for record in records {
            let tensor = Tensor::decode(record, 0)?;
            if !(tensor.is_valid() && tensor.is_whole() && room.holds(&tensor)) {
                return None;
            }
            len = len.checked_add(tensor.shape.len())?;
        }
        (!records.is_empty()).then_some(Self { records, len })
    }

    /// The place of a tensor among them.
    #[cfg_attr(device, inline(never))]
    pub(crate) fn position(&self, tensor: &Tensor) -> Option<u32> {
        (0..).zip(self.iter()).find(|(_, endpoint)| endpoint == tensor).map(|(place, _)| place)
    }

    /// Number of them.
    pub(crate) const fn count(&self) -> usize {
        self.records.len()
    }

    /// Each of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Tensor> + use<'a> {
        self.records.iter().filter_map(|record| Tensor::decode(record, 0))
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
