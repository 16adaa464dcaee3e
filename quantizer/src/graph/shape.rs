//! The extent of tensors.

/// The extent of one tensor without its batch: rows, columns, channels. A vector of C values is 1 x 1 x C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, the fastest index.
    pub channels: usize,
}

impl Shape {
    /// `height` rows, `width` columns, `channels` channels.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// The number of values.
    pub const fn volume(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether a tensor of this shape can be repeated to fill `whole`: each side equals the other's or is 1.
    pub const fn repeats_to(&self, whole: Self) -> bool {
        (self.height == whole.height || self.height == 1)
            && (self.width == whole.width || self.width == 1)
            && (self.channels == whole.channels || self.channels == 1)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}
