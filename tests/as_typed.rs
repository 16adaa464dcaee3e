//! The commands as a user types them: what they print, what they say when something is wrong, and their exit codes.

use std::path::Path;
use tests::bytes;
use tests::commands::{Run, root, run};

const FLOAT: &str = "trainer/models/mnist.safetensors";
const INT8: &str = "runtime/models/mnist.edge8";
const SMALL_FLOAT: &str = "trainer/models/mnist_small.safetensors";
const SMALL_INT8: &str = "runtime/models/mnist_small.edge8";

/// The first shell line of the README, as it stands there.
fn first_command() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("part of the repository");
    let line = readme
        .lines()
        .find(|line| line.starts_with("cargo run --release -p runtime -- "))
        .expect("a command");
    line.split_whitespace().skip_while(|word| *word != "--").skip(1).map(str::to_owned).collect()
}

/// The digit that a picture's file name begins with.
fn label(path: &str) -> &str {
    let name = Path::new(path).file_stem().and_then(|name| name.to_str()).expect("a file name");
    &name[..1]
}

#[test]
fn the_readme_s_first_command_prints_the_right_digit() {
    let command = first_command();
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let picture = words.iter().find(|word| word.ends_with(".png")).expect("a picture");
    let printed = run("runtime", &words);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.stdout.trim_start().starts_with(label(picture)), "{printed:?}");
    let json = run("runtime", &[&words[..], &["--json"]].concat()).json();
    assert_eq!(json["label"], label(picture));
    assert_eq!(json["class"].to_string(), label(picture));
    assert!(json["ns"].as_u64().is_some_and(|ns| ns > 0), "{json}");
    let probabilities = json["probabilities"].as_array().expect("an array");
    let sum: f64 = probabilities.iter().filter_map(|p| p.as_f64()).sum();
    assert!(probabilities.len() == 10 && (sum - 1.0).abs() < 0.03, "{json}");
}

#[test]
fn what_the_network_saw_is_written_as_a_picture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shown = folder.path().join("shown.png");
    let command = first_command();
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let printed = run("runtime", &[&words[..], &["--show-input", shown.to_str().expect("UTF-8")]].concat());
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let picture = image::open(&shown).expect("a PNG file").to_luma8();
    assert!(picture.width() == picture.height() && picture.width() >= 32);
    assert!(picture.pixels().any(|pixel| pixel.0[0] > 200), "there is ink in it");
}

#[test]
fn a_larger_arena_takes_fewer_steps_and_has_the_same_answers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let planned = folder.path().join("planned.edge8");
    let planned = planned.to_str().expect("UTF-8");
    let plan = run("quantizer", &["plan", INT8, "--arena", "65536", "-o", planned]);
    assert_eq!(plan.code, Some(0), "{plan:?}");
    let steps = plan.stdout.lines().find_map(|line| line.strip_prefix("steps: ")).expect("a line");
    let [now, before] =
        steps.split_once(", before ").map(|(a, b)| [a, b]).expect("two numbers").map(str::parse::<usize>);
    assert!(now.expect("a number") < before.expect("a number"), "{steps}");
    let arena = run("runtime", &["info", "--model", planned, "--json"]).json()["arena_bytes"].as_u64();
    assert!(arena.is_some_and(|bytes| bytes > 13_312 && bytes <= 65_536), "{arena:?}");
    // Its own test vectors came along, and its answers are those of the shipped image.
    let answers = ["runtime/assets/5_blue_ink.png", "--json"];
    let [old, new] = [INT8, planned]
        .map(|model| run("runtime", &[&["run", "--model", model], &answers[..]].concat()).json());
    assert_eq!(old["probabilities"], new["probabilities"]);
    let small = run("quantizer", &["plan", INT8, "--arena", "1000", "-o", planned]);
    assert!(small.code == Some(1) && small.stderr.contains("13312 bytes, 1000 were given"), "{small:?}");
}

