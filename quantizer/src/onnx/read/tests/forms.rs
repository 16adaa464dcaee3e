//! Every form in which the exporters write a network.

use super::{Network, operators};
use crate::graph::{Activation, Operator, Shape};
use crate::samples::Layout;
use mobilenet::onnx::attribute::{float, int, ints};
use mobilenet::onnx::schema::AttributeProto;
use mobilenet::onnx::schema::attribute_proto::AttributeType;

/// Ten channels of 3x3 windows with stride 2, and PyTorch's padding, on a picture with channels first.
fn convolution(sides: &[usize]) -> Network {
    let mut network = Network::new(sides);
    let weights = network.weights(&[10, 3, 3, 3]);
    let bias = network.weights(&[10]);
    network.add("Conv", &[weights, bias], [ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])])
}

fn picture() -> Network {
    convolution(&[3, 9, 8])
}

#[test]
fn convolutions_with_their_padding() {
    let graph = picture().verify();
    let Operator::Conv2d(window, _) = &graph.nodes()[0].operator else { panic!("{graph:?}") };
    assert_eq!((window.before, window.after), ([1, 1], [1, 0]), "no window reaches the last column");
    assert_eq!(graph.tensors()[1].shape, Shape::new(5, 4, 10));

    let mut network = Network::new(&[4, 9, 8]);
    let weights = network.weights(&[8, 1, 3, 3]);
    let attributes = [ints("strides", &[2, 1]), int("group", 4), ints("pads", &[0, 0, 1, 2])];
    let graph = network.add("Conv", &[weights], attributes).verify();
    assert_eq!(operators(&graph), ["DEPTHWISE_CONV_2D"]);

    let mut network = Network::new(&[2, 5, 5]);
    let weights = network.weights(&[3, 2, 1, 1]);
    let graph = network.add("Conv", &[weights], [ints("pads", &[1, 1, 1, 1])]).verify();
    assert_eq!(operators(&graph), ["PAD", "CONV_2D"], "a window of one cannot be padded");
}

#[test]
fn batch_norms_and_other_constants_become_part_of_the_filter() {
    let mut network = picture();
    let [gamma, variance] = [(); 2].map(|()| network.uniform(&[10], 0.5, 2.0));
    let [beta, mean] = [(); 2].map(|()| network.weights(&[10]));
    let mut network = network.add("BatchNormalization", &[gamma, beta, mean, variance], []);
    let constants =
        [&[1, 10, 1, 1][..], &[10, 1, 1], &[], &[1]].map(|shape| network.uniform(shape, 0.5, 2.0));
    let [a, b, c, d] = constants;
    let network = network.add("Mul", &[a], []).add("Add", &[b], []).add("Sub", &[c], []).add("Div", &[d], []);
    assert_eq!(operators(&network.verify()), ["CONV_2D"]);
}

#[test]
fn constants_elsewhere_become_a_depthwise_convolution() {
    let mut network = Network::new(&[3, 4, 5]);
    let scale = network.uniform(&[3, 1, 1], 0.5, 2.0);
    let shift = network.weights(&[1]);
    let network = network.add("Mul", &[scale], []).add("Add", &[shift], []);
    assert_eq!(operators(&network.verify()), ["DEPTHWISE_CONV_2D"], "two constants, one node");

    let mut network = picture().add("Relu", &[], []);
    let scale = network.uniform(&[10, 1, 1], 0.5, 2.0);
    let graph = network.add("Mul", &[scale], []).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "DEPTHWISE_CONV_2D"], "behind an activation");
}

#[test]
fn activations_of_every_form() {
    let clip = |network: Network, bounds: &[f32]| {
        let mut network = network;
        let bounds: Vec<String> = bounds.iter().map(|&bound| network.floats(&[], &[bound])).collect();
        network.add("Clip", &bounds, [])
    };
    let minmax = |network: Network, operator: &str, bound: f32| {
        let mut network = network;
        let bound = network.floats(&[1, 1], &[bound]);
        network.add(operator, &[bound], [])
    };
    let cases = [
        (picture().add("Relu", &[], []), Activation::Relu),
        (clip(picture(), &[0.0, 6.0]), Activation::Relu6),
        (minmax(picture().add("Relu", &[], []), "Min", 6.0), Activation::Relu6),
        (minmax(minmax(picture(), "Min", 6.0), "Max", 0.0), Activation::Relu6),
        (minmax(picture().add("Relu", &[], []).add("Identity", &[], []), "Min", 6.0), Activation::Relu6),
        (clip(picture().add("Relu", &[], []), &[0.0, 6.0]).add("Relu", &[], []), Activation::Relu6),
    ];
    for (network, activation) in cases {
        let graph = network.verify();
        assert_eq!((operators(&graph), graph.nodes()[0].activation), (vec!["CONV_2D"], activation));
    }
    let graph = clip(Network::new(&[3, 4, 5]).add("Relu", &[], []), &[0.0, 6.0]).verify();
    assert_eq!(operators(&graph), ["MAX_POOL_2D"], "nothing before it to be part of");
}

