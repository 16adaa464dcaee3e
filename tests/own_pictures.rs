//! One's own pictures: from a folder to a named answer, by the commands as a user types them.

use ::image::{Rgb, RgbImage};
use fastrand::Rng;
use std::path::Path;
use tests::commands::run;
use tests::tools;

const CLASSES: [&str; 3] = ["blaue Tür", "green", "rot"];

/// Pictures of three colours, each with noise and a frame of its own grey, in the subfolders of four cameras.
fn pictures(folder: &Path, count: usize) {
    let mut rng = Rng::with_seed(count as u64);
    for (class, colour) in CLASSES.iter().zip([[40, 60, 200], [30, 160, 50], [200, 40, 40]]) {
        for index in 0..count {
            let group = folder.join(class).join(format!("camera {}", index % 4));
            std::fs::create_dir_all(&group).expect("made");
            let frame = rng.u8(..);
            let picture = RgbImage::from_fn(40 + 4 * (index % 3) as u32, 40, |x, y| {
                let inside = (8..32).contains(&x) && (8..32).contains(&y);
                let [red, green, blue] = if inside { colour } else { [frame; 3] };
                Rgb([red, green, blue].map(|value: u8| value.saturating_add(rng.u8(..30))))
            });
            picture.save(group.join(format!("{index}.png"))).expect("written");
        }
    }
}

#[test]
fn a_folder_becomes_a_model_that_names_what_it_sees() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    pictures(&folder.path().join("training"), 24);
    pictures(&folder.path().join("test"), 8);
    std::fs::write(folder.path().join("training/rot/broken.jpg"), "").expect("written");
    let (training, test, out) = (path("training"), path("test"), path("out"));

    let quick = ["--epochs", "4", "--alpha", "0.15", "--last-channels", "64", "--groups"];
    let fit = run("trainer", &[&["fit", "--data", &training, "--out", &out][..], &quick].concat());
    assert_eq!(fit.code, Some(0), "{fit:?}");
    for said in [
        "73 pictures of 3 classes, in colour, 40 to 48 wide and 40 high",
        "blaue Tür 24, green 24, rot 25",
        "--input-size 40x44",
        "broken.jpg",
    ] {
        assert!(fit.stderr.contains(said), "{said:?} is not in {}", fit.stderr);
    }

    let (float, int8) = (path("out/model.safetensors"), path("model.edge8"));
    let eval = run("trainer", &["eval", &float, "--data", &test, "--json"]).json();
    assert!(eval["accuracy"].as_f64() > Some(0.9), "{eval}");
    let calibrate = run("quantizer", &["calibrate", "--int8", &float, "--data", &training, "-o", &int8]);
    assert_eq!(calibrate.code, Some(0), "{calibrate:?}");
    let check = run("quantizer", &["check", &float, &int8, "--data", &test, "--max-drop", "20", "--json"]);
    assert_eq!(check.json()["images"], 24);

    let eval = run("runtime", &["eval", "--model", &int8, "--data", &test, "--json"]).json();
    assert!(eval["accuracy"].as_f64() > Some(0.9), "{eval}");
    let picture = path("test/blaue Tür/camera 1/1.png");
    let shown = path("shown.png");
    let read = run("runtime", &["run", &picture, "--model", &int8, "--json", "--show-input", &shown]);
    assert_eq!(read.json()["label"], "blaue Tür", "{read:?}");
    assert_eq!(::image::open(shown).expect("a picture").to_rgb8().dimensions(), (44, 40));
    let text = run("runtime", &["run", &picture, "--model", &int8]).stdout;
    assert!(text.starts_with("blaue Tür\n"), "{text}");
}

#[test]
fn an_imported_network_reads_pictures_by_what_the_options_say() {
    let Some(golden) = tools::shared("golden") else { return };
    let model = golden.join("mnv2_a035_s32_int8.tflite");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let model = model.to_str().expect("UTF-8");
    let (image, picture) = (path("model.edge8"), path("grey.png"));
    ::image::GrayImage::from_fn(50, 70, |x, y| ::image::Luma([(3 * x + y) as u8]))
        .save(&picture)
        .expect("written");

    run("quantizer", &["import", model, "-o", &image]);
    run("runtime", &["run", &picture, "--model", &image]).assert_error(1, &["--recipe"]);

    let names: Vec<String> = (0..10).map(|class| format!("Nummer {class}")).collect();
    let labels = path("labels.txt");
    std::fs::write(&labels, names.join("\n")).expect("written");
    let options =
        ["--recipe", "picture", "--fit", "letterbox", "--mean", "0.5", "--std", "0.5", "--labels", &labels];
    let import = run("quantizer", &[&["import", model, "-o", &image][..], &options].concat());
    assert_eq!(import.code, Some(0), "{import:?}");
    let read = run("runtime", &["run", &picture, "--model", &image, "--json"]).json();
    assert!(read["label"].as_str().is_some_and(|label| label.starts_with("Nummer ")), "{read}");

    std::fs::write(&labels, "only one").expect("written");
    let wrong = run("quantizer", &[&["import", model, "-o", &image][..], &options].concat());
    wrong.assert_error(1, &["1 lines, the network 10 outputs"]);
    let wrong = run("quantizer", &["import", model, "-o", &image, "--mean", "0.5,0.5,0.5", "--std", "1,1,1"]);
    wrong.assert_error(1, &["3 means", "1 channel"]);
}
