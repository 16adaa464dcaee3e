//! The sides of the file's tensors, and what nodes make of them.

use super::node::Node;
use anyhow::{Context, Result, ensure};

/// Most values of one tensor: far beyond any microcontroller, and little enough to be counted safely.
pub(super) const MOST_VALUES: usize = 1 << 26;

/// The number of values of a tensor that has been checked.
pub(super) fn count(sides: &[usize]) -> usize {
    sides.iter().product()
}

/// Sides that a device could have.
pub(super) fn checked(sides: Vec<usize>) -> Result<Vec<usize>> {
    let volume = sides.iter().try_fold(1usize, |volume, &side| volume.checked_mul(side));
    let possible = volume.is_some_and(|volume| (1..=MOST_VALUES).contains(&volume));
    ensure!(possible, "a tensor has the sides {sides:?}: it is empty, or too large for any device");
    Ok(sides)
}

/// The axis that a number names; those below 0 count from the end.
pub(super) fn axis(index: i64, rank: usize) -> Result<usize> {
    let from_start = if index < 0 { index.checked_add(rank as i64) } else { Some(index) };
    let found = from_start.and_then(|index| usize::try_from(index).ok()).filter(|&index| index < rank);
    found.with_context(|| format!("axis {index} of {rank} does not exist"))
}

/// The order of the axes that a Transpose makes.
pub(super) fn permutation(node: &Node<'_>, rank: usize) -> Result<Vec<usize>> {
    let Some(order) = node.integers("perm")? else { return Ok((0..rank).rev().collect()) };
    let order = order.iter().map(|&index| axis(index, rank)).collect::<Result<Vec<_>>>()?;
    let all = (0..rank).all(|axis| order.contains(&axis));
    ensure!(order.len() == rank && all, "its perm is {order:?}: each of {rank} axes once is expected");
    Ok(order)
}

/// What a Reshape makes of sides.
pub(super) fn reshaped(node: &Node<'_>, from: &[usize], wanted: &[i64]) -> Result<Vec<usize>> {
    let keeps = !node.flag("allowzero", false)?;
    let impossible = || format!("it makes {wanted:?} of {from:?}");
    let mut sides = Vec::new();
    for (place, &side) in wanted.iter().enumerate() {
        sides.push(match side {
            0 if keeps => *from.get(place).with_context(impossible)?,
            -1 => 1,
            side => usize::try_from(side).with_context(impossible)?,
        });
    }
    let free: Vec<usize> = (0..wanted.len()).filter(|&place| wanted[place] == -1).collect();
    let known = sides.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    let known = known.filter(|&known| known > 0).with_context(impossible)?;
    if let [place] = free[..] {
        sides[place] = count(from) / known;
    }
    let volume = sides.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    ensure!(free.len() <= 1 && volume == Some(count(from)), "{}", impossible());
    Ok(sides)
}

/// What a Flatten makes of sides.
pub(super) fn flattened(node: &Node<'_>, from: &[usize]) -> Result<Vec<usize>> {
    let at = node.integer("axis", 1)?;
    let rank = from.len();
    let at = if usize::try_from(at).is_ok_and(|at| at == rank) { rank } else { axis(at, rank)? };
    Ok(vec![count(&from[..at]), count(&from[at..])])
}

/// The axes that a Squeeze takes away: those it names, or all of length 1.
pub(super) fn squeezed(from: &[usize], named: Option<Vec<usize>>) -> Result<Vec<usize>> {
    let taken = named.unwrap_or_else(|| (0..from.len()).filter(|&axis| from[axis] == 1).collect());
    let single = taken.iter().all(|&axis| from[axis] == 1);
    ensure!(single, "it takes axes {taken:?} of {from:?} away: they must have length 1");
    Ok(taken)
}

/// The sides without some axes.
pub(super) fn without(from: &[usize], taken: &[usize]) -> Vec<usize> {
    (0..from.len()).filter(|axis| !taken.contains(axis)).map(|axis| from[axis]).collect()
}

/// The sides with axes of length 1 at places of the result.
pub(super) fn unsqueezed(from: &[usize], added: &[usize]) -> Result<Vec<usize>> {
    let rank = from.len() + added.len();
    let distinct = (0..rank).filter(|axis| added.contains(axis)).count() == added.len();
    ensure!(distinct, "it adds axes {added:?} to {from:?}");
    let mut rest = from.iter();
    let side = |axis| if added.contains(&axis) { 1 } else { rest.next().copied().unwrap_or(1) };
    Ok((0..rank).map(side).collect())
}

/// The sides of two tensors that are repeated along each other's axes.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let [wide_a, wide_b] = [a, b].map(|sides| widened(sides, rank));
    let mut sides = Vec::new();
    for (x, y) in wide_a.into_iter().zip(wide_b) {
        ensure!(x == y || x == 1 || y == 1, "its inputs have the sides {a:?} and {b:?}");
        sides.push(if x == 1 { y } else { x });
    }
    checked(sides)
}

/// With axes of length 1 before the others.
pub(super) fn widened(sides: &[usize], rank: usize) -> Vec<usize> {
    std::iter::repeat_n(1, rank.saturating_sub(sides.len())).chain(sides.iter().copied()).collect()
}

/// The steps between neighbours along each axis of a tensor in C order.
pub(super) fn steps(sides: &[usize]) -> Vec<usize> {
    (0..sides.len()).map(|axis| count(&sides[axis + 1..])).collect()
}

/// For each value of a tensor in C order its place by other steps along its axes.
pub(super) fn places(sides: &[usize], steps: &[usize]) -> Vec<usize> {
    let mut places = vec![0];
    for (&side, &step) in sides.iter().zip(steps) {
        places = places.iter().flat_map(|&place| (0..side).map(move |index| place + index * step)).collect();
    }
    places
}
