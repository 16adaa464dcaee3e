//! The whole way, on drawn digits.
