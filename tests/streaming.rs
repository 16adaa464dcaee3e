//! Three layers computed row by row in turns, in an image written by hand: of the map between the first two the arena keeps
//! three rows, of the next one row. Miri runs this file too.

use edge8::KernelSet;
use edge8::Model;
use fastrand::Rng;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, random, reference};

const HEIGHT: usize = 7;
const WIDTH: usize = 5;

/// An inverted residual: 2 channels to 6, a 3x3 filter of each, 6 to 3.
fn layers(rng: &mut Rng) -> Vec<Spec> {
    let mut input = Tensor::random(rng, [HEIGHT, WIDTH, 2]);
    let mut layer = |depthwise: bool, window: [usize; 6], outputs: usize| {
        let each = if depthwise { 1 } else { input.shape[2] };
        let weights = random::weights(rng, window[0] * window[1] * each * outputs);
        let kind = Kind::Convolution { depthwise, window, weights };
        let spec = random::operator(rng, kind, vec![input], [HEIGHT, WIDTH, outputs]);
        input = spec.output;
        spec
    };
    vec![
        layer(false, [1, 1, 1, 1, 0, 0], 6),
        layer(true, [3, 3, 1, 1, 1, 1], 6),
        layer(false, [1, 1, 1, 1, 0, 0], 3),
    ]
}

/// Each row of the last layer, and before it what it needs: the filter's row `y` needs rows up to `y + 1`.
fn schedule() -> Vec<u8> {
    let mut steps: Vec<[usize; 3]> = vec![[0, 0, 1]];
    for row in 0..HEIGHT {
        if row + 1 < HEIGHT {
            steps.push([0, row + 1, 1]);
        }
        steps.extend([[1, row, 1], [2, row, 1]]);
    }
    steps.into_iter().flatten().flat_map(|field| (field as u16).to_le_bytes()).collect()
}

/// The image of the layers, with 3 rows kept of the first one's output and 1 of the second one's.
fn image(layers: &[Spec]) -> Vec<u8> {
    const KEPT: [u8; 4] = [0, 3, 1, 0];
    let tensors: Vec<Tensor> = layers.iter().map(|layer| layer.inputs[0]).chain([layers[2].output]).collect();
    let mut places = vec![0];
    for (tensor, kept) in tensors.iter().zip(KEPT) {
        let rows = if kept == 0 { HEIGHT } else { kept.into() };
        places.push(places[places.len() - 1] + rows * tensor.shape[1] * tensor.shape[2]);
    }
    let mut weights = Vec::new();
    let mut records = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let mut record = bytes::record(layer, &[places[index]], places[index + 1], &mut weights);
        // The rows kept of the input, and of the output.
        (record[8 + 11], record[24 + 11]) = (KEPT[index], KEPT[index + 1]);
        records.push(record);
    }
    let ends = [0, 3].map(|tensor| bytes::tensor(&tensors[tensor], places[tensor]));
    let [input, output] = ends;
    bytes::image(&records, places[4], input, output, &[(2, weights), (3, schedule())])
}

#[test]
fn every_layer_has_the_bits_of_the_whole_maps() {
    for seed in 0..if cfg!(miri) { 1 } else { 100 } {
        let mut rng = Rng::with_seed(seed);
        let layers = layers(&mut rng);
        let image = image(&layers);
        let model = Model::parse(&image).expect("a valid image");
        let input = layers[0].inputs[0].values(&mut rng);
        let mut expected = vec![input.clone()];
        for layer in &layers {
            expected.push(reference::run(layer, &expected[expected.len() - 1..]));
        }
        for kernels in KernelSet::available() {
            let mut found = vec![Vec::new(); 3];
            let (mut arena, mut output) = (vec![0x55; model.arena_len()], vec![0; HEIGHT * WIDTH * 3]);
            let observe = |computed: edge8::Computed<'_, '_>| {
                assert_eq!(
                    found[computed.index].len(),
                    computed.rows.start * computed.operator.output().row_len()
                );
                found[computed.index].extend_from_slice(computed.values);
            };
            model
                .with_kernels(kernels)
                .run_layers(&input, &mut arena, &mut output, observe)
                .expect("lengths fit");
            assert_eq!(found, expected[1..], "{kernels:?}, seed {seed}");
            assert_eq!(output, expected[3], "{kernels:?}, seed {seed}");
        }
    }
}
