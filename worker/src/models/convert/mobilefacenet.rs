//! `MobileFaceNet` (Chen et al. 2018), the face recogniser of FaceX-Zoo (Wang et al. 2021), from its `PyTorch` file to ONNX.

use super::ConvertError;
use super::network::Network;

/// Side of the aligned face, and of what is left of it at the end.
const SIDE: usize = 112;
const LAST: usize = 7;
/// Length of the vector, which is not of length 1 yet.
const FEATURES: usize = 512;

/// Writes the network. The same weights give the same bytes, everywhere.
pub(super) fn mobilefacenet_to_onnx(weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut network = Network::of(weights)?;
    let at = network.trunk(LAST)?;
    let vector = network.head(&at, FEATURES, None)?;
    Ok(network.graph.finish("mobilefacenet", &[1, 3, SIDE, SIDE], &[(&vector, &[1, FEATURES])]))
}

#[cfg(test)]
mod tests {
    use super::super::blocks::tests::weights;
    use super::super::network::tests::folded;
    use super::super::onnx::tests::holds;
    use super::*;

    #[test]
    fn the_vector_is_what_the_normalised_features_are() {
        let file = mobilefacenet_to_onnx(&weights((LAST, FEATURES), &[], "")).expect("it is understood");
        let [filter, shift] = folded();
        holds(&file, &[filter; 2 * FEATURES]);
        holds(&file, &[shift; FEATURES]);
    }

    #[test]
    fn weights_of_another_size_are_refused() {
        let other = weights((LAST, FEATURES / 2), &[], "");
        assert!(matches!(mobilefacenet_to_onnx(&other), Err(ConvertError::Tensor { .. })));
        let longer = weights((LAST, FEATURES * 2), &[], "linear.weight");
        assert!(matches!(mobilefacenet_to_onnx(&longer), Err(ConvertError::Tensor { .. })));
    }
}
