//! Which layers of two networks belong together.

use crate::quantize::Network;

/// What identifies a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its operator, as TensorFlow Lite writes it.
    pub operator: &'a str,
    /// The number of values that it writes.
    pub len: usize,
}

impl Item<'_> {
    /// How much speaks for two layers being the same; 0 if they are not.
    fn likeness(&self, other: &Self) -> u32 {
        match (self.len == other.len, self.name == other.name, self.operator == other.operator) {
            (false, _, _) | (_, false, false) => 0,
            (_, true, _) => 2,
            (_, false, true) => 1,
        }
    }
}

/// Pairs of indices, rising in both: of all ways to go through both lists in their order, one with the greatest
/// likeness (a longest common subsequence).
pub(super) fn align(a: &[Item<'_>], b: &[Item<'_>]) -> Vec<(usize, usize)> {
    // best[i][j]: the likeness of what comes after the first i of a and the first j of b.
    let mut best = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let likeness = a[i].likeness(&b[j]);
            let paired = if likeness > 0 { best[i + 1][j + 1] + likeness } else { 0 };
            best[i][j] = paired.max(best[i + 1][j]).max(best[i][j + 1]);
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        let likeness = a[i].likeness(&b[j]);
        if likeness > 0 && best[i][j] == best[i + 1][j + 1] + likeness {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[i][j] == best[i + 1][j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// The layers of a network as they are matched with another's.
pub(super) fn items(network: &Network) -> Vec<Item<'_>> {
    let layers = network.layers.iter();
    let items = layers.map(|layer| Item {
        name: &layer.name,
        operator: layer.operator.name(),
        len: network.tensor(layer.output).shape.volume(),
    });
    items.collect()
}

/// The names of the items that no pair has, without those that compute nothing.
pub(super) fn unpaired(items: &[Item<'_>], paired: &[usize]) -> Vec<String> {
    let alone = items.iter().enumerate().filter(|(index, _)| !paired.contains(index)).map(|(_, item)| item);
    alone
        .filter(|item| !["RESHAPE", "CONSTANT"].contains(&item.operator))
        .map(|item| item.name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed<'a>(layers: &[(&'a str, &'a str, usize)]) -> Vec<Item<'a>> {
        layers.iter().map(|&(name, operator, len)| Item { name, operator, len }).collect()
    }

    #[test]
    fn layers_that_one_side_lacks_are_left_out() {
        let a =
            listed(&[("c1", "CONV_2D", 8), ("c2", "CONV_2D", 8), ("r", "RESHAPE", 8), ("s", "SOFTMAX", 8)]);
        let b = listed(&[("0", "PAD", 12), ("1", "CONV_2D", 8), ("2", "CONV_2D", 8), ("3", "SOFTMAX", 8)]);
        assert_eq!(align(&a, &b), [(0, 1), (1, 2), (3, 3)]);
    }

    #[test]
    fn names_count_more_than_operators() {
        let a = listed(&[("x", "CONV_2D", 4), ("y", "CONV_2D", 4)]);
        assert_eq!(align(&a, &listed(&[("y", "CONV_2D", 4)])), [(1, 0)]);
        // The operator may be another: a fully connected layer is a convolution of one pixel.
        assert_eq!(align(&a, &listed(&[("y", "FULLY_CONNECTED", 4)])), [(1, 0)]);
        assert_eq!(align(&a, &listed(&[("y", "CONV_2D", 5)])), []);
    }
}
