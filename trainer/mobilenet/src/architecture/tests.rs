//! Sizes, ranges, and how an architecture lies in its file.

use super::*;

fn digits() -> Vec<String> {
    (0..10).map(|digit| digit.to_string()).collect()
}

fn architecture() -> Architecture {
    Architecture::new(0.35, [32, 32], 1, digits()).unwrap()
}

#[test]
fn channels_are_those_of_keras() {
    let architecture = architecture();
    assert_eq!(architecture.stem_channels(), 16);
    let outputs: Vec<usize> = architecture.blocks().iter().map(|block| block.output).collect();
    assert_eq!(outputs, [8, 8, 8, 16, 16, 16, 24, 24, 24, 24, 32, 32, 32, 56, 56, 56, 112]);
    let middles: Vec<usize> = architecture.blocks().iter().map(Block::middle).collect();
    assert_eq!(middles, [16, 48, 48, 48, 96, 96, 96, 144, 144, 144, 144, 192, 192, 192, 336, 336, 336]);
    assert_eq!(architecture.blocks().iter().filter(|block| block.residual()).count(), 10);
    assert_eq!(architecture.last_channels(), 1280);
    assert_eq!(Architecture::new(1.4, [224, 224], 2, digits()).unwrap().last_channels(), 1792);
    assert_eq!(architecture.with_last_channels(Some(256)).unwrap().last_channels(), 256);
    let narrow = Architecture::new(0.15, [36, 36], 2, digits()).unwrap().blocks();
    assert_eq!((narrow[0].input, narrow[0].output, narrow[0].residual()), (8, 8, false));
}

#[test]
fn tensors_are_those_of_the_channels_and_the_head() {
    let shapes = |architecture: &Architecture| -> Vec<(String, Vec<usize>)> {
        let shown = |name: &str| name == "stem.weight" || name.starts_with("dense");
        architecture.tensors().into_iter().filter(|(name, _)| shown(name)).collect()
    };
    let expected = |shapes: &[(&str, &[usize])]| -> Vec<(String, Vec<usize>)> {
        shapes.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
    };
    let grey = architecture();
    assert_eq!(
        shapes(&grey),
        expected(&[
            ("stem.weight", &[3, 3, 1, 16]),
            ("dense1.weight", &[1280, 128]),
            ("dense1.bias", &[128]),
            ("dense2.weight", &[128, 10]),
            ("dense2.bias", &[10]),
        ])
    );
    assert_eq!(grey.dropout_width(), 128);
    let colour = grey.with_channels(3).unwrap().with_hidden(None).unwrap();
    assert_eq!(
        shapes(&colour),
        expected(&[("stem.weight", &[3, 3, 3, 16]), ("dense.weight", &[1280, 10]), ("dense.bias", &[10]),])
    );
    assert_eq!(colour.dropout_width(), 1280);
}

#[test]
fn values_outside_their_ranges_are_named() {
    let new = |alpha, input, stride| Architecture::new(alpha, input, stride, digits());
    let cases = [
        (new(0.0, [32, 32], 1), "alpha is 0,"),
        (new(f64::NAN, [32, 32], 1), "alpha is NaN,"),
        (new(0.35, [7, 7], 1), "the input size is 7, expected 8 to 224"),
        (new(0.35, [225, 32], 1), "the input size is 225x32,"),
        (new(0.35, [32, 7], 1), "the input size is 32x7,"),
        (new(0.35, [32, 32], 3), "the stem's stride is 3,"),
        (Architecture::new(0.35, [32, 32], 1, vec!["0".into()]), "there are 1 classes,"),
        (Architecture::new(0.35, [32, 32], 1, vec!["0".into(); 1001]), "there are 1001 classes,"),
        (architecture().with_channels(0), "the input has 0 channels,"),
        (architecture().with_channels(2), "the input has 2 channels,"),
        (architecture().with_hidden(Some(0)), "the hidden layer has 0 units, expected 1 to 4096"),
        (architecture().with_hidden(Some(4097)), "the hidden layer has 4097 units,"),
        (architecture().with_last_channels(Some(0)), "the last convolution has 0 channels,"),
        (architecture().with_last_channels(Some(100)), "the last convolution has 100 channels,"),
        (architecture().with_last_channels(Some(4104)), "the last convolution has 4104 channels,"),
    ];
    for (result, message) in cases {
        let error = result.expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn files_from_before_rectangles_stay_as_they_are() {
    // Of trainer/models/mnist_small.safetensors.
    let text = r#"{"network":"mobilenet_v2","alpha":0.15,"input_size":36,"stem_stride":2,"classes":["0","1","2","3","4","5","6","7","8","9"],"last_channels":256}"#;
    let read: Architecture = serde_json::from_str(text).unwrap();
    let expected = Architecture::new(0.15, [36, 36], 2, digits()).unwrap();
    assert_eq!(read, expected.with_last_channels(Some(256)).unwrap());
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}

#[test]
fn what_is_new_goes_through_json() {
    let classes = || vec!["cat".into(), "dog".into()];
    let base = Architecture::new(0.5, [20, 32], 1, classes()).unwrap().with_channels(3).unwrap();
    for (hidden, said) in [(None, Some("0")), (Some(32), Some("32")), (Some(128), None)] {
        let architecture = base.clone().with_hidden(hidden).unwrap();
        let text = serde_json::to_string(&architecture).unwrap();
        let said = said.map_or_else(String::new, |units| format!(r#","hidden":{units}"#));
        let start = r#"{"network":"mobilenet_v2","alpha":0.5,"input_size":[20,32],"stem_stride":1"#;
        assert_eq!(text, format!(r#"{start},"classes":["cat","dog"],"channels":3{said}}}"#));
        assert_eq!(serde_json::from_str::<Architecture>(&text).unwrap(), architecture);
    }
    assert_eq!(base.input_size(), "20x32");
}

#[test]
fn an_input_size_of_no_kind_is_named() {
    for size in ["-1", "[1, 2, 3]", "\"32\""] {
        let text = format!(
            r#"{{"network":"mobilenet_v2","alpha":0.5,"input_size":{size},"stem_stride":1,"classes":[]}}"#
        );
        let error = serde_json::from_str::<Architecture>(&text).unwrap_err().to_string();
        assert!(error.contains("the input size is neither a number nor [rows, columns]"), "{error}");
    }
}
