//! The model file: GGUF, with names as in Hugging Face's BERT and what the heads mean as metadata (`models/MODEL_CARD.md`).

use super::ModelError;
use crate::finding::Label;
use bytes::Bytes;
use candle_core::{
    Device,
    quantized::{
        GgmlDType,
        gguf_file::{Content, Value},
    },
};
use half::f16;
use serde::Deserialize;
use std::io::Cursor;

/// An opened model file. Matrices are made numbers when they are asked for.
pub(super) struct File {
    content: Content,
    bytes: Bytes,
    pub(super) shape: Shape,
    pub(super) heads: Heads,
    pub(super) version: String,
    pub(super) self_test: Vec<Sample>,
}

/// The dimensions of the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) layers: usize,
    pub(super) hidden: usize,
    pub(super) heads: usize,
    pub(super) intermediate: usize,
    pub(super) vocabulary: usize,
    /// Most tokens of a window, the two special ones among them.
    pub(super) positions: usize,
    pub(super) epsilon: f32,
}

/// What the outputs of the two heads mean, and how they are calibrated.
#[derive(Clone, Debug)]
pub(super) struct Heads {
    /// Of token tags 1 and 2, 3 and 4, ...: begin and inside of each.
    pub(super) token_labels: Vec<Label>,
    pub(super) token_temperature: f32,
    /// Added to the logits of a token: the operating point. One for each tag.
    pub(super) token_bias: Vec<f32>,
    pub(super) sequence_labels: Vec<Label>,
    pub(super) sequence_temperature: Vec<f32>,
    /// Calibrated probability from which on a passage counts.
    pub(super) sequence_threshold: Vec<f32>,
}

/// A text with what the network makes of it.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    pub(super) text: String,
    pub(super) ids: Vec<u32>,
    /// Of the first tokens.
    pub(super) token_logits: Vec<Vec<f32>>,
    pub(super) sequence_logits: Vec<f32>,
}

impl File {
    /// Opens a model file and checks its metadata.
    pub(super) fn open(bytes: Bytes) -> Result<Self, ModelError> {
        let content = Content::read(&mut Cursor::new(&bytes)).map_err(|_| ModelError::Unreadable)?;
        let metadata = Metadata(&content);
        let shape = metadata.shape()?;
        let heads = metadata.heads()?;
        let version = metadata.text("exeat.model.version")?.to_owned();
        let self_test = serde_json::from_str(metadata.text("exeat.selftest")?).map_err(|_| ModelError::Metadata("exeat.selftest"))?;
        Ok(Self { content, bytes, shape, heads, version, self_test })
    }

    /// The numbers of a tensor, row by row, which must be `rows` by `columns` (or a vector of `columns`, with `rows` 1).
    pub(super) fn numbers(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, ModelError> {
        let wrong = || ModelError::Tensor(name.to_owned());
        let tensor = self.content.tensor(&mut Cursor::new(&self.bytes), name, &Device::Cpu).map_err(|_| wrong())?;
        let dense = tensor.dequantize(&Device::Cpu).map_err(|_| wrong())?;
        let fits = dense.dims() == [rows, columns] || (rows == 1 && dense.dims() == [columns]);
        let numbers = dense.flatten_all().and_then(|flat| flat.to_vec1()).map_err(|_| wrong())?;
        if fits { Ok(numbers) } else { Err(wrong()) }
    }

    /// A table of `rows` rows of `columns` numbers that stays as it is stored.
    pub(super) fn table(&self, name: &str, rows: usize, columns: usize) -> Result<Table, ModelError> {
        let wrong = || ModelError::Tensor(name.to_owned());
        let info = self.content.tensor_infos.get(name).ok_or_else(wrong)?;
        let block = match info.ggml_dtype {
            GgmlDType::Q4_0 => Block::Q4,
            GgmlDType::Q8_0 => Block::Q8,
            _ => return Err(wrong()),
        };
        if info.shape.dims() != [rows, columns] || !columns.is_multiple_of(Block::NUMBERS) {
            return Err(wrong());
        }
        let row = columns / Block::NUMBERS * block.bytes();
        let start = usize::try_from(self.content.tensor_data_offset + info.offset).map_err(|_| wrong())?;
        let end = rows.checked_mul(row).and_then(|len| start.checked_add(len)).filter(|end| *end <= self.bytes.len()).ok_or_else(wrong)?;
        Ok(Table { bytes: self.bytes.slice(start..end), block, row })
    }
}

/// Rows of numbers in blocks of 4 or 8 bits: 32,000 words take 7 MB, and no memory at all where the file is part of the program.
pub(super) struct Table {
    bytes: Bytes,
    block: Block,
    /// Bytes of a row.
    row: usize,
}

/// How GGUF packs 32 numbers: a scale in half precision, then the numbers.
#[derive(Clone, Copy)]
enum Block {
    /// Q4_0: sixteen bytes, the low halves first; 8 stands for zero.
    Q4,
    /// Q8_0: thirty-two signed bytes.
    Q8,
}

impl Block {
    const NUMBERS: usize = 32;

