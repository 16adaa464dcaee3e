//! Large operators on several threads: the bits of one thread, with every kernel set. Golden models are in `golden_bits`. Miri
//! would take hours.

#![cfg(not(miri))]

use edge8::KernelSet;
use edge8::{Error, Model};
use fastrand::Rng;
use tests::scoped::Scoped;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, random};

/// A map so large that each of eight threads gets some rows; its sides are no multiples of their number.
const LARGE: [usize; 3] = [41, 50, 72];

fn draw(rng: &mut Rng, kind: Kind, shapes: &[[usize; 3]], output: [usize; 3]) -> Spec {
    let inputs = shapes.iter().map(|&shape| Tensor::random(rng, shape)).collect();
    random::operator(rng, kind, inputs, output)
}

fn convolution(rng: &mut Rng, window: [usize; 6], input: [usize; 3]) -> Spec {
    let weights = random::weights(rng, window[0] * window[1] * input[2] * LARGE[2]);
    draw(rng, Kind::Convolution { depthwise: false, window, weights }, &[input], LARGE)
}

fn depthwise(rng: &mut Rng) -> Spec {
    let weights = random::weights(rng, 9 * LARGE[2]);
    let kind = Kind::Convolution { depthwise: true, window: [3, 3, 1, 1, 1, 1], weights };
    draw(rng, kind, &[LARGE], LARGE)
}

fn add(rng: &mut Rng, in_place: bool) -> Spec {
    let mut multiplier = |low: i8, high: i8| (rng.i32(1 << 30..=i32::MAX), rng.i8(low..=high));
    let kind = Kind::Add([multiplier(-2, 0), multiplier(-2, 0), multiplier(-20, -18)]);
    Spec { in_place, ..draw(rng, kind, &[LARGE; 2], LARGE) }
}

/// Every operator that works by rows.
fn by_rows(rng: &mut Rng) -> Vec<Spec> {
    let window = [3, 3, 1, 1, 1, 1];
    vec![
        convolution(rng, [1, 1, 1, 1, 0, 0], [41, 50, 24]),
        convolution(rng, window, [41, 50, 8]),
        convolution(rng, [5, 3, 2, 1, 2, 1], [81, 50, 3]),
        depthwise(rng),
        add(rng, false),
        add(rng, true),
        draw(rng, Kind::MaxPool(window), &[LARGE], LARGE),
        draw(rng, Kind::AveragePool(window), &[LARGE], LARGE),
    ]
}

/// The image of one operator whose inputs, of one shape, are the upper and the lower part of the network's.
fn image(spec: &Spec) -> Vec<u8> {
    let [height, width, channels] = spec.inputs[0].shape;
    let whole = Tensor { shape: [height * spec.inputs.len(), width, channels], ..spec.inputs[0] };
    let output = if spec.in_place { 0 } else { whole.volume() };
    let mut weights = Vec::new();
    let record = bytes::record(spec, &[0, spec.inputs[0].volume()], output, &mut weights);
    let arena = whole.volume().max(output + spec.output.volume());
    let [input, output] = [bytes::tensor(&whole, 0), bytes::tensor(&spec.output, output)];
    let sections = [(2, weights), (3, bytes::schedule(std::slice::from_ref(spec)))];
    bytes::image(&[record], arena, input, output, &sections)
}

/// The output on so many threads.
fn run(model: &Model<'_>, input: &[i8], threads: &Scoped, count: usize) -> Vec<i8> {
    let (mut arena, mut output) =
        (vec![0x55; model.arena_len_for(count)], vec![0; model.output().shape.len()]);
    model.run_on(threads, input, &mut arena, &mut output, |_| ()).expect("lengths are the model's own");
    output
}

#[test]
fn large_operators_have_the_same_bits() {
    for seed in 0..4 {
        let mut rng = Rng::with_seed(seed);
        for spec in by_rows(&mut rng) {
            let image = image(&spec);
            let model = Model::parse(&image).expect("a valid image");
            let name = model.operators().next().map(|operator| operator.name());
            let input: Vec<i8> = spec.inputs.iter().flat_map(|tensor| tensor.values(&mut rng)).collect();
            for kernels in KernelSet::available() {
                let model = model.with_kernels(kernels);
                let expected = run(&model, &input, &Scoped::new(1), 1);
                for count in [2, 3, 8] {
                    let threads = Scoped::new(count);
                    let found = run(&model, &input, &threads, count);
                    assert!(found == expected, "{count} threads, {kernels:?}: {name:?}, seed {seed}");
                    assert_eq!(threads.joins(), count - 1, "{name:?}");
                }
            }
        }
    }
}

/// A step of fewer rows than there are threads, and one that is too small.
#[test]
fn no_thread_gets_less_than_it_is_worth() {
    let joins = |shape: [usize; 3]| {
        let mut rng = Rng::with_seed(1);
        let spec = draw(&mut rng, Kind::MaxPool([1, 1, 1, 1, 0, 0]), &[shape], shape);
        let image = image(&spec);
        let threads = Scoped::new(8);
        let input = spec.inputs[0].values(&mut rng);
        assert!(run(&Model::parse(&image).expect("a valid image"), &input, &threads, 8) == input);
        threads.joins()
    };
    assert_eq!([[3, 500, 100], [1, 1500, 100], [40, 20, 20], [40, 26, 20]].map(joins), [2, 0, 0, 1]);
}

#[test]
fn an_arena_for_fewer_threads_is_refused() {
    let mut rng = Rng::with_seed(2);
    let image = image(&depthwise(&mut rng));
    let model = Model::parse(&image).expect("a valid image");
    let (input, mut output) = (vec![0; model.input().shape.len()], vec![0; model.output().shape.len()]);
    let len = |count| model.arena_len_for(count);
    for (count, found) in [(1, len(1) - 1), (2, len(1)), (8, len(8) - 1)] {
        let mut arena = vec![0; found];
        assert_eq!(
            model.run_on(&Scoped::new(count), &input, &mut arena, &mut output, |_| ()),
            Err(Error::ArenaLength { expected: len(count), found })
        );
    }
    assert_eq!([len(0), len(1)], [model.arena_len(); 2]);
    assert_eq!(len(3) - len(1), 2 * model.scratch_len().next_multiple_of(64));
}
