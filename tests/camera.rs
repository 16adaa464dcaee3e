//! A camera's rows go into the arena one by one: no memory holds a frame, and the bits are those of the whole picture.

use edge8::{Model, Sizing};
use edge8_preprocess::scale::{PixelFormat, Rows, Source, workspace_len};
use edge8_preprocess::{Picture, apply};
use fastrand::Rng;
use mobilenet::{Architecture, ModelFile, Preprocessing};
use quantizer::calibrate::Method;
use quantizer::quantize::Range;
use quantizer::{FloatNetwork, convert};

const SIZING: Sizing = Sizing::stretch([96, 96], 3);
const SOURCE: Source = Source { width: 320, height: 240, format: PixelFormat::Rgb565 };

/// An untrained network for 96x96 in colour, with a recipe.
fn image() -> Vec<u8> {
    let classes = (0..4).map(|class| class.to_string()).collect();
    let architecture =
        Architecture::new(0.35, [96, 96], 2, classes).and_then(|network| network.with_channels(3));
    let preprocessing = Preprocessing::new(edge8::Preparation::Picture(SIZING));
    let file = ModelFile::untrained(architecture.expect("in range"), preprocessing, 3);
    let float = FloatNetwork::from_safetensors(&file).expect("a whole network");
    let mut rng = Rng::with_seed(4);
    let picture = (0..96 * 96 * 3).map(|_| 2.0 * rng.f32() - 1.0).collect();
    let range = Range { min: -1.0, max: 1.0 };
    convert(&float, &[picture], range, Method::Minmax).expect("an image").image
}

#[test]
fn rows_in_the_arena_have_the_bits_of_the_whole_picture() {
    let image = image();
    let model = Model::parse(&image).expect("a valid image");
    let edge8::Recipe::Picture(recipe) = model.recipe().expect("a recipe") else {
        panic!("a recipe for pictures")
    };
    let mut rng = Rng::with_seed(5);
    let frame: Vec<u16> = (0..SOURCE.width * SOURCE.height).map(|_| rng.u16(..)).collect();

    let mut arena = vec![0x5A; model.arena_len()];
    let mut workspace = [0x5A; workspace_len(&SIZING)];
    let input = model.input_in(&mut arena).expect("an input");
    let bytes = edge8::bytes_of_mut(input);
    let mut rows =
        Rows::new(recipe.sizing(), Some(recipe.tables()), SOURCE, &mut workspace, bytes).expect("it fits");
    for row in frame.chunks_exact(SOURCE.width) {
        let row: Vec<u8> = row.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        rows.push(&row).expect("a whole row");
    }
    assert!(rows.is_whole());
    let in_place = model.input_in(&mut arena).expect("an input").to_vec();
    let mut output = [0; 4];
    model.run_filled(&mut arena, &mut output).expect("it runs");

    let wide = |bits: u16, most: u16| ((u32::from(bits) * 255 + u32::from(most) / 2) / u32::from(most)) as u8;
    let pixels = frame
        .iter()
        .flat_map(|pixel| [wide(pixel >> 11, 31), wide(pixel >> 5 & 63, 63), wide(pixel & 31, 31)]);
    let pixels: Vec<u8> = pixels.collect();
    let picture = Picture::rgb(SOURCE.width, SOURCE.height, &pixels).expect("a picture");
    let mut input = vec![0; model.input_len()];
    apply(&model.recipe().expect("a recipe"), &picture, &mut workspace, &mut input).expect("a picture");
    assert_eq!(in_place, input);
    let mut expected = [0; 4];
    model.run(&input, &mut arena, &mut expected).expect("it runs");
    assert_eq!(output, expected);
}

/// What a program needs beside the arena: the workspace, the state, and a row as the camera sends it.
#[test]
fn beside_the_arena_there_are_less_than_2_kib() {
    let bytes = workspace_len(&SIZING) + size_of::<Rows<'_>>() + SOURCE.row_len();
    println!(
        "workspace {}, state {}, row {}",
        workspace_len(&SIZING),
        size_of::<Rows<'_>>(),
        SOURCE.row_len()
    );
    assert!(bytes <= 2048, "{bytes}");
}

#[test]
fn an_arena_or_output_of_another_length_is_refused() {
    let image = image();
    let model = Model::parse(&image).expect("a valid image");
    let mut arena = vec![0; model.arena_len()];
    assert!(model.run_filled(&mut arena, &mut [0; 3]).is_err());
    arena.pop();
    assert!(model.run_filled(&mut arena, &mut [0; 4]).is_err());
    assert!(model.input_in(&mut arena[..8]).is_err());
}
