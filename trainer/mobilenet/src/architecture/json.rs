//! How the architecture's values lie in JSON: those that networks have not always had are left out where they are what
//! all networks once had, so that old files are read, and written again, as they are.

use super::DEFAULT_HIDDEN;

/// Channels of an input that says nothing of them.
pub(super) fn one() -> usize {
    1
}

/// Whether channels are left out.
pub(super) fn is_one(channels: &usize) -> bool {
    *channels == 1
}

/// The hidden layer of a file that says nothing of one.
pub(super) fn default_hidden() -> Option<usize> {
    Some(DEFAULT_HIDDEN)
}

/// Whether the hidden layer is left out.
pub(super) fn is_default_hidden(hidden: &Option<usize>) -> bool {
    *hidden == default_hidden()
}

/// Rows and columns: one number where they are equal, else `[rows, columns]`.
pub(super) mod input_size {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged, expecting = "the input size is neither a number nor [rows, columns]")]
    enum Size {
        Square(usize),
        Rectangle([usize; 2]),
    }

    pub(in super::super) fn serialize<S: Serializer>(
        input: &[usize; 2],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let size = if input[0] == input[1] { Size::Square(input[0]) } else { Size::Rectangle(*input) };
        size.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[usize; 2], D::Error> {
        Ok(match Size::deserialize(deserializer)? {
            Size::Square(side) => [side; 2],
            Size::Rectangle(input) => input,
        })
    }
}

/// Units of the hidden layer: 0 for none.
pub(super) mod hidden {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        hidden: &Option<usize>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        hidden.unwrap_or(0).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<usize>, D::Error> {
        let units = usize::deserialize(deserializer)?;
        Ok((units > 0).then_some(units))
    }
}