#[test]
fn an_activation_that_only_one_reader_wants_stays_apart() {
    let mut network = picture();
    let sum = network.at.clone();
    network = network.add("Relu", &[], []).add("Add", &[sum], []).add("Relu", &[], []);
    let graph = network.verify();
    assert_eq!(operators(&graph), ["CONV_2D", "MAX_POOL_2D", "ADD"]);
    let activations: Vec<_> = graph.nodes().iter().map(|node| node.activation).collect();
    assert_eq!(activations, [Activation::None, Activation::Relu, Activation::Relu]);
}

#[test]
fn means_of_every_form() {
    let mean = |network: Network, axes: &[isize], keep: i64| {
        let axes: Vec<usize> = axes.iter().map(|&axis| axis as usize).collect();
        network.add("ReduceMean", &[], [ints("axes", &axes), int("keepdims", keep)])
    };
    let whole = ints("kernel_shape", &[5, 4]);
    let networks = [
        picture().add("GlobalAveragePool", &[], []),
        mean(picture(), &[2, 3], 1),
        mean(picture(), &[-1, -2], 0),
        mean(picture().add("Transpose", &[], [ints("perm", &[0, 2, 3, 1])]), &[1, 2], 0),
        picture().add("AveragePool", &[], [whole]),
    ];
    for network in networks {
        assert_eq!(operators(&network.verify()), ["CONV_2D", "MEAN"]);
    }
}

#[test]
fn a_mean_over_a_single_pixel_is_nothing() {
    let graph = convolution(&[3, 2, 2]).add("GlobalAveragePool", &[], []).add("Relu", &[], []).verify();
    assert_eq!(operators(&graph), ["CONV_2D"]);
}

#[test]
fn pools() {
    let kernel = || ints("kernel_shape", &[3, 2]);
    let pads = || ints("pads", &[1, 0, 1, 1]);
    let graph = picture().add("MaxPool", &[], [kernel(), pads()]).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "MAX_POOL_2D"]);
    let graph =
        picture().add("MaxPool", &[], [kernel(), ints("strides", &[2, 2]), int("ceil_mode", 1)]).verify();
    assert_eq!(graph.tensors()[2].shape, Shape::new(2, 2, 10));
    let graph = picture().add("AveragePool", &[], [kernel(), pads()]).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "AVERAGE_POOL_2D"]);
    let graph = picture().add("AveragePool", &[], [kernel(), pads(), int("count_include_pad", 1)]).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "PAD", "AVERAGE_POOL_2D"]);
}

#[test]
fn a_pad_becomes_the_window_s_own_where_it_can() {
    let padded = |pads: &[i64]| {
        let mut network = picture();
        let pads = network.integers(pads);
        network.add("Pad", &[pads], [])
    };
    let convolved = |network: Network| {
        let mut network = network;
        let weights = network.weights(&[10, 1, 3, 3]);
        network.add("Conv", &[weights], [int("group", 10), ints("strides", &[2, 2])])
    };
    let graph = convolved(padded(&[0, 0, 0, 1, 0, 0, 1, 2])).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "DEPTHWISE_CONV_2D"]);
    let graph = convolved(padded(&[0, 0, 3, 0, 0, 0, 0, 0])).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "PAD", "DEPTHWISE_CONV_2D"], "wider than the window");
    let graph =
        padded(&[0, 2, 1, 0, 0, 1, 0, 0]).add("MaxPool", &[], [ints("kernel_shape", &[2, 2])]).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "PAD", "MAX_POOL_2D"], "zeros compete for the maximum");
}

#[test]
fn classifiers_of_every_form() {
    let flat = |network: Network, form: usize| {
        let mut network = network;
        match form {
            0 => network.add("Flatten", &[], []),
            1 => {
                let shape = network.integers(&[-1, 200]);
                network.add("Reshape", &[shape], [])
            }
            _ => {
                let last = network.add("Transpose", &[], [ints("perm", &[0, 2, 3, 1])]);
                last.add("Flatten", &[], [])
            }
        }
    };
    for form in 0..3 {
        let mut network = flat(picture(), form);
        let [weights, bias] = [&[7, 200][..], &[7]].map(|shape| network.weights(shape));
        let graph = network.add("Gemm", &[weights, bias], [int("transB", 1)]).verify();
        assert_eq!(operators(&graph), ["CONV_2D", "FULLY_CONNECTED"], "{form}");

        let mut network = flat(picture(), form);
        let [weights, bias] = [&[200, 7][..], &[7]].map(|shape| network.weights(shape));
        let network = network.add("MatMul", &[weights], []).add("Add", &[bias], []).add("Dropout", &[], []);
        let graph = network.add("Softmax", &[], [int("axis", 1)]).verify();
        assert_eq!(operators(&graph), ["CONV_2D", "FULLY_CONNECTED", "SOFTMAX"], "{form}");
    }
}

