//! What the shipped models take for a digit and is none, and the digits that they reject.

use edge8::Model;
use edge8_preprocess::{Picture, apply, workspace_len};
use fastrand::Rng;
use std::path::Path;
use tests::commands::{shipped, smallest};
use tests::mnist::test_images;
use tests::strangers::{Grey, KINDS, bold, slanted, thin, two, variant};

/// Pictures of each kind.
const EACH: usize = 1000;

/// What a model must keep to, in percent: a little more than what it did when it was trained.
struct Limits {
    /// Test images that are rejected.
    rejected: f64,
    /// Pictures without a digit that are taken for one: of [`KINDS`], and of two digits side by side.
    accepted: [f64; 7],
    /// Digits as some people write them that are read right, at least.
    right: f64,
}

/// The digit that a model reads; of a picture that it rejects, or finds nothing in, none.
fn read(model: &Model<'_>, picture: &Grey) -> Option<u8> {
    let picture = Picture::new(picture.width, picture.height, &picture.pixels).expect("a picture");
    let recipe = model.recipe().expect("a recipe");
    let mut workspace = vec![0; workspace_len(&recipe.preparation(), picture.width(), picture.height())];
    let mut input = vec![0; model.input_len()];
    apply(&recipe, &picture, &mut workspace, &mut input).ok()?;
    let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output_len()]);
    model.run(&input, &mut arena, &mut output).expect("the lengths are right");
    let accepted = model.reject().expect("a rule").accepts(&output);
    accepted.then(|| Model::class(&output) as u8)
}

/// Percent.
fn share(count: usize, of: usize) -> f64 {
    100.0 * count as f64 / of as f64
}

fn check(path: &Path, limits: &Limits) {
    let image = std::fs::read(path).expect("a shipped model");
    let model = Model::parse(&image).expect("a model image");
    let name = path.file_stem().expect("a name").display();
    let images = test_images();
    let plain = |pixels: &[u8]| Grey { width: 28, height: 28, pixels: pixels.to_vec() };
    let rejected = images.iter().filter(|(pixels, _)| read(&model, &plain(pixels)).is_none()).count();
    let rejected = share(rejected, images.len());
    println!("{name}: {:<22} {rejected:>5.2} % rejected, at most {}", "test images", limits.rejected);
    let mut failed = rejected > limits.rejected;

    let mut rng = Rng::with_seed(1);
    let mut kinds: Vec<(&str, Vec<Grey>)> =
        KINDS.iter().map(|&(name, draw)| (name, (0..EACH).map(|_| draw(&mut rng)).collect())).collect();
    let pair = |index: usize| two([&images[2 * index].0, &images[2 * index + 1].0]);
    kinds.push(("two digits", (0..EACH).map(pair).collect()));
    for ((kind, pictures), most) in kinds.iter().zip(limits.accepted) {
        let accepted = share(pictures.iter().filter(|picture| read(&model, picture).is_some()).count(), EACH);
        println!("{name}: {kind:<22} {accepted:>5.2} % accepted, at most {most}");
        failed |= accepted > most;
    }

    let mut variants =
        vec![("7 with bar, open 4, 1", (0..EACH).map(|_| variant(&mut rng)).collect::<Vec<_>>())];
    for (name, change) in
        [("slanted", slanted as fn(&[u8], &mut Rng) -> Grey), ("bold", bold), ("thin", thin)]
    {
        let changed = images.iter().take(EACH).map(|(pixels, digit)| (*digit, change(pixels, &mut rng)));
        variants.push((name, changed.collect()));
    }
    for (kind, pictures) in &variants {
        let right = pictures.iter().filter(|(digit, picture)| read(&model, picture) == Some(*digit)).count();
        let right = share(right, EACH);
        println!("{name}: {kind:<22} {right:>5.2} % read right, at least {}", limits.right);
        failed |= right < limits.right;
    }
    assert!(!failed, "{name}: see above");
}

/// Outliers came late in its training, and count little: it knows less of what is no digit.
#[test]
fn the_model_inside() {
    let accepted = [55.0, 24.0, 2.0, 42.0, 37.0, 32.0, 28.0];
    check(&shipped(), &Limits { rejected: 0.5, accepted, right: 96.0 });
}

/// It was trained with outliers.
#[test]
fn the_smallest_model() {
    let accepted = [16.0, 5.0, 1.0, 8.0, 15.0, 4.0, 6.0];
    check(&smallest(), &Limits { rejected: 0.5, accepted, right: 98.0 });
}
