//! What the shipped models take for a digit and is none, and the digits that they reject.

use edge8::Model;
use edge8_preprocess::{Picture, apply, workspace_len};
use fastrand::Rng;
use tests::commands::{shipped, smallest};
use tests::mnist::test_images;
use tests::strangers::{Grey, KINDS, bold, slanted, thin, two, variant};

/// Pictures of each kind.
const EACH: usize = 1000;

/// Largest share of test images that is rejected.
const FALSE_REJECTS: f64 = 0.005;

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

fn check(path: &std::path::Path) {
    let image = std::fs::read(path).expect("a shipped model");
    let model = Model::parse(&image).expect("a model image");
    println!("{}", path.file_name().expect("a name").display());
    let images = test_images();
    let plain = |pixels: &[u8]| Grey { width: 28, height: 28, pixels: pixels.to_vec() };
    let rejected = images.iter().filter(|(pixels, _)| read(&model, &plain(pixels)).is_none()).count();
    println!("{:<24} {:>5.2} % rejected", "test images", share(rejected, images.len()));
    let mut failed = rejected as f64 > FALSE_REJECTS * images.len() as f64;

    let mut rng = Rng::with_seed(1);
    let two_at_once = (0..EACH).map(|index| two([&images[2 * index].0, &images[2 * index + 1].0]));
    let mut kinds = vec![("two digits at once", 5.0, two_at_once.collect::<Vec<Grey>>())];
    for (name, most, draw) in KINDS {
        kinds.push((name, most, (0..EACH).map(|_| draw(&mut rng)).collect()));
    }
    for (name, most, pictures) in &kinds {
        let accepted = share(pictures.iter().filter(|picture| read(&model, picture).is_some()).count(), EACH);
        println!("{name:<24} {accepted:>5.2} % accepted, at most {most} %");
        failed |= accepted > *most;
    }

    // What is nearly no digit is still read.
    let mut variants =
        vec![("7 with bar, open 4, 1", (0..EACH).map(|_| variant(&mut rng)).collect::<Vec<_>>())];
    for (name, change) in
        [("slanted", slanted as fn(&[u8], &mut Rng) -> Grey), ("bold", bold), ("thin", thin)]
    {
        let changed = images.iter().take(EACH).map(|(pixels, digit)| (*digit, change(pixels, &mut rng)));
        variants.push((name, changed.collect()));
    }
    for (name, pictures) in &variants {
        let right = pictures.iter().filter(|(digit, picture)| read(&model, picture) == Some(*digit)).count();
        let right = share(right, EACH);
        println!("{name:<24} {right:>5.2} % right, at least 95 %");
        failed |= right < 95.0;
    }
    assert!(!failed, "see above");
}

#[test]
fn the_model_inside_rejects_what_is_no_digit_and_little_else() {
    check(&shipped());
}

#[test]
fn the_smallest_model_rejects_what_is_no_digit_and_little_else() {
    check(&smallest());
}
