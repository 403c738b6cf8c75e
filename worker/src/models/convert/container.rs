//! CTranslate2's `model.bin`: named variables, little endian.

use std::collections::HashMap;

use half::f16;

use super::ConvertError;

const VERSION: u32 = 6;

/// The variables of a model, borrowed from the file's bytes.
pub(super) struct Container<'a> {
    variables: HashMap<&'a str, Variable<'a>>,
}

/// One variable: its shape, and its data in rows.
#[derive(Debug, Clone)]
pub(super) struct Variable<'a> {
    dims: Vec<u32>,
    kind: Kind,
    data: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float16,
    Int16,
    /// A type that no tensor of a half-precision Whisper model has.
    Other,
}

/// A tensor of half floats: a whole variable, or some of its rows.
#[derive(Debug, Clone)]
pub(super) struct Tensor<'a> {
    pub(super) dims: Vec<u32>,
    /// Little endian.
    pub(super) halves: &'a [u8],
}

impl<'a> Container<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ConvertError> {
        let mut rest = Reader { bytes };
        let version = rest.u32("the header")?;
        if version != VERSION {
            return Err(ConvertError::Version(version));
        }
        rest.text()?;
        rest.u32("the header")?;
        let count = rest.u32("the header")?;
        let mut variables = HashMap::new();
        for _ in 0..count {
            let name = rest.text()?;
            variables.insert(name, rest.variable()?);
        }
        for _ in 0..rest.u32("the aliases")? {
            rest.text()?;
            rest.text()?;
        }
        match rest.bytes.len() {
            0 => Ok(Self { variables }),
            trailing => Err(ConvertError::TrailingBytes(trailing)),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// A tensor of that many dimensions.
    pub(super) fn tensor(&self, name: &str, rank: usize) -> Result<Tensor<'a>, ConvertError> {
        let fault = |fault| ConvertError::Tensor { name: name.to_owned(), fault };
        let variable = self.variable(name)?;
        if variable.kind != Kind::Float16 {
            return Err(fault("is not made of half floats"));
        }
        if variable.dims.len() != rank {
            return Err(fault("has an unexpected number of dimensions"));
        }
        Ok(Tensor { dims: variable.dims.clone(), halves: variable.data })
    }

    /// A single 16-bit number.
    pub(super) fn number(&self, name: &str) -> Result<i16, ConvertError> {
        let variable = self.variable(name)?;
        match (variable.kind, variable.data) {
            (Kind::Int16, &[low, high]) => Ok(i16::from_le_bytes([low, high])),
            _ => Err(ConvertError::Tensor { name: name.to_owned(), fault: "is no 16-bit number" }),
        }
    }

    fn variable(&self, name: &str) -> Result<&Variable<'a>, ConvertError> {
        self.variables.get(name).ok_or_else(|| ConvertError::Missing(name.to_owned()))
    }
}

impl<'a> Tensor<'a> {
    /// The rows of one of `parts` equal parts, counted from 0.
    pub(super) fn part(&self, index: usize, parts: usize) -> Self {
        let rows = self.dims[0] as usize / parts;
        let bytes = self.halves.len() / self.dims[0] as usize * rows;
        let mut dims = self.dims.clone();
        dims[0] = rows as u32;
        Self { dims, halves: &self.halves[index * bytes..(index + 1) * bytes] }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.values().all(|value| value == 0.0)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f32> + use<'a> {
        self.halves.chunks_exact(2).map(|half| f16::from_le_bytes([half[0], half[1]]).to_f32())
    }
}

/// What is left of the file.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn variable(&mut self) -> Result<Variable<'a>, ConvertError> {
        const WHERE: &str = "a variable";
        let rank = self.take(1, WHERE)?[0];
        let dims = (0..rank).map(|_| self.u32(WHERE)).collect::<Result<Vec<_>, _>>()?;
        let (kind, width) = match self.take(1, WHERE)?[0] {
            2 => (Kind::Int16, 2),
            4 => (Kind::Float16, 2),
            _ => (Kind::Other, 0),
        };
        let bytes = self.u32(WHERE)? as usize;
        let data = self.take(bytes, WHERE)?;
        let elements = dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim as usize));
        if kind != Kind::Other && elements.and_then(|count| count.checked_mul(width)) != Some(bytes) {
            return Err(ConvertError::Truncated(WHERE));
        }
        Ok(Variable { dims, kind, data })
    }

    /// A length that counts a closing zero byte, then the text.
    fn text(&mut self) -> Result<&'a str, ConvertError> {
        let length = self.take(2, "a name")?;
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let text = self.take(length, "a name")?;
        let text = text.strip_suffix(&[0]).ok_or(ConvertError::Name)?;
        std::str::from_utf8(text).map_err(|_| ConvertError::Name)
    }

    fn u32(&mut self, place: &'static str) -> Result<u32, ConvertError> {
        let bytes = self.take(4, place)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn take(&mut self, count: usize, place: &'static str) -> Result<&'a [u8], ConvertError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(ConvertError::Truncated(place))?;
        self.bytes = rest;
        Ok(taken)
    }
}
