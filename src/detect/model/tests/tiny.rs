//! Models small enough to make up in a test.

use crate::detect::model::{Model, ModelError};
use bytes::Bytes;
use candle_core::{
    Device, Tensor,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{self, Value},
    },
};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde_json::json;
use std::{collections::HashMap, io::Cursor};

pub(super) const HIDDEN: usize = 64;
const WIDE: usize = 128;
const LAYERS: usize = 2;
const HEADS: usize = 2;
const POSITIONS: usize = 24;

/// Words with what they are to a model that knows nothing but words: 0 nothing, 1 a name begins, 2 it goes on, 3 a contract's.
const WORDS: [(&str, usize); 24] = [
    ("▁Ada", 1),
    ("▁Lovelace", 2),
    ("▁Grace", 1),
    ("张", 1),
    ("伟", 2),
    ("▁contract", 3),
    ("▁shall", 3),
    ("合同", 3),
    ("▁please", 0),
    ("▁call", 0),
    ("▁and", 0),
    ("▁the", 0),
    ("▁river", 0),
    ("▁is", 0),
    ("▁long", 0),
    ("请", 0),
    ("致电", 0),
    ("吧", 0),
    ("。", 0),
    (".", 0),
    (",", 0),
    ("▁", 0),
    ("▁password", 0),
    ("▁my", 0),
];
const SPECIAL: [&str; 4] = ["<s>", "<pad>", "</s>", "<unk>"];
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Tensors by name, and everything else that a model file holds.
pub(super) struct Tiny {
    pub(super) tensors: HashMap<String, Tensor>,
    pub(super) samples: Vec<&'static str>,
    /// Added to what the self-test expects.
    pub(super) off: f32,
}

fn vocabulary() -> Vec<String> {
    let mut words: Vec<String> = SPECIAL.iter().map(|word| (*word).to_owned()).collect();
    words.extend(WORDS.iter().map(|(word, _)| (*word).to_owned()));
    words.extend(LETTERS.chars().map(String::from));
    words.push("<mask>".to_owned());
    words
}

pub(super) fn tokenizer() -> Vec<u8> {
    let vocabulary = vocabulary();
    let added = |(id, word): (usize, &String)| json!({"id": id, "content": word, "single_word": false, "lstrip": word == "<mask>", "rstrip": false, "normalized": false, "special": true});
    let is_added = |word: &str| SPECIAL.contains(&word) || word == "<mask>";
    let scored: Vec<_> = vocabulary.iter().map(|word| json!([word, if word.chars().count() > 1 { -1.0 } else { -4.0 }])).collect();
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null, "decoder": null,
        "added_tokens": vocabulary.iter().enumerate().filter(|(_, word)| is_added(word)).map(added).collect::<Vec<_>>(),
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": scored, "byte_fallback": false},
    });
    serde_json::to_vec(&json).expect("json")
}