#[test]
fn info_and_bench_state_their_keys() {
    let info = run("runtime", &["info", "--json"]).json();
    let size = std::fs::metadata(root().join(INT8)).expect("part of the repository").len();
    assert_eq!(info["image_bytes"], size);
    for key in ["weight_bytes", "arena_bytes"] {
        assert!(info[key].as_u64().is_some_and(|bytes| bytes > 10_000 && bytes < size), "{info}");
    }
    for key in ["input", "output", "operators"] {
        assert!(!info[key].is_null(), "{key} in {info}");
    }
    let bench = run("runtime", &["bench", "--json"]).json();
    assert!(bench["ns"].as_f64().is_some_and(|ns| ns > 0.0), "{bench}");
    assert_eq!(bench["kernels"], edge8::KernelSet::best().name());
}

#[test]
fn models_are_compared_on_the_same_pictures() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plot = folder.path().join("models.png");
    let plotted = plot.to_str().expect("UTF-8");
    let compared = run("runtime", &["compare", INT8, SMALL_INT8, "--plot", plotted, "--json"]).json();
    let models = compared["models"].as_array().expect("a list");
    for (model, path) in models.iter().zip([INT8, SMALL_INT8]) {
        let eval = run("runtime", &["eval", "--model", path, "--json"]).json();
        let info = run("runtime", &["info", "--model", path, "--json"]).json();
        for key in ["images", "accuracy", "rejected"] {
            assert_eq!(model[key], eval[key], "{key}");
        }
        for key in ["macs", "arena_bytes", "image_bytes"] {
            assert_eq!(model[key], info[key], "{key}");
        }
    }
    assert_eq!(models[1]["name"], "mnist_small");
    assert!(std::fs::read(plot).expect("a picture").starts_with(b"\x89PNG"));
    // Digits are nothing to a model of other classes.
    run("runtime", &["eval", "--model", "runtime/models/meters.edge8"])
        .assert_error(1, &["10 digits", "100 classes", "--data"]);
    run("quantizer", &["calibrate", "--int8", FLOAT, "--reject-rate", "0.5"])
        .assert_error(2, &["from 0 to 0.1"]);
    run("runtime", &["compare"]).assert_error(2, &["MODELS"]);
    run("runtime", &["compare", "no.edge8"]).assert_error(1, &["no.edge8"]);
}

#[test]
fn bench_takes_kernels_by_name_and_shows_layers() {
    let bench = run("runtime", &["bench", "--kernels", "scalar", "--layers", "--json"]).json();
    assert_eq!(bench["kernels"], "scalar");
    let layers = bench["layers"].as_array().expect("a list");
    assert_eq!(layers.len(), 66);
    assert!(layers.iter().all(|time| time.as_u64().is_some_and(|time| time > 0)), "{bench}");
    let wrong = run("runtime", &["bench", "--kernels", "abacus"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("scalar"), "{wrong:?}");
}

#[test]
fn threads_are_counted_and_change_no_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(path("input"), vec![7; 2 * 32 * 32]).expect("written");
    let infer = |threads: &str| {
        let [input, output] = ["input", threads].map(path);
        let words = ["infer", INT8, "--input", &input, "--output", &output, "--threads", threads];
        assert_eq!(run("runtime", &words).code, Some(0));
        std::fs::read(output).expect("written")
    };
    assert_eq!(infer("1"), infer("3"));
    let picture = ["run", "runtime/assets/5_blue_ink.png", "--json"];
    let [one, two] = ["1", "2"].map(|n| run("runtime", &[&picture[..], &["--threads", n]].concat()).json());
    assert_eq!(one["probabilities"], two["probabilities"]);
    let bench = run("runtime", &["bench", "--threads", "2", "--layers", "--json"]).json();
    assert_eq!((&bench["threads"], bench["layers"].as_array().map(Vec::len)), (&2.into(), Some(66)));
    for wrong in ["0", "65", "two"] {
        let refused = run("runtime", &["bench", "--threads", wrong]);
        assert!(refused.code == Some(2) && refused.stderr.contains(wrong), "{refused:?}");
    }
}

