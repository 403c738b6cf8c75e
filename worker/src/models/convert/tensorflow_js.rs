//! TensorFlow.js' weights: a list of names and shapes, and one file of numbers, some as bytes with a scale.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ConvertError;

/// Tensors by name.
pub(super) struct Weights(BTreeMap<String, Tensor>);

pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

#[derive(Deserialize)]
struct Group {
    weights: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<Quantisation>,
}

/// A value is `byte * scale + min`.
#[derive(Deserialize)]
struct Quantisation {
    dtype: String,
    scale: f64,
    min: f64,
}

impl Weights {
    /// `manifest` lists what follows what in `bytes`.
    pub(super) fn parse(manifest: &[u8], bytes: &[u8]) -> Result<Self, ConvertError> {
        let groups: Vec<Group> = serde_json::from_slice(manifest).map_err(ConvertError::Manifest)?;
        let (mut tensors, mut rest) = (BTreeMap::new(), bytes);
        for entry in groups.into_iter().flat_map(|group| group.weights) {
            let count = entry.shape.iter().try_fold(1_usize, |count, length| count.checked_mul(*length));
            let count = count.ok_or(ConvertError::Truncated("a tensor"))?;
            let values = match (entry.dtype.as_str(), &entry.quantization) {
                ("float32", Some(quantisation)) if quantisation.dtype == "uint8" => {
                    let value = |byte: &u8| (f64::from(*byte) * quantisation.scale + quantisation.min) as f32;
                    take(&mut rest, count)?.iter().map(value).collect()
                }
                ("float32", None) => {
                    let (floats, _) = take(&mut rest, count.saturating_mul(4))?.as_chunks::<4>();
                    floats.iter().map(|float| f32::from_le_bytes(*float)).collect()
                }
                _ => {
                    let fault = "has another type than float32, or bytes with a scale";
                    return Err(ConvertError::Tensor { name: entry.name, fault });
                }
            };
            tensors.insert(entry.name, Tensor { shape: entry.shape, values });
        }
        if rest.is_empty() { Ok(Self(tensors)) } else { Err(ConvertError::TrailingBytes(rest.len())) }
    }

    /// The tensor of that name and so many dimensions.
    pub(super) fn tensor(&self, name: &str, dimensions: usize) -> Result<&Tensor, ConvertError> {
        let tensor = self.0.get(name).ok_or_else(|| ConvertError::Missing(name.to_owned()))?;
        if tensor.shape.len() == dimensions {
            Ok(tensor)
        } else {
            Err(ConvertError::Tensor { name: name.to_owned(), fault: "has another number of dimensions" })
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], ConvertError> {
    let (taken, after) = rest.split_at_checked(count).ok_or(ConvertError::Truncated("a tensor"))?;
    *rest = after;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &[u8] = br#"[{"weights": [
        {"name": "bytes", "shape": [2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
        {"name": "floats", "shape": [1, 1], "dtype": "float32"}
    ], "paths": ["weights.bin"]}]"#;

    #[test]
    fn bytes_are_scaled_and_floats_are_taken_as_they_are() {
        let weights = Weights::parse(MANIFEST, &[0, 4, 0, 0, 0x80, 0x3f]).expect("they fit");
        assert_eq!(weights.tensor("bytes", 1).expect("it is there").values, [-1.0, 1.0]);
        assert_eq!(weights.tensor("floats", 2).expect("it is there").values, [1.0]);
        assert!(weights.tensor("floats", 1).is_err());
    }

    #[test]
    fn a_file_that_is_too_short_or_too_long_is_refused() {
        assert!(matches!(Weights::parse(MANIFEST, &[0, 4, 0, 0, 0]), Err(ConvertError::Truncated(_))));
        assert!(matches!(Weights::parse(MANIFEST, &[0; 7]), Err(ConvertError::TrailingBytes(1))));
    }
}
