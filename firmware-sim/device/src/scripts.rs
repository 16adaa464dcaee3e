//! The recorded strokes that the firmware draws in the place of a person.

macro_rules! scripts {
    ($($name:literal)*) => { &[$(($name, include_str!(concat!("../../strokes/", $name, ".txt")))),*] };
}

/// Name and text of each.
pub const ALL: &[(&str, &str)] =
    scripts!("0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "scribble_1" "scribble_2" "scribble_3");
