//! The model that reads meters' digits: what it knows, how small it is, what it costs on a Cortex-M4.

use edge8::Model;
use std::fs;
use std::path::Path;
use tests::commands::{root, run};
use tests::{cross, device};

const IMAGE: &str = "runtime/models/meters.edge8";

/// Bytes of the peer's model.
const MOST: usize = 227_000;

/// What the peer's model takes, millions of instructions and bytes of arena (`../shared/design/peers.md`).
const PEER: (f64, usize) = (16.531, 44_832);

fn image() -> Vec<u8> {
    fs::read(root().join(IMAGE)).expect("part of the repository")
}

/// A place of the wheel in tenths.
fn tenths(label: &str) -> i32 {
    label.replace('.', "").parse().unwrap_or_else(|_| panic!("{label:?} is no number of tenths"))
}

#[test]
fn it_knows_a_hundred_places_of_the_wheel_and_is_small() {
    let image = image();
    let model = Model::parse(&image).expect("a valid image");
    let labels: Vec<&str> = model.labels().expect("labels").collect();
    let expected: Vec<String> = (0..100).map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)).collect();
    assert_eq!(labels, expected);
    println!("{} bytes, arena {} beside {}", image.len(), model.arena_len(), PEER.1);
    assert!(image.len() <= MOST && model.arena_len() < PEER.1 / 4);
}

/// Crops of several meters, some between two digits; their names begin with what people read. They were among those that the
/// network was trained on: this tells that picture, recipe and network belong together, not how good it is.
#[test]
fn it_reads_crops_of_meters() {
    let folder = root().join("runtime/assets/meters");
    let mut crops: Vec<_> =
        fs::read_dir(folder).expect("there").map(|entry| entry.expect("a file").path()).collect();
    crops.sort();
    let far = crops.iter().filter(|crop| {
        let read = run("runtime", &["run", crop.to_str().expect("UTF-8"), "--model", IMAGE, "--json"]).json();
        let name = crop.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('_').next());
        let apart = (tenths(read["label"].as_str().expect("a label")) - tenths(name.expect("a label"))).abs();
        apart.min(100 - apart) > 1
    });
    let far: Vec<_> = far.collect();
    assert!(crops.len() >= 20 && far.len() <= 1, "{far:?} of {}", crops.len());
}

#[test]
fn on_a_cortex_m4_it_takes_less_than_the_peer() {
    let target = "thumbv7em-none-eabihf";
    if !device::available(target) {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let blob = folder.join("meters.bin");
    fs::write(&blob, device::blob(&[(0, image())])).expect("written");
    let plugin = cross::counter(folder);
    let run = device::run(
        "mps2-an386",
        &device::build(target, &folder.join("meters"), Some(&blob)),
        plugin.as_deref(),
    );
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && text.trim_end().ends_with(" equal"), "{text}");
    if let [[_, _, count]] = device::counts(&run)[..] {
        let millions = count as f64 / 1e6;
        println!("{millions:.3} million instructions beside {:.3}", PEER.0);
        assert!(millions < PEER.0 / 2.0, "{millions}");
    }
}
