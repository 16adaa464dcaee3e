//! Where each tensor lies in the arena, for tensors that must keep their bytes for known times.

/// How long a tensor must keep its bytes: from the step that writes it to the last that reads it, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Bytes.
    pub size: usize,
    /// The first step that needs the memory.
    pub first: usize,
    /// The last step that needs it.
    pub last: usize,
}

/// An offset for each tensor, or for each buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Bytes from the start of the arena, multiples of the alignment.
    pub offsets: Vec<usize>,
    /// Bytes of the arena.
    pub arena: usize,
    /// The largest sum of bytes alive in one step: no plan without moving tensors can need less.
    pub lower_bound: usize,
}

/// Orders in which the tensors are placed that are tried where the first one misses the lower bound.
const TRIALS: usize = 3000;

/// Pairs of tensors that all trials together may compare, a second's work: a network of thousands of tensors gets fewer
/// trials, or none.
const MOST_PAIRS: usize = 1 << 27;

/// Greedy by size: the largest tensor first, each into the smallest gap that is free for its whole life
/// (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, algorithm 3). Where that
/// misses the lower bound, hill climbing over the order: a tensor at the arena's end changes places with another one.
///
/// # Panics
/// If `alignment` is 0.
pub fn plan(lifetimes: &[Lifetime], alignment: usize) -> Plan {
    let sizes: Vec<usize> = lifetimes.iter().map(|tensor| tensor.size.next_multiple_of(alignment)).collect();
    let lower_bound = lower_bound(lifetimes, &sizes);
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(sizes[index]), index));
    let (mut offsets, mut arena) = place(lifetimes, &sizes, &order);
    let mut random = fastrand::Rng::with_seed(0);
    for _ in 0..trials(order.len()) {
        if arena == lower_bound {
            break;
        }
        let last: Vec<usize> =
            (0..order.len()).filter(|&at| offsets[order[at]] + sizes[order[at]] == arena).collect();
        let (one, other) = (last[random.usize(..last.len())], random.usize(..order.len()));
        order.swap(one, other);
        let (found, end) = place(lifetimes, &sizes, &order);
        if end <= arena {
            (offsets, arena) = (found, end);
        } else {
            order.swap(one, other);
        }
    }
    Plan { offsets, arena, lower_bound }
}

/// Trials for a number of tensors.
fn trials(tensors: usize) -> usize {
    TRIALS.min(MOST_PAIRS / tensors.saturating_mul(tensors).max(1))
}

/// Places the tensors in an order; their offsets, and the end of the last one.
fn place(lifetimes: &[Lifetime], sizes: &[usize], order: &[usize]) -> (Vec<usize>, usize) {
    let mut offsets = vec![0; lifetimes.len()];
    let mut arena = 0;
    // What has been placed, by offset.
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    for &index in order {
        let overlapping = placed.iter().copied().filter(|&other| {
            lifetimes[other].first <= lifetimes[index].last && lifetimes[index].first <= lifetimes[other].last
        });
        let taken = overlapping.map(|other| (offsets[other], offsets[other] + sizes[other]));
        let offset = best_gap(taken, sizes[index]);
        placed.insert(placed.partition_point(|&other| offsets[other] <= offset), index);
        offsets[index] = offset;
        arena = arena.max(offset + sizes[index]);
    }
    (offsets, arena)
}

/// The start of the smallest gap of at least `size` between the sorted spans, or the end of the last span.
fn best_gap(taken: impl Iterator<Item = (usize, usize)>, size: usize) -> usize {
    let mut end = 0;
    let mut best: Option<(usize, usize)> = None;
    for (start, stop) in taken {
        if start >= end + size && best.is_none_or(|(gap, _)| start - end < gap) {
            best = Some((start - end, end));
        }
        end = end.max(stop);
    }
    best.map_or(end, |(_, offset)| offset)
}

