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

/// Where the sessions of each model run: one device, or several GPUs, which share the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devices(Vec<Device>);

impl Devices {
    /// What all of them are like.
    pub fn kind(&self) -> Device {
        self.0[0]
    }

    /// Where a model's session of that number runs: they are dealt out in turn.
    pub(super) fn of(&self, session: usize) -> Device {
        self.0[session % self.0.len()]
    }

    /// Sessions of each model that serve so many jobs.
    pub fn sessions(&self, permits: usize) -> usize {
        self.0.len() * self.kind().sessions(permits)
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Device::to_string).collect();
        formatter.write_str(&names.join(" "))
    }
}

/// The text names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown device `{0}`: write auto, cpu, openvino, cuda:N or tensorrt:N, of several GPUs cuda:N,M")]
pub struct InvalidDevice(String);

impl FromStr for Devices {
    type Err = InvalidDevice;

    fn from_str(text: &str) -> Result<Self, InvalidDevice> {
        let numbered = |numbers: &str, device: fn(i32) -> Device| {
            numbers.split(',').map(|number| number.parse().map(device).ok()).collect()
        };
        let devices: Option<Vec<Device>> = match text.split_once(':') {
            None if text == "auto" || text == "cpu" => Some(vec![Device::Cpu]),
            None if text == "openvino" => Some(vec![Device::OpenVino]),
            Some(("cuda", numbers)) => numbered(numbers, Device::Cuda),
            Some(("tensorrt", numbers)) => numbered(numbers, Device::TensorRt),
            _ => None,
        };
        devices.map(Self).ok_or_else(|| InvalidDevice(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_from_their_names() {
        let read = |text: &str| text.parse::<Devices>().map(|devices| devices.0);
        assert_eq!(read("auto"), Ok(vec![Device::Cpu]));
        assert_eq!(read("cpu"), Ok(vec![Device::Cpu]));
        assert_eq!(read("openvino"), Ok(vec![Device::OpenVino]));
        assert_eq!(read("cuda:1"), Ok(vec![Device::Cuda(1)]));
        assert_eq!(read("cuda:0,2"), Ok(vec![Device::Cuda(0), Device::Cuda(2)]));
        assert_eq!(read("tensorrt:0"), Ok(vec![Device::TensorRt(0)]));
        for unknown in
            ["", "gpu", "cuda", "cuda:", "cuda:x", "cuda:0,", "cuda:0,cuda:1", "auto:0", "cpu,cuda:0"]
        {
            assert!(read(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn each_of_several_gpus_gets_a_session_and_a_cpu_one_for_each_permit() {
        let devices: Devices = "cuda:3,5".parse().expect("two GPUs");
        assert_eq!(devices.sessions(16), 2);
        let dealt = [0, 1, 2].map(|session| devices.of(session));
        assert_eq!(dealt, [Device::Cuda(3), Device::Cuda(5), Device::Cuda(3)]);
        let cpu: Devices = "cpu".parse().expect("a CPU");
        assert_eq!((cpu.sessions(16), cpu.of(9)), (16, Device::Cpu));
    }
}