#[test]
fn pictures_that_cannot_be_read_are_one_clear_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let save = |name: &str, picture: image::DynamicImage| picture.save(path(name)).expect("written");
    save("blank.png", image::DynamicImage::new_luma8(100, 80));
    save("transparent.png", image::DynamicImage::new_rgba8(100, 80));
    save("big.png", image::DynamicImage::new_luma8(10_001, 10_000));
    let digit =
        std::fs::read(root().join(first_command().iter().find(|word| word.ends_with(".png")).expect("one")));
    let digit = digit.expect("part of the repository");
    std::fs::write(path("cut.png"), &digit[..digit.len() / 2]).expect("written");
    std::fs::write(path("empty.png"), []).expect("written");
    std::fs::write(path("text.png"), "no picture").expect("written");
    let run_on = |name: &str| run("runtime", &["run", &path(name)]);
    run_on("blank.png").assert_error(1, &["blank.png", "blank"]);
    run_on("transparent.png").assert_error(1, &["transparent.png", "blank"]);
    run_on("big.png").assert_error(1, &["big.png", "100"]);
    run_on("").assert_error(1, &["folder"]);
    for name in ["cut.png", "empty.png", "text.png", "missing.png"] {
        run_on(name).assert_error(1, &[name]);
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let wrong: [(&str, &[&str]); 7] = [
        ("runtime", &[]),
        ("runtime", &["run"]),
        ("runtime", &["run", "a.png", "--jsn"]),
        ("quantizer", &["check", FLOAT]),
        ("quantizer", &["calibrate", FLOAT]),
        ("quantizer", &["check", FLOAT, INT8, "--max-drop", "much"]),
        ("trainer", &["fit", "--epochs", "some"]),
    ];
    for (name, arguments) in wrong {
        let run = run(name, arguments);
        assert_eq!(run.code, Some(2), "{name} {arguments:?}: {run:?}");
        assert!(run.stderr.contains("--help"), "{run:?}");
    }
}

#[test]
fn models_that_cannot_be_read_are_one_clear_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let mut image = std::fs::read(root().join(INT8)).expect("part of the repository");
    std::fs::write(path("cut.edge8"), &image[..1000]).expect("written");
    image[5000] ^= 1;
    std::fs::write(path("damaged.edge8"), &image).expect("written");
    let info = |name: &str| run("runtime", &["info", "--model", &path(name)]);
    info("cut.edge8").assert_error(1, &["cut.edge8", "1000"]);
    info("damaged.edge8").assert_error(1, &["damaged.edge8", "checksum"]);
    info("missing.edge8").assert_error(1, &["missing.edge8"]);
    run("runtime", &["info", "--model", FLOAT]).assert_error(1, &["not a model image"]);
    run("quantizer", &["check", INT8, FLOAT]).assert_error(1, &["mnist.safetensors", "not a model image"]);
    run("quantizer", &["calibrate", "--int8", INT8, "-o", &path("x")]).assert_error(1, &["mnist.edge8"]);
    run("trainer", &["eval", INT8]).assert_error(1, &["mnist.edge8"]);
    run("trainer", &["eval", FLOAT, "--data", &path("nothing")]).assert_error(1, &["nothing"]);
    let empty = folder.path().to_str().expect("UTF-8");
    run("runtime", &["eval", "--data", empty]).assert_error(1, &[empty]);
    std::fs::create_dir(folder.path().join("ten")).expect("a new folder");
    run("runtime", &["eval", "--data", empty]).assert_error(1, &["ten", "0, 1, 2"]);
}

