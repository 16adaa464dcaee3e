//! A Cortex-M4, M7 and M33 refuses constants that would let a kernel overflow, and weights whose filling would meet whatever the
//! scratch bytes hold, at every channel and alignment, and finds a layer that differs. The checks of a device read several constants at a time, so that those of a PC prove nothing of them.

use edge8::{Model, packing};
use fastrand::Rng;
use std::path::Path;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, device, random, reference};

/// A 1x1 convolution with multipliers below a quarter: of so many outputs, two inputs each.
fn convolution(rng: &mut Rng, outputs: usize) -> Spec {
    let kind = Kind::Convolution {
        depthwise: false,
        window: [1, 1, 1, 1, 0, 0],
        weights: random::weights(rng, 2 * outputs),
    };
    let input = Tensor::random(rng, [1, 1, 2]);
    let mut spec = random::operator(rng, kind, vec![input], [1, 1, outputs]);
    for (bias, (_, shift)) in &mut spec.constants {
        *bias = (*bias).clamp(-1000, 1000);
        *shift = (*shift).min(-2);
    }
    spec
}

fn image(rng: &mut Rng, spec: &Spec) -> Vec<u8> {
    let inputs: Vec<Vec<i8>> = spec.inputs.iter().map(|tensor| tensor.values(rng)).collect();
    bytes::proven(spec, &inputs, &reference::run(spec, &inputs), bytes::SCRATCH)
}

/// The image with one constant of one channel changed, each in all ways that are wrong, or with what fills its weights up.
fn broken(image: &[u8], channel: usize) -> Vec<Vec<u8>> {
    let model = Model::parse(image).expect("a valid image");
    let operator = model.operators().next().expect("one operator");
    let (weights, channels) = operator.filter().expect("it has one");
    let place = |address: usize| address - image.as_ptr().addr();
    let [bias, mantissa] =
        [channels.bias, channels.mantissa].map(|words| place(words[channel].as_ptr().addr()));
    let shift = place(channels.shift.as_ptr().addr()) + channel;
    let with = |at: usize, value: &[u8]| {
        let mut broken = image.to_vec();
        broken[at..at + value.len()].copy_from_slice(value);
        bytes::sign(&mut broken);
        broken
    };
    let words = [(bias, i32::MAX), (bias, i32::MIN), (mantissa, -1), (mantissa, i32::MIN)];
    let words = words.map(|(at, value)| with(at, &value.to_le_bytes()));
    let shifts = [-128i8, -32, -1, 0, 31, 127].map(|value| with(shift, &value.to_le_bytes()));
    // Two weights are filled up to four.
    let first = packing::matrix_index(channels.shift.len(), 2, channel, 0);
    let filling = [2, 3].map(|index| with(place(weights.as_ptr().addr()) + first + index, &[1]));
    words.into_iter().chain(shifts).chain(filling).collect()
}

/// What each image is found to be.
fn found(target: &str, board: &str, images: &[(usize, Vec<u8>)]) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let blob = folder.join("refusals.bin");
    std::fs::write(&blob, device::blob(images)).expect("written");
    let run = device::run(board, &device::build(target, folder, Some(&blob)), None);
    assert!(!run.status.success(), "{board} takes what is wrong");
    let text = String::from_utf8_lossy(&run.stdout);
    text.lines().map(|line| line.rsplit(' ').next().expect("a word").to_owned()).collect()
}

#[test]
fn a_device_refuses_wrong_constants_and_finds_wrong_layers() {
    let mut rng = Rng::with_seed(1);
    let mut images = Vec::new();
    for outputs in 1..=9 {
        let spec = convolution(&mut rng, outputs);
        let right = image(&mut rng, &spec);
        for broken in (0..outputs).flat_map(|channel| broken(&right, channel)) {
            assert!(Model::parse(&broken).is_err(), "a PC takes it");
            images.push((rng.usize(..4), broken));
        }
    }
    let refused = images.len();
    let spec = convolution(&mut rng, 5);
    let right = image(&mut rng, &spec);
    let mut wrong = right.clone();
    // The section of test vectors is the last, and a hash its last word before what fills it up.
    let hash = wrong.iter().rposition(|&byte| byte != 0).expect("not empty");
    wrong[hash] ^= 1;
    bytes::sign(&mut wrong);
    images.extend([(0, right), (0, wrong)]);
    for (target, boards) in device::BOARDS.into_iter().filter(|(target, _)| device::available(target)) {
        for board in boards {
            let found = found(target, board, &images);
            assert!(found.len() == images.len(), "{board}: {} of {}", found.len(), images.len());
            assert!(found[..refused].iter().all(|word| word == "refused"), "{board}: {found:?}");
            assert_eq!(found[refused..], ["equal", "dsp"], "{board}");
        }
    }
}
