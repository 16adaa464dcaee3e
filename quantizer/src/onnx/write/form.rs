//! How a tensor lies in the file.

use crate::graph::Shape;
use mobilenet::onnx::Dimension;

/// How the values of a tensor lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `[1, channels, rows, columns]`.
    Map,
    /// `[1, values]`, in the order of [`Form::Map`].
    Flat,
}

impl Form {
    pub(super) fn shape(self, shape: Shape) -> Vec<usize> {
        match self {
            Self::Map => vec![1, shape.channels, shape.height, shape.width],
            Self::Flat => vec![1, shape.volume()],
        }
    }

    pub(super) fn dimensions(self, shape: Shape) -> Vec<Dimension<'static>> {
        self.shape(shape).into_iter().map(Dimension::Fixed).collect()
    }

    /// The plainer form of what is no image.
    pub(super) fn of(shape: Shape) -> Self {
        if shape.height * shape.width == 1 { Self::Flat } else { Self::Map }
    }
}

/// Values in the order `[rows][columns][channels]`, in the order `[channels][rows][columns]`.
pub(super) fn channels_first<T: Copy>(values: &[T], shape: Shape) -> Vec<T> {
    let channel = |channel| values.iter().skip(channel).step_by(shape.channels.max(1)).copied();
    (0..shape.channels).flat_map(channel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_come_first() {
        let shape = Shape::new(1, 3, 2);
        assert_eq!(channels_first(&[0, 10, 1, 11, 2, 12], shape), [0, 1, 2, 10, 11, 12]);
        assert_eq!(Form::Map.shape(shape), [1, 2, 1, 3]);
    }
}
