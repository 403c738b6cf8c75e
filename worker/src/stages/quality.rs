//! How good a look at the face the picture gives.
