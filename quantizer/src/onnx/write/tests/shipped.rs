//! The networks that the repository ships, on its test images.

use super::{Tract, write};
use crate::image;
use edge8::Model;
use files::{Dataset, load_test};
use mobilenet::ModelFile;
use std::path::{Path, PathBuf};

const SHAPE: [usize; 4] = [1, 1, 32, 32];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn float() -> ModelFile {
    ModelFile::load(&repository().join("trainer/models/mnist.safetensors")).unwrap()
}

fn test_images(file: &ModelFile) -> Dataset {
    load_test(&repository().join("trainer/data/mnist"), file.preprocessing.preparation).unwrap()
}

fn scaled(image: &[u8]) -> Vec<f32> {
    image.iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

/// The first of the largest.
fn best<T: PartialOrd>(values: &[T]) -> usize {
    (0..values.len()).rev().max_by(|&a, &b| values[a].partial_cmp(&values[b]).unwrap()).unwrap()
}

#[test]
fn the_int8_networks_file_gives_the_runtimes_answers() {
    let bytes = std::fs::read(repository().join("runtime/models/mnist.edge8")).unwrap();
    let model = Model::parse(&bytes).unwrap();
    let network = image::read(&model).unwrap();
    let tract = Tract::new(&write(&network).unwrap());
    let quantisation = network.tensors[0].quantisation;
    let images = test_images(&float());
    let mut arena = vec![0; model.arena_len()];
    let mut expected = [0; 10];
    let (mut count, mut same) = (0, 0);
    for image in images.images.chunks(32 * 32).take(2000) {
        let values = scaled(image);
        let input: Vec<i8> = values.iter().map(|&real| quantisation.quantise(real)).collect();
        model.run(&input, &mut arena, &mut expected).unwrap();
        count += 1;
        same += usize::from(best(&tract.run(&SHAPE, &values)) == best(&expected));
    }
    println!("tract and the runtime agree on {same} of {count}");
    assert!(count == 2000 && same * 1000 >= count * 998, "{same} of {count}");
}
