//! Trains the float MobileNetV2 that edge8 quantises.
