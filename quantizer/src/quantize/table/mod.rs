//! Activations that an int8 network looks up in a table of 256 values, made when its image is.

mod hard_swish;
mod tanh;

use crate::quantize::activations::Quantisation;
use anyhow::Result;

/// A function of one value, whose int8 form is a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `x * min(max(x + 3, 0), 6) / 6`.
    HardSwish,
    /// The hyperbolic tangent.
    Tanh,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::HardSwish, Self::Tanh];

    /// The name as TensorFlow Lite writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HardSwish => "HARD_SWISH",
            Self::Tanh => "TANH",
        }
    }

    /// The name as ONNX writes it, from operator set 14 on; its float arithmetic may round a value to a neighbour of the table's.
    pub fn onnx_name(self) -> &'static str {
        match self {
            Self::HardSwish => "HardSwish",
            Self::Tanh => "Tanh",
        }
    }

    /// The function of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// Its outputs for the inputs -128 to 127.
    ///
    /// # Errors
    /// If its arithmetic has no result for these quantisations.
    pub fn table(self, input: Quantisation, output: Quantisation) -> Result<[i8; 256]> {
        match self {
            Self::HardSwish => hard_swish::table(input, output),
            Self::Tanh => tanh::table(input, output),
        }
    }

    /// The function that a table is of, if it is of any.
    pub fn of(table: &[i8; 256], input: Quantisation, output: Quantisation) -> Option<Self> {
        let gives = |function: &Self| function.table(input, output).is_ok_and(|found| found == *table);
        Self::ALL.into_iter().find(gives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantisation(scale: f32, zero_point: i8) -> Quantisation {
        Quantisation { scale, zero_point }
    }

    /// Checks tables against the CRC-32 of what `../shared/tools/oracle2.py` computes: scale and zero point of input and output.
    #[track_caller]
    fn check(function: Function, cases: &[(f32, i8, f32, i8, u32)]) {
        for &(input, input_zero, output, output_zero, crc) in cases {
            let (input, output) = (quantisation(input, input_zero), quantisation(output, output_zero));
            let table = function.table(input, output).unwrap();
            let bytes: Vec<u8> = table.iter().map(|&value| value as u8).collect();
            assert_eq!(edge8::Crc32::of(&bytes), crc, "{function:?} of {input:?} to {output:?}");
            assert_eq!(Function::of(&table, input, output), Some(function));
        }
    }

    #[test]
    fn hard_swish_has_the_oracle_s_bits() {
        check(Function::HardSwish, &HARD_SWISH);
        let error = Function::HardSwish.table(quantisation(1.0, 0), quantisation(0.001, 0)).unwrap_err();
        assert!(error.to_string().contains("scale"), "{error}");
    }

    #[test]
    fn tanh_has_the_oracle_s_bits() {
        check(Function::Tanh, &TANH);
        let error = Function::Tanh.table(quantisation(1.0, 0), quantisation(0.5, 0)).unwrap_err();
        assert!(error.to_string().contains("1/128"), "{error}");
    }

    const TANH: [(f32, i8, f32, i8, u32); 24] = [
        (0.011534989, 127, 0.0078125, 0, 0x8d2302d5),
        (0.13968793, -91, 0.0078125, 0, 0xd64dc677),
        (0.015871454, -128, 0.0078125, 0, 0xbf967b07),
        (0.0012997522, 127, 0.0078125, 0, 0x05b0e4f4),
        (0.0016634678, 127, 0.0078125, 0, 0x51d2f7c4),
        (0.0015326198, -128, 0.0078125, 0, 0xe8742c69),
        (0.1196494, 127, 0.0078125, 0, 0x1b38b371),
        (0.0014253011, -15, 0.0078125, 0, 0x1917e7e5),
        (0.068077125, 0, 0.0078125, 0, 0xd5ca719e),
        (0.023856554, 0, 0.0078125, 0, 0xbf72ad4f),
        (0.06996756, -36, 0.0078125, 0, 0x2d69b504),
        (0.08233227, 0, 0.0078125, 0, 0xc73d027d),
        (0.002052697, -96, 0.0078125, 0, 0x74d79f47),
        (0.1095078, 127, 0.0078125, 0, 0x04104e03),
        (0.3658988, 127, 0.0078125, 0, 0x7143cd21),
        (0.015382202, -128, 0.0078125, 0, 0xff7780de),
        (0.20151216, -4, 0.0078125, 0, 0x2551b9e3),
        (0.07794827, 0, 0.0078125, 0, 0xb34dab7a),
        (0.25417572, 19, 0.0078125, 0, 0x600d88cc),
        (0.0024024523, -128, 0.0078125, 0, 0x7f634b5e),
        (0.3139377, 127, 0.0078125, 0, 0x9a718c95),
        (0.024326658, 0, 0.0078125, 0, 0xb61216e4),
        (0.013060428, 127, 0.0078125, 0, 0x3fb983c6),
        (0.08126891, 105, 0.0078125, 0, 0x2bbf11a0),
    ];

    const HARD_SWISH: [(f32, i8, f32, i8, u32); 24] = [
        (0.011534989, 127, 0.0084824795, -91, 0xd989b416),
        (0.5119296, 0, 0.27046865, -19, 0x9e6b97c0),
        (0.0012997522, 127, 5.7004694e-05, -82, 0x6d1d4c11),
        (0.065222785, -98, 0.20217377, -97, 0xcbfc33dc),
        (0.07955699, 75, 0.2835978, -105, 0x590f93d6),
        (0.068077125, 0, 0.016257929, -68, 0x0640b18e),
        (0.07588984, -36, 0.039864592, -32, 0xda851316),
        (0.016704412, -96, 0.010521179, 126, 0x3b62a206),
        (0.17487545, 0, 0.05232386, 104, 0xbbc12d83),
        (0.015382202, -128, 0.014282248, -4, 0x0882754c),
        (0.0018228418, 127, 0.0039782994, 101, 0xcd0e5145),
        (0.008773179, -91, 0.0032866765, -44, 0xb89915f5),
        (0.3139377, 127, 0.075910255, -89, 0x5e3879ca),
        (0.3322358, 0, 0.30299103, 126, 0x59421a37),
        (0.08126891, 105, 0.14954191, 10, 0x79434001),
        (0.036274053, -95, 0.039368816, 30, 0x928990ac),
        (0.13569292, 0, 0.13724372, 49, 0x69771d4e),
        (0.0011598808, 0, 8.191748e-05, -69, 0xc7ac50a9),
        (0.04211923, 0, 0.0024653436, -2, 0xf142aea0),
        (0.020289462, 126, 0.0014213114, 77, 0xf21e7d73),
        (0.06442833, 127, 0.13320594, 14, 0x95c9e385),
        (0.21321248, 127, 0.6947097, -51, 0xdf59e99b),
        (0.0018386105, -128, 0.0014027255, -122, 0x19aad81a),
        (0.039406843, 0, 0.004836252, -54, 0x812918c0),
    ];
}