impl Tiny {
    /// A network of numbers by chance, the same every time for a `seed`.
    pub(super) fn random(seed: u64) -> Self {
        let mut state = seed;
        Self::of(|name, len| {
            let scale = if name.ends_with("LayerNorm.weight") { 0.2 } else { 0.35 };
            let shift = if name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
            };
            (0..len).map(|_| shift + scale * next()).collect()
        })
    }

    /// A network that knows its words one by one: layers that change nothing, and heads that look at what the word is.
    pub(super) fn lookup() -> Self {
        let rows = |entries: &[(usize, usize, f32)], rows: usize| {
            let mut numbers = vec![0.0; rows * HIDDEN];
            entries.iter().for_each(|(row, column, number)| numbers[row * HIDDEN + column] = *number);
            numbers
        };
        Self::of(|name, len| match name {
            "embeddings.word_embeddings.weight" => {
                let kinds = WORDS.iter().enumerate().map(|(at, (_, kind))| (SPECIAL.len() + at, *kind, 1.0));
                rows(&kinds.collect::<Vec<_>>(), len / HIDDEN)
            }
            // Tags: outside, begin and inside of a name, then those of an address, which there is none of.
            "token_head.weight" => rows(&[(0, 0, 1.0), (0, 3, 1.0), (1, 1, 1.0), (2, 2, 1.0)], len / HIDDEN),
            "sequence_head.dense.weight" => rows(&[(3, 3, 1.0)], HIDDEN),
            "sequence_head.out.weight" => rows(&[(0, 3, 12.0)], 1),
            "sequence_head.out.bias" => vec![-6.0],
            name if name.ends_with("LayerNorm.weight") => vec![1.0; len],
            _ => vec![0.0; len],
        })
    }

    fn of(mut numbers: impl FnMut(&str, usize) -> Vec<f32>) -> Self {
        let mut shapes: Vec<(String, Vec<usize>)> = vec![
            ("embeddings.word_embeddings.weight".into(), vec![vocabulary().len(), HIDDEN]),
            ("embeddings.position_embeddings.weight".into(), vec![POSITIONS, HIDDEN]),
            ("token_head.weight".into(), vec![5, HIDDEN]),
            ("token_head.bias".into(), vec![5]),
            ("sequence_head.dense.weight".into(), vec![HIDDEN, HIDDEN]),
            ("sequence_head.dense.bias".into(), vec![HIDDEN]),
            ("sequence_head.out.weight".into(), vec![1, HIDDEN]),
            ("sequence_head.out.bias".into(), vec![1]),
        ];
        let mut norm = |name: String| {
            shapes.push((format!("{name}.weight"), vec![HIDDEN]));
            shapes.push((format!("{name}.bias"), vec![HIDDEN]));
        };
        norm("embeddings.LayerNorm".into());
        (0..LAYERS).for_each(|layer| {
            norm(format!("encoder.layer.{layer}.attention.output.LayerNorm"));
            norm(format!("encoder.layer.{layer}.output.LayerNorm"));
        });
        for layer in 0..LAYERS {
            let at = format!("encoder.layer.{layer}");
            let linear = [
                ("attention.self.query", HIDDEN, HIDDEN),
                ("attention.self.key", HIDDEN, HIDDEN),
                ("attention.self.value", HIDDEN, HIDDEN),
                ("attention.output.dense", HIDDEN, HIDDEN),
                ("intermediate.dense", WIDE, HIDDEN),
                ("output.dense", HIDDEN, WIDE),
            ];
            for (name, outputs, inputs) in linear {
                shapes.push((format!("{at}.{name}.weight"), vec![outputs, inputs]));
                shapes.push((format!("{at}.{name}.bias"), vec![outputs]));
            }
        }
        let tensor = |(name, shape): (String, Vec<usize>)| {
            let numbers = numbers(&name, shape.iter().product());
            (name, Tensor::from_vec(numbers, shape, &Device::Cpu).expect("a tensor"))
        };
        Self {
            tensors: shapes.into_iter().map(tensor).collect(), samples: vec!["please call Ada Lovelace", "请致电张伟。"], off: 0.0
        }
    }

    /// The bytes of a model file.
    pub(super) fn file(&self) -> Bytes {
        let quantised: HashMap<&String, QTensor> = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let kind = match name.as_str() {
                    "embeddings.word_embeddings.weight" => GgmlDType::Q4_0,
                    name if name.starts_with("encoder") && name.ends_with("weight") && !name.contains("Norm") => GgmlDType::Q8_0,
                    _ => GgmlDType::F32,
                };
                (name, QTensor::quantize(tensor, kind).expect("quantised"))
            })
            .collect();
        // The self-test is of the quantised weights, as the trainer's.
        let dense = quantised.iter().map(|(name, tensor)| ((*name).clone(), tensor.dequantize(&Device::Cpu).expect("dense"))).collect();
        let reference = Reference::of(&dense, vocabulary().len(), LAYERS, HEADS, POSITIONS);
        let samples: Vec<_> = self.samples.iter().map(|text| self.sample(text, &reference)).collect();
        let number = |number: usize| Value::U32(u32::try_from(number).expect("small"));
        let texts = |texts: &[&str]| Value::Array(texts.iter().map(|text| Value::String((*text).to_owned())).collect());
        let metadata = [
            ("general.architecture", Value::String("bert".to_owned())),
            ("exeat.model.version", Value::String("tiny".to_owned())),
            ("exeat.model.layers", number(LAYERS)),
            ("exeat.model.hidden", number(HIDDEN)),
            ("exeat.model.heads", number(HEADS)),
            ("exeat.model.intermediate", number(WIDE)),
            ("exeat.model.vocabulary", number(vocabulary().len())),
            ("exeat.model.positions", number(POSITIONS)),
            ("exeat.model.layer_norm_eps", Value::F32(1e-12)),
            ("exeat.token.labels", texts(&["name", "address"])),
            ("exeat.token.temperature", Value::F32(1.5)),
            ("exeat.sequence.labels", texts(&["contract"])),
            ("exeat.sequence.temperature", Value::Array(vec![Value::F32(1.0)])),
            ("exeat.sequence.threshold", Value::Array(vec![Value::F32(0.5)])),
            ("exeat.selftest", Value::String(serde_json::to_string(&samples).expect("json"))),
        ];
        let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
        let tensors: Vec<(&str, &QTensor)> = quantised.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let mut bytes = Cursor::new(Vec::new());
        gguf_file::write(&mut bytes, &metadata, &tensors).expect("memory");
        bytes.into_inner().into()
    }

    fn sample(&self, text: &str, reference: &Reference) -> serde_json::Value {
        let tokenizer = tokenizers::Tokenizer::from_bytes(tokenizer()).expect("a tokenizer");
        let inside = tokenizer.encode(text, false).expect("tokens");
        let ids: Vec<u32> = [&[0], inside.get_ids(), &[2]].concat();
        let (tokens, sequence) = reference.logits(&ids);
        let tokens: Vec<Vec<f32>> = tokens.into_iter().take(3).map(|row| row.into_iter().map(|logit| logit + self.off).collect()).collect();
        json!({"text": text, "ids": ids, "token_logits": tokens, "sequence_logits": sequence})
    }

    /// The model, ready to read.
    pub(super) fn model(&self) -> Result<Model, ModelError> {
        Model::load(self.file(), &tokenizer(), 1)
    }
}