fn lower_bound(lifetimes: &[Lifetime], sizes: &[usize]) -> usize {
    let alive = |step| {
        let tensors = lifetimes.iter().zip(sizes);
        tensors.filter(|(tensor, _)| (tensor.first..=tensor.last).contains(&step)).map(|(_, size)| size).sum()
    };
    lifetimes.iter().map(|tensor| alive(tensor.first)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    fn overlaps(a: &Lifetime, b: &Lifetime) -> bool {
        a.first <= b.last && b.first <= a.last
    }

    fn check(lifetimes: &[Lifetime], plan: &Plan, alignment: usize) {
        for (i, a) in lifetimes.iter().enumerate() {
            assert_eq!(plan.offsets[i] % alignment, 0);
            assert!(plan.offsets[i] + a.size <= plan.arena);
            for (j, b) in lifetimes.iter().enumerate().skip(i + 1) {
                let apart = plan.offsets[i] + a.size <= plan.offsets[j]
                    || plan.offsets[j] + b.size <= plan.offsets[i];
                assert!(!overlaps(a, b) || apart, "tensors {i} and {j} share bytes");
            }
        }
        assert!(plan.arena >= plan.lower_bound);
    }

    fn random_lifetimes(random: &mut Random, count: usize) -> Vec<Lifetime> {
        (0..count)
            .map(|_| {
                let first = random.below(6);
                Lifetime { size: 1 + random.below(40), first, last: first + random.below(4) }
            })
            .collect()
    }

    /// The best arena over all orders of placing each tensor at the lowest free offset.
    fn exhaustive(lifetimes: &[Lifetime], offsets: &mut Vec<Option<usize>>, best: &mut usize) {
        let end = |i: usize, offset: usize| offset + lifetimes[i].size;
        let used = (0..lifetimes.len()).filter_map(|i| offsets[i].map(|o| end(i, o))).max().unwrap_or(0);
        if used >= *best {
            return;
        }
        if offsets.iter().all(Option::is_some) {
            *best = used;
            return;
        }
        for i in 0..lifetimes.len() {
            if offsets[i].is_some() {
                continue;
            }
            let mut offset = 0;
            loop {
                let blocker = (0..lifetimes.len()).find(|&j| {
                    offsets[j].is_some_and(|o| {
                        overlaps(&lifetimes[i], &lifetimes[j]) && offset < end(j, o) && o < end(i, offset)
                    })
                });
                match blocker.and_then(|j| offsets[j].map(|o| end(j, o))) {
                    Some(next) => offset = next,
                    None => break,
                }
            }
            offsets[i] = Some(offset);
            exhaustive(lifetimes, offsets, best);
            offsets[i] = None;
        }
    }

    #[test]
    fn tensors_alive_together_never_share_bytes() {
        let mut random = Random::new(1);
        for alignment in [1, 4, 16] {
            for _ in 0..500 {
                let lifetimes = random_lifetimes(&mut random, 12);
                check(&lifetimes, &plan(&lifetimes, alignment), alignment);
            }
        }
    }

    #[test]
    fn plans_are_the_best_there_are_or_close_and_never_below_the_bound() {
        let mut random = Random::new(2);
        let (mut planned, mut optimal) = (0, 0);
        for _ in 0..100 {
            let lifetimes = random_lifetimes(&mut random, 6);
            let found = plan(&lifetimes, 1);
            let mut best = usize::MAX;
            exhaustive(&lifetimes, &mut vec![None; lifetimes.len()], &mut best);
            assert!(found.lower_bound <= best && best <= found.arena);
            planned += found.arena;
            optimal += best;
        }
        assert!(planned * 1000 <= optimal * 1005, "planned {planned}, best {optimal}");
    }

    #[test]
    fn many_tensors_have_few_trials() {
        for tensors in [0, 1, 100, 200, 1000, 4096, 12_288, usize::MAX] {
            let pairs = trials(tensors).saturating_mul(tensors.saturating_mul(tensors));
            assert!(pairs <= MOST_PAIRS, "{pairs} for {tensors}");
        }
        assert_eq!((trials(200), trials(12_288)), (TRIALS, 0));
    }

    #[test]
    fn a_chain_needs_its_two_largest_neighbours() {
        let sizes = [10, 40, 30, 20, 15, 5];
        let lifetimes: Vec<Lifetime> = sizes
            .iter()
            .enumerate()
            .map(|(i, &size)| Lifetime { size, first: i.saturating_sub(1), last: i.min(4) })
            .collect();
        let found = plan(&lifetimes, 1);
        check(&lifetimes, &found, 1);
        assert_eq!((found.arena, found.lower_bound), (70, 70));
    }
}