/// The documented command makes the shipped model images again. Their ranges come from floats, which another processor may
/// round otherwise, so it is size and worth that are compared.
#[test]
fn calibration_makes_the_shipped_images() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = folder.path().join("made.edge8");
    let path = output.to_str().expect("UTF-8");
    // Of the smallest network a larger part is records, multipliers and test vectors.
    for (float, shipped, most, max_drop) in
        [(FLOAT, INT8, 0.30, "0.1"), (SMALL_FLOAT, SMALL_INT8, 0.40, "0.2")]
    {
        let made = run("quantizer", &["calibrate", "--int8", float, "-o", path]);
        assert_eq!(made.code, Some(0), "{made:?}");
        let size = |path: &Path| std::fs::metadata(path).expect("there").len();
        let [made, whole] = [&output, &root().join(float)].map(|path| size(path));
        assert_eq!(made, size(&root().join(shipped)));
        assert!(made as f64 <= most * whole as f64, "{made} of {whole} bytes");
        assert_eq!(run("quantizer", &["check", float, path, "--max-drop", max_drop]).code, Some(0));
    }
}

/// The smallest network leaves room for code in 256 KB of flash, and its arena in the memory of pre-processing.
#[test]
fn the_smallest_network_fits_a_small_board() {
    let image = std::fs::read(root().join(SMALL_INT8)).expect("part of the repository");
    assert!(image.len() <= 190 * 1024, "{} bytes", image.len());
    let arena = edge8::Model::parse(&image).expect("a model image").arena_len();
    assert!(arena <= edge8_preprocess::digit::workspace_len(56, 56), "{arena} bytes of arena");
}

/// One photo that cannot be read does not hide what the others give.
#[test]
fn eval_counts_unreadable_pictures_as_wrong() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let class = folder.path().join("5");
    std::fs::create_dir(&class).expect("a new folder");
    std::fs::copy(root().join("runtime/assets/5_blue_ink.png"), class.join("a.png")).expect("copied");
    std::fs::write(class.join("b.png"), "no picture").expect("written");
    let eval = run("runtime", &["eval", "--json", "--data", folder.path().to_str().expect("UTF-8")]);
    let json = eval.json();
    assert_eq!((&json["images"], &json["correct"], &json["unreadable"]), (&2.into(), &1.into(), &1.into()));
    assert!(eval.stderr.contains("b.png"), "{eval:?}");
}

/// A pair spoiled on purpose: the largest layer takes each input for another one; sums and checksum are right.
#[test]
fn check_refuses_a_spoiled_pair() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut image = std::fs::read(root().join(INT8)).expect("part of the repository");
    let weights = largest_weights(&image);
    // 128 outputs of 1280 inputs, in blocks of 16 and groups of 4: the groups of each block in reverse.
    assert_eq!(weights.len(), 128 * 1280);
    for block in image[weights].chunks_exact_mut(16 * 1280) {
        let groups: Vec<u8> = block.rchunks_exact(16 * 4).flatten().copied().collect();
        block.copy_from_slice(&groups);
    }
    bytes::sign(&mut image);
    let spoiled = folder.path().join("spoiled.edge8");
    std::fs::write(&spoiled, &image).expect("written");
    let check: Run = run("quantizer", &["check", FLOAT, spoiled.to_str().expect("UTF-8"), "--json"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    let json = check.json();
    assert_eq!(json["passed"], false);
    assert!(json["drop_points"].as_f64().is_some_and(|drop| drop > 0.2), "{json}");
}

/// Where the weights of the largest layer lie in the image.
fn largest_weights(image: &[u8]) -> std::ops::Range<usize> {
    let model = edge8::Model::parse(image).expect("the shipped image");
    let weights = model.operators().filter_map(|operator| operator.filter()).map(|(weights, _)| weights);
    let largest = weights.max_by_key(|weights| weights.len()).expect("a layer with weights");
    let start = largest.as_ptr() as usize - image.as_ptr() as usize;
    start..start + largest.len()
}
