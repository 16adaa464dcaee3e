//! The 10,000 test images as they lie in the repository, read without the help of any other crate of the house.

use flate2::read::GzDecoder;
use std::fs::File;
use std::io::Read;

/// Pixels (28x28, row-major, light ink on black) and label of every test image.
pub fn test_images() -> Vec<(Vec<u8>, u8)> {
    let images = read("t10k-images-idx3-ubyte.gz");
    let labels = read("t10k-labels-idx1-ubyte.gz");
    let pixels = images[16..].chunks_exact(28 * 28).map(<[u8]>::to_vec);
    pixels.zip(labels[8..].iter().copied()).collect()
}

fn read(name: &str) -> Vec<u8> {
    let file = File::open(crate::commands::root().join("trainer/data/mnist").join(name))
        .expect("part of the repository");
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).expect("a whole gzip file");
    bytes
}
