//! Where the recogniser runs, as `models.speech_device` names it.

use std::str::FromStr;

use whisper_rs::WhisperContextParameters;

/// A processor that hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeechDevice {
    Cpu,
    /// A GPU by its number, in builds with the feature `speech-cuda` or `speech-vulkan`.
    Gpu(i32),
}

/// The text names no device, or none that is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpeechDevice {
    #[error("unknown speech device `{0}`: write cpu or gpu:N")]
    Unknown(String),
    #[error("this build hears on the processor alone: build it with --features speech-cuda or speech-vulkan")]
    NotBuilt,
    #[error("there is no speech device gpu:{number}: {there} GPUs were found")]
    Missing { number: i32, there: usize },
}

impl SpeechDevice {
    pub(super) fn parameters(self) -> WhisperContextParameters<'static> {
        let mut parameters = WhisperContextParameters::default();
        match self {
            Self::Cpu => parameters.use_gpu(false),
            Self::Gpu(number) => parameters.use_gpu(true).gpu_device(number),
        };
        parameters
    }

    /// Whether this build can use it, and, where the library tells, whether it is there: it would quietly take the processor.
    fn available(self) -> Result<Self, InvalidSpeechDevice> {
        match self {
            Self::Gpu(_) if !cfg!(any(feature = "speech-cuda", feature = "speech-vulkan")) => {
                Err(InvalidSpeechDevice::NotBuilt)
            }
            #[cfg(feature = "speech-vulkan")]
            Self::Gpu(number) => {
                let there = whisper_rs::vulkan::list_devices().len();
                let found = usize::try_from(number).is_ok_and(|number| number < there);
                if found { Ok(self) } else { Err(InvalidSpeechDevice::Missing { number, there }) }
            }
            _ => Ok(self),
        }
    }
}

impl FromStr for SpeechDevice {
    type Err = InvalidSpeechDevice;

    fn from_str(text: &str) -> Result<Self, InvalidSpeechDevice> {
        let unknown = || InvalidSpeechDevice::Unknown(text.to_owned());
        match text.strip_prefix("gpu:") {
            None if text == "cpu" => Ok(Self::Cpu),
            None => Err(unknown()),
            Some(number) => number.parse().map(Self::Gpu).map_err(|_| unknown())?.available(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speech_device_is_read_from_its_name() {
        assert_eq!("cpu".parse(), Ok(SpeechDevice::Cpu));
        for unknown in ["", "auto", "gpu", "gpu:", "gpu:x", "cuda:0"] {
            let read = unknown.parse::<SpeechDevice>();
            assert_eq!(read, Err(InvalidSpeechDevice::Unknown(unknown.to_owned())));
        }
    }

    #[cfg(not(any(feature = "speech-cuda", feature = "speech-vulkan")))]
    #[test]
    fn a_gpu_is_refused_by_a_build_that_can_use_none() {
        assert_eq!("gpu:0".parse::<SpeechDevice>(), Err(InvalidSpeechDevice::NotBuilt));
    }

    #[cfg(feature = "speech-vulkan")]
    #[test]
    fn a_gpu_that_is_not_there_is_refused() {
        assert!(matches!(
            "gpu:99".parse::<SpeechDevice>(),
            Err(InvalidSpeechDevice::Missing { number: 99, .. })
        ));
    }
}
