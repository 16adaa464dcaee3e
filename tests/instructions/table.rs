//! The counts for people, beside those of LiteRT.

use crate::expected::{Counts, Key};
use crate::measure::PROCESSORS;
use std::collections::BTreeSet;

/// The processors that LiteRT was counted on.
const LITERT_ON: [&str; 3] = ["cortex-a53", "cortex-a72", "cortex-a76"];

/// Millions of instructions that LiteRT (XNNPACK, int8) takes on them for an inference, counted in the same way
/// (`../shared/design/peers.md`). The shipped network is that of `mnv2_a035_s32_stem1` with other weights.
const LITERT: [(&str, [f64; 3]); 9] = [
    ("mnist", [2.633, 2.764, 1.435]),
    ("mnv2_a035_s32_int8", [0.779, 0.770, 0.417]),
    ("mnv2_a035_s32_stem1_trained_int8", [2.633, 2.764, 1.435]),
    ("mnv2_a050_s32_stem1_int8", [3.792, 3.772, 1.852]),
    ("mnv2_a035_s96_int8", [6.122, 6.199, 3.246]),
    ("vww_96_int8", [4.01, 3.61, 1.93]),
    ("pretrainedResnet_quant", [5.01, 4.32, 1.50]),
    ("kws_ref_model", [1.34, 1.94, 0.71]),
    ("ad01_int8", [0.14, 0.093, 0.044]),
];

/// A line for each model: millions of instructions, on a Pi's processors with the ratio to LiteRT.
pub fn table(counts: &Counts) -> String {
    let mut text = format!("{:<33}", "millions of instructions, ratio");
    for [processor, kernels] in PROCESSORS {
        text += &format!(" {:>20}", format!("{processor} {kernels}"));
    }
    let models: BTreeSet<&str> = counts.keys().map(|key| key.model.as_str()).collect();
    for model in models {
        text += &format!("\n{model:<33}");
        for [processor, kernels] in PROCESSORS {
            let count = counts.get(&Key::new(processor, kernels, model));
            text += &format!(" {:>20}", count.map_or("-".into(), |&count| cell(count, processor, model)));
        }
    }
    text
}

fn cell(count: u64, processor: &str, model: &str) -> String {
    let millions = count as f64 / 1e6;
    match litert(processor, model) {
        Some(peer) => format!("{millions:.3} / {peer:.3} {:.2}", millions / peer),
        None => format!("{millions:.3}"),
    }
}

fn litert(processor: &str, model: &str) -> Option<f64> {
    let column = LITERT_ON.iter().position(|name| *name == processor)?;
    LITERT.iter().find(|(name, _)| *name == model).map(|(_, millions)| millions[column])
}