#[test]
fn a_matrix_product_over_channels_is_a_1x1_convolution() {
    let mut network = picture().add("Transpose", &[], [ints("perm", &[0, 2, 3, 1])]);
    let weights = network.weights(&[10, 6]);
    let network = network.add("MatMul", &[weights], []).add("Transpose", &[], [ints("perm", &[0, 3, 1, 2])]);
    let graph = network.add("Softmax", &[], [int("axis", 1)]).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "CONV_2D", "SOFTMAX"]);
}

#[test]
fn keras_and_its_transposes() {
    let mut network = Network::new(&[9, 8, 3]).add("Transpose", &[], [ints("perm", &[0, 3, 1, 2])]);
    let weights = network.weights(&[4, 3, 3, 3]);
    network = network.add("Conv", &[weights], []).add("Transpose", &[], [ints("perm", &[0, 2, 3, 1])]);
    let shape = network.integers(&[-1, 7, 3, 8]);
    network = network.add("Reshape", &[shape], []).add("Transpose", &[], [ints("perm", &[0, 3, 1, 2])]);
    let weights = network.weights(&[2, 8, 1, 1]);
    let graph = network.add("Conv", &[weights], []).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "RESHAPE", "CONV_2D"]);
    assert_eq!(graph.tensors()[0].shape, Shape::new(9, 8, 3));
}

#[test]
fn inputs_of_both_layouts_and_of_vectors() {
    let scaled = |sides: &[usize]| {
        let mut network = Network::new(sides);
        let scale = network.floats(&[], &[0.25]);
        network.add("Mul", &[scale], [])
    };
    let cases = [
        (scaled(&[5, 5, 3]).add("Transpose", &[], [ints("perm", &[0, 3, 1, 2])]), Layout::Nhwc),
        (scaled(&[3, 5, 5]), Layout::Nchw),
        (scaled(&[5, 5, 5]), Layout::Nchw),
    ];
    for (network, expected) in cases {
        let import = network.add("GlobalAveragePool", &[], []).read().unwrap();
        assert_eq!(import.layout, expected);
    }
    let mut network = Network::new(&[6]);
    let weights = network.weights(&[6, 2]);
    assert_eq!(operators(&network.add("MatMul", &[weights], []).verify()), ["FULLY_CONNECTED"]);
    let mut network = Network::new(&[6, 5]).add("Flatten", &[], []);
    let weights = network.weights(&[30, 2]);
    let graph = network.add("MatMul", &[weights], []).verify();
    assert_eq!(graph.tensors()[0].shape, Shape::new(6, 5, 1));
}

#[test]
fn sums_of_images_and_vectors() {
    let mut network = picture();
    let convolved = network.at.clone();
    network = network.add("GlobalAveragePool", &[], []).add("Add", &[convolved], []);
    assert_eq!(operators(&network.verify()), ["CONV_2D", "MEAN", "ADD"]);
}

#[test]
fn padding_that_the_file_leaves_to_the_reader() {
    for kind in ["SAME_UPPER", "SAME_LOWER", "VALID"] {
        for sides in [[3, 9, 8], [3, 8, 9]] {
            let mut network = Network::new(&sides);
            let weights = network.weights(&[4, 3, 4, 3]);
            let padding = AttributeProto {
                name: "auto_pad".into(),
                s: kind.into(),
                r#type: AttributeType::String as i32,
                ..AttributeProto::default()
            };
            let network = network.add("Conv", &[weights], [ints("strides", &[2, 2]), padding.clone()]);
            let graph = network.add("MaxPool", &[], [ints("kernel_shape", &[2, 2]), padding]).verify();
            assert_eq!(operators(&graph), ["CONV_2D", "MAX_POOL_2D"], "{kind} {sides:?}");
        }
    }
}

#[test]
fn products_with_factors_and_from_the_left() {
    let mut network = Network::new(&[6]);
    let [weights, bias] = [&[6, 5][..], &[]].map(|shape| network.weights(shape));
    let factors = [float("alpha", 0.5), float("beta", 2.0)];
    assert_eq!(operators(&network.add("Gemm", &[weights, bias], factors).verify()), ["FULLY_CONNECTED"]);

    let mut network = Network::new(&[6, 5]);
    let weights = network.weights(&[3, 6]);
    let data = std::mem::replace(&mut network.at, weights);
    let graph = network.add("MatMul", &[data], []).add("Flatten", &[], []);
    assert!(graph.read().is_err(), "it sums over the rows of an image");

    let mut network = picture();
    let weights = network.weights(&[7, 200]);
    network = network.add("Flatten", &[], []).add("Transpose", &[], []);
    let data = std::mem::replace(&mut network.at, weights);
    let graph = network.add("MatMul", &[data], []).add("Transpose", &[], []).verify();
    assert_eq!(operators(&graph), ["CONV_2D", "FULLY_CONNECTED"]);
}
