//! Where models run, as `models.device` names it.

use std::fmt;
use std::str::FromStr;

/// A processor that runs models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    Cpu,
    /// The same through `OpenVINO`, which multiplies in bf16 where the processor does.
    OpenVino,
    /// An NVIDIA GPU by its number.
    Cuda(i32),
    /// The same, through `TensorRT`.
    TensorRt(i32),
}

/// Pictures that a GPU takes at once unless the settings say otherwise.
const GPU_BATCH: usize = 16;

impl Device {
    /// Sessions of each model that serve so many jobs: a core runs one, a GPU one at a time for all.
    pub const fn sessions(self, permits: usize) -> usize {
        match self {
            Self::Cpu | Self::OpenVino => permits,
            Self::Cuda(_) | Self::TensorRt(_) => 1,
        }
    }

    /// What tells the session that runs an input of that shape from a model's others.
    pub(super) fn session_for(self, shape: &[usize]) -> Vec<usize> {
        match self {
            Self::Cpu | Self::OpenVino => Vec::new(),
            Self::Cuda(_) | Self::TensorRt(_) => shape.to_vec(),
        }
    }

    /// Inputs that are worth running together: on a CPU a batch gains nothing.
    pub const fn max_batch(self) -> usize {
        match self {
            Self::Cpu | Self::OpenVino => 1,
            Self::Cuda(_) | Self::TensorRt(_) => GPU_BATCH,
        }
    }
}

/// The text names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown device `{0}`: write auto, cpu, openvino, cuda:N or tensorrt:N")]
pub struct InvalidDevice(String);

impl FromStr for Device {
    type Err = InvalidDevice;

    fn from_str(text: &str) -> Result<Self, InvalidDevice> {
        let invalid = || InvalidDevice(text.to_owned());
        match text.split_once(':') {
            None if text == "auto" || text == "cpu" => Ok(Self::Cpu),
            None if text == "openvino" => Ok(Self::OpenVino),
            Some(("cuda", number)) => number.parse().map(Self::Cuda).map_err(|_| invalid()),
            Some(("tensorrt", number)) => number.parse().map(Self::TensorRt).map_err(|_| invalid()),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::OpenVino => formatter.write_str("openvino"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
            Self::TensorRt(number) => write!(formatter, "tensorrt:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_from_its_name() {
        assert_eq!("auto".parse(), Ok(Device::Cpu));
        assert_eq!("cpu".parse(), Ok(Device::Cpu));
        assert_eq!("openvino".parse(), Ok(Device::OpenVino));
        assert_eq!("cuda:1".parse(), Ok(Device::Cuda(1)));
        assert_eq!("tensorrt:0".parse(), Ok(Device::TensorRt(0)));
        for unknown in ["", "gpu", "cuda", "cuda:", "cuda:x", "auto:0"] {
            assert!(unknown.parse::<Device>().is_err(), "{unknown}");
        }
    }
}
