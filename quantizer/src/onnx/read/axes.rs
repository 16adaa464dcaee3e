//! Where the axes of a tensor of the file lie in the image that the graph keeps.

use crate::graph::Shape;
use anyhow::{Result, bail, ensure};

/// One axis of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Axis {
    Row,
    Column,
    Channel,
}

impl Axis {
    /// All axes in the graph's order, slowest first.
    pub(super) const ALL: [Self; 3] = [Self::Row, Self::Column, Self::Channel];

    pub(super) fn side(self, shape: Shape) -> usize {
        match self {
            Self::Row => shape.height,
            Self::Column => shape.width,
            Self::Channel => shape.channels,
        }
    }
}

/// For each axis of a tensor of the file the axes of the image that it runs over, slowest first. A side of 1 is in no
/// list, so that an axis of length 1 has an empty one: the batch always.
///
/// "Channels first" is `[[], [Channel], [Row], [Column]]`, and flattened `[[], [Channel, Row, Column]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axes(Vec<Vec<Axis>>);

impl Axes {
    /// A tensor whose axes are these axes of an image.
    pub(super) fn new(axes: &[Option<Axis>], shape: Shape) -> Self {
        let list = |axis: &Option<Axis>| axis.iter().copied().filter(|axis| axis.side(shape) > 1).collect();
        Self(axes.iter().map(list).collect())
    }

    /// A tensor with these lists.
    pub(super) fn of_lists(lists: Vec<Vec<Axis>>) -> Self {
        Self(lists)
    }

    /// The number of axes of the tensor.
    pub(super) fn rank(&self) -> usize {
        self.0.len()
    }

    /// What one axis of the tensor runs over.
    pub(super) fn list(&self, at: usize) -> &[Axis] {
        self.0.get(at).map_or(&[], Vec::as_slice)
    }

    /// All lists, one after the other: the order in which the values lie in the file's tensor.
    pub(super) fn order(&self) -> Vec<Axis> {
        self.0.concat()
    }

    /// The same tensor with another axis order: axis `order[n]` is now axis n. Each axis is in `order` once.
    pub(super) fn permuted(&self, order: &[usize]) -> Self {
        Self(order.iter().map(|&axis| self.list(axis).to_vec()).collect())
    }

    /// With an axis of length 1 more.
    pub(super) fn added(&self, at: usize) -> Self {
        let mut lists = self.0.clone();
        lists.insert(at.min(lists.len()), Vec::new());
        Self(lists)
    }

    /// With other sides of as many values. [`None`] if they divide an axis of the image.
    pub(super) fn regrouped(&self, sides: &[usize], shape: Shape) -> Option<Self> {
        let mut axes = self.order().into_iter();
        let mut lists = Vec::new();
        for &side in sides {
            let (mut list, mut product) = (Vec::new(), 1);
            while product < side {
                let axis = axes.next()?;
                product *= axis.side(shape);
                list.push(axis);
            }
            if product != side {
                return None;
            }
            lists.push(list);
        }
        axes.next().is_none().then_some(Self(lists))
    }

    /// As [`Axes`] of the sum of two tensors, of which one may be repeated along some axes.
    pub(super) fn joined(&self, other: &Self) -> Result<Self> {
        ensure!(self.rank() == other.rank(), "its inputs have {} and {} axes", self.rank(), other.rank());
        let pairs = self.0.iter().zip(&other.0).map(|(a, b)| match (a, b) {
            (a, b) if b.is_empty() || a == b => Ok(a.clone()),
            (a, b) if a.is_empty() => Ok(b.clone()),
            _ => bail!("its inputs have their axes in different orders: transpose neither or both"),
        });
        Ok(Self(pairs.collect::<Result<_>>()?))
    }

    /// Whether each axis runs over at most the image's axis of the same place in `axes`.
    pub(super) fn is(&self, axes: &[Option<Axis>]) -> bool {
        let fits = |(list, axis): (&Vec<Axis>, &Option<Axis>)| {
            list.is_empty() || axis.is_some_and(|axis| *list == [axis])
        };
        self.0.len() == axes.len() && self.0.iter().zip(axes).all(fits)
    }
}

/// For each value of an image, in the graph's order, its place among the same values in another order of axes.
pub(super) fn places(order: &[Axis], shape: Shape) -> Vec<usize> {
    let step = |axis: Axis| {
        let inner = order.iter().skip_while(|&&other| other != axis).skip(1);
        if order.contains(&axis) { inner.map(|axis| axis.side(shape)).product() } else { 0 }
    };
    let [row, column, channel] = Axis::ALL.map(step);
    let mut places = Vec::with_capacity(shape.volume());
    for y in 0..shape.height {
        for x in 0..shape.width {
            places.extend((0..shape.channels).map(|c| y * row + x * column + c * channel));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::Axis::{Channel, Column, Row};
    use super::*;

    const SHAPE: Shape = Shape::new(2, 3, 4);

    fn channels_first() -> Axes {
        Axes::new(&[None, Some(Channel), Some(Row), Some(Column)], SHAPE)
    }

    #[test]
    fn flattening_keeps_the_order_and_can_be_undone() {
        let flat = channels_first().regrouped(&[1, 24], SHAPE).unwrap();
        assert_eq!(flat.order(), [Channel, Row, Column]);
        assert_eq!(flat.regrouped(&[1, 4, 2, 3], SHAPE), Some(channels_first()));
        assert_eq!(flat.regrouped(&[1, 4, 1, 6], SHAPE).unwrap().list(3), [Row, Column]);
        assert_eq!(flat.regrouped(&[1, 2, 12], SHAPE), None, "an axis would be divided");
        assert_eq!(flat.regrouped(&[1, 4, 2], SHAPE), None, "values would be left over");
    }

    #[test]
    fn a_transpose_to_channels_last() {
        let last = channels_first().permuted(&[0, 2, 3, 1]);
        assert!(last.is(&[None, Some(Row), Some(Column), Some(Channel)]));
        assert!(!last.is(&[None, Some(Channel), Some(Row), Some(Column)]));
    }

    #[test]
    fn places_of_channels_first() {
        let places = places(&[Channel, Row, Column], SHAPE);
        assert_eq!(places[..5], [0, 6, 12, 18, 1], "channels are 6 apart, columns 1");
        assert_eq!(places[12], 3, "the second row");
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..24), "each place once");
    }

    #[test]
    fn sums_join_axes() {
        let vector = Axes::new(&[None, Some(Channel), None, None], SHAPE);
        assert_eq!(vector.joined(&channels_first()).unwrap(), channels_first());
        let last = channels_first().permuted(&[0, 2, 3, 1]);
        assert!(channels_first().joined(&last).is_err());
        assert!(vector.joined(&vector.added(0)).is_err(), "one axis more");
    }
}
