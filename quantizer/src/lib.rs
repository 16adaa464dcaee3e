//! From a float network to an int8 model image.
