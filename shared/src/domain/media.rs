//! The files of a verification: which part they play, what they are, where they lie.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::blob::BlobKey;

/// The part that a file plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "photo")]
pub enum MediaRole {
    IdCard,
    Photo,
    Video,
}

impl MediaRole {
    pub const ALL: [Self; 3] = [Self::IdCard, Self::Photo, Self::Video];

    /// The name on the wire: a form field, a blob's last path segment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IdCard => "id_card",
            Self::Photo => "photo",
            Self::Video => "video",
        }
    }

    /// Whether a file of that format can play this part.
    pub const fn accepts(self, format: MediaFormat) -> bool {
        match self {
            Self::IdCard | Self::Photo => format.is_image(),
            Self::Video => !format.is_image(),
        }
    }
}

impl fmt::Display for MediaRole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for MediaRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| format!("unknown role `{text}`"))
    }
}

/// What a file is, decided from its first bytes, never from its name or declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaFormat {
    Jpeg,
    Png,
    Webp,
    Gif,
    Bmp,
    Tiff,
    /// MP4, MOV and 3GP: the ISO base media family.
    IsoMedia,
    /// WebM and Matroska.
    Matroska,
    Avi,
    MpegTs,
    MpegPs,
    Flv,
    Ogg,
    Asf,
}

/// How many first bytes [`MediaFormat::sniff`] needs to decide.
pub const SNIFF_BYTES: usize = 512;

impl MediaFormat {
    /// The format that the file's first bytes show; `None` when they show none that is known.
    pub fn sniff(head: &[u8]) -> Option<Self> {
        let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
        Some(match head {
            _ if at(0, b"\xFF\xD8\xFF") => Self::Jpeg,
            _ if at(0, b"\x89PNG\r\n\x1A\n") => Self::Png,
            _ if at(0, b"RIFF") && at(8, b"WEBP") => Self::Webp,
            _ if at(0, b"RIFF") && at(8, b"AVI ") => Self::Avi,
            _ if at(0, b"GIF87a") || at(0, b"GIF89a") => Self::Gif,
            _ if at(0, b"BM") && at(6, &[0, 0, 0, 0]) => Self::Bmp,
            _ if at(0, b"II*\0") || at(0, b"MM\0*") => Self::Tiff,
            _ if [&b"ftyp"[..], b"moov", b"mdat", b"wide", b"free", b"skip"]
                .iter()
                .any(|kind| at(4, kind)) =>
            {
                Self::IsoMedia
            }
            _ if at(0, b"\x1A\x45\xDF\xA3") => Self::Matroska,
            _ if at(0, b"\x47") && at(188, b"\x47") => Self::MpegTs,
            _ if at(0, b"\0\0\x01\xBA") => Self::MpegPs,
            _ if at(0, b"FLV\x01") => Self::Flv,
            _ if at(0, b"OggS") => Self::Ogg,
            _ if at(0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11") => Self::Asf,
            _ => return None,
        })
    }

    /// The media type, and the usual ending of a file's name.
    pub const fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Jpeg => ("image/jpeg", "jpg"),
            Self::Png => ("image/png", "png"),
            Self::Webp => ("image/webp", "webp"),
            Self::Gif => ("image/gif", "gif"),
            Self::Bmp => ("image/bmp", "bmp"),
            Self::Tiff => ("image/tiff", "tiff"),
            Self::IsoMedia => ("video/mp4", "mp4"),
            Self::Matroska => ("video/x-matroska", "mkv"),
            Self::Avi => ("video/x-msvideo", "avi"),
            Self::MpegTs => ("video/mp2t", "ts"),
            Self::MpegPs => ("video/mpeg", "mpg"),
            Self::Flv => ("video/x-flv", "flv"),
            Self::Ogg => ("video/ogg", "ogv"),
            Self::Asf => ("video/x-ms-asf", "asf"),
        }
    }

    pub const fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp | Self::Gif | Self::Bmp | Self::Tiff)
    }
}

/// One stored file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub role: MediaRole,
    pub format: MediaFormat,
    pub key: BlobKey,
    pub bytes: u64,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: String,
}