/// candle-transformers' BERT with the heads on top, in 32-bit floats.
pub(super) struct Reference {
    bert: BertModel,
    tensors: HashMap<String, Tensor>,
}

impl Reference {
    pub(super) fn of(tensors: &HashMap<String, Tensor>, vocabulary: usize, layers: usize, heads: usize, positions: usize) -> Self {
        let mut tensors = tensors.clone();
        let hidden = tensors["embeddings.LayerNorm.bias"].dims()[0];
        let intermediate = tensors["encoder.layer.0.intermediate.dense.bias"].dims()[0];
        let no_types = Tensor::zeros((2, hidden), candle_core::DType::F32, &Device::Cpu).expect("zeros");
        tensors.insert("embeddings.token_type_embeddings.weight".to_owned(), no_types);
        let config: Config = serde_json::from_value(json!({
            "vocab_size": vocabulary, "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
            "intermediate_size": intermediate, "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "max_position_embeddings": positions,
            "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 1,
            "position_embedding_type": "absolute", "use_cache": false, "classifier_dropout": null, "model_type": "bert",
        }))
        .expect("a configuration");
        let weights = VarBuilder::from_tensors(tensors.clone(), candle_core::DType::F32, &Device::Cpu);
        Self { bert: BertModel::load(weights, &config).expect("candle's bert"), tensors }
    }

    /// Token logits, a row for each id, and sequence logits.
    pub(super) fn logits(&self, ids: &[u32]) -> (Vec<Vec<f32>>, Vec<f32>) {
        let ids = Tensor::new(ids, &Device::Cpu).and_then(|ids| ids.unsqueeze(0)).expect("ids");
        let types = ids.zeros_like().expect("types");
        let states = self.bert.forward(&ids, &types, None).and_then(|states| states.squeeze(0)).expect("states");
        let linear = |name: &str, input: &Tensor| {
            let weight = self.tensors[&format!("{name}.weight")].t().expect("transposed");
            input.matmul(&weight).and_then(|product| product.broadcast_add(&self.tensors[&format!("{name}.bias")])).expect("a product")
        };
        let pooled = states.mean_keepdim(0).expect("mean");
        let sequence = linear("sequence_head.out", &linear("sequence_head.dense", &pooled).tanh().expect("tanh"));
        (linear("token_head", &states).to_vec2().expect("rows"), sequence.squeeze(0).expect("a row").to_vec1().expect("numbers"))
    }
}
