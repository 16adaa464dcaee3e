//! Damaged images: refused, or run to some answer; never a panic. Miri runs this file too, on fewer cases.

use edge8::{Error, Model};
use fastrand::Rng;
use std::sync::OnceLock;
use tests::exercise::exercise;
use tests::network::Network;
use tests::{bytes, random};

/// Cases to draw: many, but under Miri few.
const CASES: usize = if cfg!(miri) { 6 } else { 20_000 };

/// The image that most tests damage.
fn undamaged() -> Vec<u8> {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    IMAGE.get_or_init(|| image(&mut Rng::with_seed(2))).clone()
}

/// Test vectors of an image: the reference takes a quarter of a minute under Miri for one.
const VECTORS: usize = if cfg!(miri) { 1 } else { 2 };

/// A random network's image, with test vectors.
fn image(rng: &mut Rng) -> Vec<u8> {
    let network = Network::random(rng);
    let inputs: [_; VECTORS] = std::array::from_fn(|_| network.input(rng));
    network.image(&inputs)
}

/// The runtime on the whole network has the reference's bits in every layer.
#[test]
fn the_undamaged_image_runs() {
    for seed in 0..if cfg!(miri) { 1 } else { 50 } {
        assert_eq!(exercise(&image(&mut Rng::with_seed(seed))), Ok(VECTORS));
    }
}

#[test]
fn the_first_layer_that_differs_is_found() {
    let mut rng = Rng::with_seed(9);
    let network = Network::random(&mut rng);
    let input = network.input(&mut rng);
    let mut image = network.image(std::slice::from_ref(&input));
    let stored = crc(&network.layers(&input)[3]);
    let position = image.windows(4).rposition(|word| word == stored).expect("stored");
    image[position] ^= 1;
    bytes::sign(&mut image);
    let model = Model::parse(&image).expect("a hash may be wrong");
    let vector = model.test_vectors().expect("there").next().expect("one");
    let (mut arena, mut output) = (vec![0; model.arena_len()], [0; 10]);
    assert_eq!(model.first_difference(&vector, &mut arena, &mut output), Ok(Some(3)));
}

fn crc(layer: &[i8]) -> [u8; 4] {
    crc32fast::hash(&layer.iter().map(|&value| value as u8).collect::<Vec<u8>>()).to_le_bytes()
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let image = undamaged();
    let step = if cfg!(miri) { 97 } else { 1 };
    for len in (0..image.len()).step_by(step) {
        assert!(Model::parse(&image[..len]).is_err(), "{len} of {} bytes were accepted", image.len());
    }
    let mut longer = image.clone();
    longer.push(0);
    assert_eq!(
        Model::parse(&longer).err(),
        Some(Error::ImageLength { expected: image.len(), found: longer.len() })
    );
}

#[test]
fn each_changed_byte_is_refused() {
    let image = undamaged();
    let mut rng = Rng::with_seed(4);
    for _ in 0..CASES.min(10_000) {
        let mut damaged = image.clone();
        damaged[rng.usize(..image.len())] ^= rng.u8(1..);
        assert!(Model::parse(&damaged).is_err());
    }
}

/// Each byte of the header and the section table, each with every value of a set of nasty ones, the checksum right.
#[test]
fn every_header_field_with_a_valid_checksum_never_panics() {
    let image = undamaged();
    let values: &[u8] = if cfg!(miri) { &[255] } else { &[0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 129, 254, 255] };
    let (mut refused, mut tried) = (0, 0);
    for at in (0..192).step_by(if cfg!(miri) { 13 } else { 1 }) {
        for &value in values {
            let mut damaged = image.clone();
            damaged[at] = value;
            bytes::sign(&mut damaged);
            refused += usize::from(exercise(&damaged).is_err());
            tried += 1;
        }
    }
    assert!(refused > tried / 2, "only {refused} of {tried} were refused");
}

/// An attacker's image: any bytes changed, the checksum right. It is refused or runs to some answer.
#[test]
fn changed_records_and_weights_with_a_valid_checksum_never_panic() {
    let mut rng = Rng::with_seed(17);
    let (mut refused, mut ran) = (0, 0);
    let mut undamaged = Vec::new();
    for _ in 0..CASES {
        if undamaged.is_empty() || cfg!(not(miri)) {
            undamaged = image(&mut rng);
        }
        let mut damaged = undamaged.clone();
        let len = u32::from_le_bytes(damaged[104..108].try_into().expect("four bytes"));
        let records = 192..192 + len as usize;
        for _ in 0..rng.usize(1..=3) {
            let at = if rng.bool() { rng.usize(records.clone()) } else { rng.usize(..damaged.len()) };
            damaged[at] = random::int8(&mut rng) as u8;
        }
        bytes::sign(&mut damaged);
        match exercise(&damaged) {
            Ok(_) => ran += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(
        refused > CASES / 10 && ran > CASES / 10,
        "{refused} refused, {ran} ran: the test shows too little"
    );
}

#[test]
fn wrong_lengths_are_errors() {
    let image = undamaged();
    let model = Model::parse(&image).expect("undamaged");
    let (mut arena, mut output) = (vec![0; model.arena_len()], [0; 10]);
    let lengths = |input: &[i8], arena: &mut [u8], output: &mut [i8]| model.run(input, arena, output);
    assert_eq!(
        lengths(&[0; 63], &mut arena, &mut output),
        Err(Error::InputLength { expected: 64, found: 63 })
    );
    assert_eq!(
        lengths(&[0; 64], &mut arena, &mut [0; 11]),
        Err(Error::OutputLength { expected: 10, found: 11 })
    );
    let short = model.arena_len() - 1;
    assert_eq!(
        lengths(&[0; 64], &mut arena[..short], &mut output),
        Err(Error::ArenaLength { expected: short + 1, found: short })
    );
}

/// The shipped image, one byte changed at each of 10,000 random places: refused. And with the checksum made right again,
/// at 500 places: refused, mostly for a sum of weights, or run to some answer.
#[cfg(feature = "chain")]
#[test]
fn the_shipped_image_with_one_changed_byte() {
    let path = tests::commands::shipped();
    let mut image = std::fs::read(path).expect("part of the repository");
    let mut rng = Rng::with_seed(10);
    let mut refused = 0;
    for case in 0..10_000 {
        let (at, flip) = (rng.usize(..image.len()), rng.u8(1..));
        image[at] ^= flip;
        assert!(Model::parse(&image).is_err(), "byte {at} changed by {flip:#x} was accepted");
        if case < 500 {
            let checksum: [u8; 4] = image[20..24].try_into().expect("four bytes");
            bytes::sign(&mut image);
            refused += usize::from(exercise(&image).is_err());
            image[20..24].copy_from_slice(&checksum);
        }
        image[at] ^= flip;
    }
    assert!(refused > 400, "{refused} of 500 refused: most places are weights, whose sums are checked");
}
