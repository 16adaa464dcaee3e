//! Any bytes as a float ONNX file. Run as the target `tflite`, with `-max_len=4096`.
#![no_main]

use std::sync::Once;

static BEGIN: Once = Once::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Panics of tract that the reader answers with an error are no finding; libFuzzer's hook would end the run at once. One that
    // comes as far as here ends it still.
    BEGIN.call_once(|| drop(std::panic::take_hook()));
    let _ = tests::untrusted::onnx(bytes);
});
