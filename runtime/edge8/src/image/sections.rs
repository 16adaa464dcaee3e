//! The section table.

use crate::bytes;
use crate::error::Error;
use crate::format::{self, section};

/// The section table of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections<'a> {
    image: &'a [u8],
    table: &'a [u8],
}

/// An entry of the table.
#[derive(Clone, Copy)]
struct Section {
    kind: u32,
    offset: u32,
    len: u32,
    flags: u32,
}

impl Section {
    fn decode(entry: &[u8]) -> Option<Self> {
        Some(Self {
            kind: bytes::u32(entry, 0)?,
            offset: bytes::u32(entry, 4)?,
            len: bytes::u32(entry, 8)?,
            flags: bytes::u32(entry, 12)?,
        })
    }

    fn is_known(&self) -> bool {
        matches!(
            self.kind,
            section::OPERATORS | section::WEIGHTS | section::SCHEDULE | section::LABELS..=section::REJECT
        )
    }
}

impl<'a> Sections<'a> {
    /// Checks that `count` sections, whose table begins at `at`, lie in order inside the image.
    pub(crate) fn parse(image: &'a [u8], at: usize, count: u32) -> Result<Self, Error> {
        let table = (count as usize)
            .checked_mul(format::SECTION_LEN)
            .and_then(|len| image.get(at..)?.get(..len))
            .ok_or(Error::SectionPlace { index: 0 })?;
        let sections = Self { image, table };
        let mut end = at.saturating_add(table.len());
        for (index, section) in (0..).zip(sections.entries()) {
            let start = section.offset as usize;
            let placed = start >= end && start.is_multiple_of(format::ALIGNMENT);
            if !placed || bytes::slice(image, section.offset, section.len as usize).is_none() {
                return Err(Error::SectionPlace { index });
            }
            if !section.is_known() && section.flags & format::SECTION_REQUIRED != 0 {
                return Err(Error::SectionKind { found: section.kind });
            }
            end = start.saturating_add(section.len as usize);
        }
        Ok(sections)
    }

    fn entries(&self) -> impl Iterator<Item = Section> + use<'a> {
        self.table.chunks_exact(format::SECTION_LEN).filter_map(Section::decode)
    }

    /// The first section of this kind.
    #[cfg_attr(device, inline(never))]
    pub(crate) fn get(&self, kind: u32) -> Result<&'a [u8], Error> {
        self.entries()
            .find(|section| section.kind == kind)
            .and_then(|section| bytes::slice(self.image, section.offset, section.len as usize))
            .ok_or(Error::SectionMissing { kind })
    }
}
