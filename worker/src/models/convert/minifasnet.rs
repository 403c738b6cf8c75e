//! `MiniFASNetV2`, minivision's judge of liveness, from its `PyTorch` file to ONNX.
//!
//! The network is `MiniFASNet` of Silent-Face-Anti-Spoofing: [`blocks`](super::blocks) with the channels that pruning has left
//! of each.

use super::ConvertError;
use super::network::Network;

/// Side of the crop, and of what is left of it at the end.
const SIDE: usize = 80;
const LAST: usize = 5;
/// Attack, bona fide, attack.
const CLASSES: usize = 3;
/// Length of the vector before the classes.
const FEATURES: usize = 128;

/// Writes the network. The same weights give the same bytes, everywhere.
pub(super) fn minifasnet_to_onnx(weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut network = Network::of(weights)?;
    let at = network.trunk(LAST)?;
    let logits = network.head(&at, FEATURES, Some(CLASSES))?;
    Ok(network.graph.finish("minifasnet", &[1, 3, SIDE, SIDE], &[(&logits, &[1, CLASSES])]))
}

#[cfg(test)]
mod tests {
    use super::super::blocks::tests::weights;
    use super::super::network::tests::folded;
    use super::super::onnx::tests::holds;
    use super::*;

    fn without(name: &str) -> Vec<u8> {
        weights((LAST, FEATURES), &[("prob.weight", CLASSES * FEATURES)], name)
    }

    #[test]
    fn a_normalisation_becomes_part_of_what_is_before_it() {
        let file = minifasnet_to_onnx(&without("")).expect("it is understood");
        let [filter, shift] = folded();
        holds(&file, &[filter; 2 * FEATURES]);
        holds(&file, &[shift; FEATURES]);
        holds(&file, &[7.0; CLASSES * FEATURES]);
        holds(&file, &[0.25; 2]);
    }

    #[test]
    fn weights_that_are_not_all_there_are_refused() {
        for name in [
            "conv_4.model.5.project.conv.weight",
            "conv_45.conv.prelu.weight",
            "bn.running_var",
            "prob.weight",
        ] {
            assert!(matches!(minifasnet_to_onnx(&without(name)), Err(ConvertError::Missing(_))), "{name}");
        }
    }
}