    fn bytes(self) -> usize {
        match self {
            Self::Q4 => 18,
            Self::Q8 => 34,
        }
    }
}

impl Table {
    /// Appends row `index`, or zeros if there is no such row.
    pub(super) fn push_row(&self, index: usize, columns: usize, out: &mut Vec<f32>) {
        let end = out.len() + columns;
        let row = index.checked_mul(self.row).and_then(|start| self.bytes.get(start..start + self.row)).unwrap_or_default();
        for block in row.chunks_exact(self.block.bytes()) {
            let Some((scale, packed)) = block.split_first_chunk::<2>() else { continue };
            let scale = f16::from_le_bytes(*scale).to_f32();
            match self.block {
                Block::Q4 => {
                    out.extend(packed.iter().map(|byte| (f32::from(byte & 0xF) - 8.0) * scale));
                    out.extend(packed.iter().map(|byte| (f32::from(byte >> 4) - 8.0) * scale));
                }
                Block::Q8 => out.extend(packed.iter().map(|byte| f32::from(byte.cast_signed()) * scale)),
            }
        }
        out.resize(end, 0.0);
    }
}

/// The metadata, by key.
struct Metadata<'a>(&'a Content);

impl Metadata<'_> {
    fn shape(&self) -> Result<Shape, ModelError> {
        let shape = Shape {
            layers: self.number("exeat.model.layers")?,
            hidden: self.number("exeat.model.hidden")?,
            heads: self.number("exeat.model.heads")?,
            intermediate: self.number("exeat.model.intermediate")?,
            vocabulary: self.number("exeat.model.vocabulary")?,
            positions: self.number("exeat.model.positions")?,
            epsilon: self.value("exeat.model.layer_norm_eps")?.to_f32().map_err(|_| ModelError::Metadata("exeat.model.layer_norm_eps"))?,
        };
        let sound = shape.layers > 0 && shape.heads > 0 && shape.hidden.is_multiple_of(shape.heads) && shape.intermediate > 0;
        if sound && shape.positions >= 8 { Ok(shape) } else { Err(ModelError::Metadata("exeat.model")) }
    }

    fn heads(&self) -> Result<Heads, ModelError> {
        let token_labels = self.labels("exeat.token.labels", token_label)?;
        let sequence_labels = self.labels("exeat.sequence.labels", sequence_label)?;
        let tags = 2 * token_labels.len() + 1;
        let token_bias = match self.0.metadata.get("exeat.token.bias") {
            Some(_) => self.floats("exeat.token.bias", tags)?,
            None => vec![0.0; tags],
        };
        Ok(Heads {
            token_temperature: self
                .value("exeat.token.temperature")?
                .to_f32()
                .ok()
                .filter(|temperature| *temperature > 0.0)
                .ok_or(ModelError::Metadata("exeat.token.temperature"))?,
            token_bias,
            sequence_temperature: self.floats("exeat.sequence.temperature", sequence_labels.len())?,
            sequence_threshold: self.floats("exeat.sequence.threshold", sequence_labels.len())?,
            token_labels,
            sequence_labels,
        })
    }

    fn value(&self, key: &'static str) -> Result<&Value, ModelError> {
        self.0.metadata.get(key).ok_or(ModelError::Metadata(key))
    }

    fn number(&self, key: &'static str) -> Result<usize, ModelError> {
        self.value(key)?.to_u32().ok().and_then(|number| usize::try_from(number).ok()).ok_or(ModelError::Metadata(key))
    }

    fn text(&self, key: &'static str) -> Result<&str, ModelError> {
        self.value(key)?.to_string().map(String::as_str).map_err(|_| ModelError::Metadata(key))
    }

    fn floats(&self, key: &'static str, len: usize) -> Result<Vec<f32>, ModelError> {
        let values = self.value(key)?.to_vec().map_err(|_| ModelError::Metadata(key))?;
        let numbers: Option<Vec<f32>> = values.iter().map(|value| value.to_f32().ok().filter(|number| number.is_finite())).collect();
        numbers.filter(|numbers| numbers.len() == len).ok_or(ModelError::Metadata(key))
    }

    fn labels(&self, key: &'static str, label: impl Fn(&str) -> Option<String>) -> Result<Vec<Label>, ModelError> {
        let values = self.value(key)?.to_vec().map_err(|_| ModelError::Metadata(key))?;
        let labels: Option<Vec<Label>> = values.iter().map(|value| Label::parse(&label(value.to_string().ok()?)?).ok()).collect();
        labels.filter(|labels| !labels.is_empty()).ok_or(ModelError::Metadata(key))
    }
}

/// The product's label for one of the token head.
fn token_label(name: &str) -> Option<String> {
    let label = match name {
        "name" => "personal.name",
        "address" => "personal.address",
        "organisation" => "org.name",
        "birth_date" => "personal.birth_date",
        "handle" => "personal.handle",
        "title" => "personal.job_title",
        "secret" => "secret.password",
        "medical" => "health.condition",
        _ => return None,
    };
    Some(label.to_owned())
}

/// The product's label for one of the sequence head.
fn sequence_label(name: &str) -> Option<String> {
    Some(format!("business.{name}"))
}
