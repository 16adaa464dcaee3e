//! A node of the file: what it reads and writes, and its settings, each checked when it is asked for.

use anyhow::{Context, Result, bail, ensure};
use mobilenet::onnx::schema::attribute_proto::AttributeType;
use mobilenet::onnx::schema::{AttributeProto, NodeProto, TensorProto};

/// The largest size that a setting states.
const LONGEST: i64 = u16::MAX as i64;

/// A node with at least one output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a>(&'a NodeProto);

impl<'a> Node<'a> {
    /// # Errors
    /// If the node writes nothing.
    pub(super) fn new(proto: &'a NodeProto) -> Result<Self> {
        let written = proto.output.first().is_some_and(|output| !output.is_empty());
        ensure!(written, "node \"{}\" ({}) writes nothing: export the file again", proto.name, proto.op_type);
        Ok(Self(proto))
    }

    /// Its name, or that of what it writes.
    pub(super) fn name(&self) -> &'a str {
        if self.0.name.is_empty() { self.output() } else { &self.0.name }
    }

    pub(super) fn operator(&self) -> &'a str {
        &self.0.op_type
    }

    /// The value that it writes first; others are of no use here.
    pub(super) fn output(&self) -> &'a str {
        &self.0.output[0]
    }

    /// All values that it writes.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &'a str> {
        self.0.output.iter().map(String::as_str).filter(|name| !name.is_empty())
    }

    /// All values that it reads, without places that are left out.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &'a str> {
        self.0.input.iter().map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The number of places for inputs.
    pub(super) fn places(&self) -> usize {
        self.0.input.len()
    }

    /// The value at a place; [`None`] if it is left out.
    pub(super) fn optional(&self, place: usize) -> Option<&'a str> {
        self.0.input.get(place).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The value at a place.
    pub(super) fn input(&self, place: usize) -> Result<&'a str> {
        self.optional(place).with_context(|| format!("it has no input {place}"))
    }

    pub(super) fn describe(&self) -> String {
        format!("node \"{}\" ({})", self.name(), self.operator())
    }

    /// Whether it has a setting.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.attribute.iter().any(|setting| setting.name == name)
    }

    /// An integer setting.
    pub(super) fn integer(&self, name: &str, default: i64) -> Result<i64> {
        let found = self.setting(name, AttributeType::Int)?;
        Ok(found.map_or(default, |found| found.i.unwrap_or(0)))
    }

    /// Whether an integer setting is not 0.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        Ok(self.integer(name, default.into())? != 0)
    }

    /// A setting of several integers.
    pub(super) fn integers(&self, name: &str) -> Result<Option<&'a [i64]>> {
        Ok(self.setting(name, AttributeType::Ints)?.map(|found| &found.ints[..]))
    }

    /// A real setting.
    pub(super) fn real(&self, name: &str, default: f32) -> Result<f32> {
        let found = self.setting(name, AttributeType::Float)?;
        Ok(found.map_or(default, |found| found.f.unwrap_or(0.0)))
    }

    /// A setting of several reals.
    pub(super) fn reals(&self, name: &str) -> Result<Option<&'a [f32]>> {
        Ok(self.setting(name, AttributeType::Floats)?.map(|found| &found.floats[..]))
    }

    /// A setting that is a text.
    pub(super) fn text(&self, name: &str, default: &'static str) -> Result<&'a str> {
        match self.setting(name, AttributeType::String)? {
            Some(found) => std::str::from_utf8(&found.s).with_context(|| format!("its {name} is no text")),
            None => Ok(default),
        }
    }

    /// A setting that is a tensor.
    pub(super) fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>> {
        Ok(self.setting(name, AttributeType::Tensor)?.and_then(|found| found.t.as_ref()))
    }

    /// A setting of `N` sizes, each from `least` to 65535.
    pub(super) fn sizes<const N: usize>(&self, name: &str, least: i64) -> Result<Option<[usize; N]>> {
        let Some(found) = self.integers(name)? else { return Ok(None) };
        let sizes: [i64; N] = match found.try_into() {
            Ok(sizes) => sizes,
            Err(_) => bail!("its {name} are {found:?}: {N} numbers are possible, for rows and columns"),
        };
        ensure!(
            sizes.iter().all(|size| (least..=LONGEST).contains(size)),
            "its {name} are {found:?}: numbers from {least} to {LONGEST} are expected"
        );
        Ok(Some(sizes.map(|size| size as usize)))
    }

    fn setting(&self, name: &str, kind: AttributeType) -> Result<Option<&'a AttributeProto>> {
        let Some(found) = self.0.attribute.iter().find(|setting| setting.name == name) else {
            return Ok(None);
        };
        ensure!(found.r#type == kind as i32, "its {name} is not of type {}", kind.as_str_name());
        Ok(Some(found))
    }
}
