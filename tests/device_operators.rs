//! Operators of all kinds and sizes on a Cortex-M4, M7 and M33: the reference's bits with every kernel set, images and
//! arenas at all alignments.

use fastrand::Rng;
use std::path::Path;
use tests::device::{self, Proofs};
use tests::spec::{Kind, Spec};
use tests::{edges, random};

/// Operators drawn of each kind.
const COUNT: usize = 500;

/// Sizes up to this one are all tried.
const SIZES: usize = 32;

/// Operators of all sizes, then random ones of all kinds.
fn draw() -> Proofs {
    let mut proofs = Proofs::default();
    let mut add = |rng: &mut Rng, spec: Spec| proofs.add(rng, spec);
    edges::products(SIZES, &mut add);
    edges::pixels(SIZES, &mut add);
    edges::depthwise(SIZES, &mut add);
    edges::same_depthwise(SIZES, &mut add);
    edges::convolutions(SIZES, &mut add);
    edges::fully_connected(SIZES, &mut add);
    edges::sums_and_means(SIZES, &mut add);
    let mut rng = Rng::with_seed(1);
    for _ in 0..COUNT {
        let specs = [
            random::convolution(&mut rng, false, 9),
            random::convolution(&mut rng, true, 9),
            random::fully_connected(&mut rng),
            random::add(&mut rng),
            random::mean(&mut rng),
            random::softmax(&mut rng),
            random::pool(&mut rng, Kind::AveragePool),
            random::pool(&mut rng, Kind::MaxPool),
            random::pad(&mut rng),
            random::constant(&mut rng),
        ];
        for spec in specs {
            proofs.add(&mut rng, spec);
        }
    }
    proofs
}

#[test]
fn every_operator_has_the_bits_of_the_reference() {
    let proofs = draw();
    // Otherwise a program without scalar kernels would hardly be tested.
    assert!(proofs.usual() > 0.4, "{}", proofs.usual());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let blob = folder.join("operators.bin");
    for (target, boards) in device::BOARDS.into_iter().filter(|(target, _)| device::available(target)) {
        for (specs, images) in proofs.blobs() {
            std::fs::write(&blob, images).expect("written");
            let image = device::build(target, folder, Some(&blob));
            boards.iter().for_each(|board| check(board, &image, specs));
        }
    }
}

/// Runs the operators on a board.
fn check(board: &str, image: &Path, specs: &[Spec]) {
    let run = device::run(board, image, None);
    let text = String::from_utf8_lossy(&run.stdout);
    for (line, spec) in text.lines().zip(specs) {
        assert!(line.ends_with(" equal"), "{board}: {line}: {spec:?}");
    }
    assert!(run.status.success() && text.lines().count() == specs.len(), "{board}: {text}");
}
