//! Reading what holds other content: multipart bodies, archives, compressed files, gRPC streams.

use super::{Content, Reader};
use crate::{
    content::{
        archive::{self, Packing},
        charset::{self, Charset},
        document::{Access, Wrapping},
        encoding::{Decoder, decode_with},
        escape::Style,
        grpc::{self, Messages},
        media_type::{Grpc, MediaType},
        multipart::{self, Ending, Part},
        place::readable,
        raw,
        stream::{self, Batch, Extent, Piece},
        transfer::{self, Transfer},
    },
    finding::Gap,
    text::Place,
};

impl<'a> Reader<'_, 'a> {
    pub(super) fn read_multipart<'b>(&mut self, content: &Content<'b, 'a>, boundary: &str) {
        let Some(multipart) = multipart::split(content.bytes, boundary) else {
            self.gap(Gap::Malformed);
            return self.read(&content.piece(0..content.bytes.len(), MediaType::default()));
        };
        if multipart.ending == Ending::Open {
            self.gap(Gap::Malformed);
        }
        self.deeper(content, |reader| {
            let [preamble, epilogue] = multipart.around;
            reader.read(&content.piece(preamble, MediaType::default()));
            for (index, part) in multipart.parts.iter().enumerate() {
                if reader.document.segments.len() + 8 > super::MAX_SEGMENTS {
                    // The rest in one piece.
                    reader.gap(Gap::TooLarge);
                    return reader.read_raw(&content.piece(part.head.start..content.bytes.len(), MediaType::default()), raw::SHORTEST);
                }
                reader.read_part(content, part, index);
            }
            reader.read(&content.piece(epilogue, MediaType::default()));
        });
    }

    fn read_part<'b>(&mut self, content: &Content<'b, 'a>, part: &Part, index: usize) {
        let head_bytes = content.bytes.get(part.head.clone()).unwrap_or_default();
        let mut head = content.piece(part.head.clone(), MediaType::default());
        head.field = None;
        let read = match std::str::from_utf8(head_bytes) {
            Ok(text) => {
                let read = multipart::read_head(text);
                head.place = Place::Part(read.label(index + 1));
                for range in &read.texts {
                    self.read_words(&head, range.clone());
                }
                read
            }
            Err(_) => {
                let charset = Charset::of_text(head_bytes, content.hint.charset()).unwrap_or(Charset::latin());
                let (text, map) = charset::decode(head_bytes, charset);
                let read = multipart::read_head(&text);
                head.place = Place::Part(read.label(index + 1));
                self.within(&head, text.into_bytes(), Wrapping::Charset(charset, map.shifted(head.offset)), |reader, inside| {
                    for range in &read.texts {
                        reader.read_words(inside, range.clone());
                    }
                });
                read
            }
        };
        let mut body = content.piece(part.body.clone(), read.media_type.clone().unwrap_or_default());
        body.place = head.place;
        body.field = if read.file_name.is_none() { read.name.clone() } else { None };
        match read.transfer.unwrap_or(Transfer::Identity) {
            Transfer::Identity => self.read(&body),
            Transfer::Base64 => self.read_base64(&body),
            Transfer::QuotedPrintable => {
                let (bytes, map) = transfer::decode_quoted_printable(body.bytes);
                if self.spend(bytes.len(), body.bytes.len()) {
                    let wrapping = Wrapping::QuotedPrintable(map.shifted(body.offset));
                    self.within(&body, bytes, wrapping, |reader, inside| reader.read(inside));
                } else {
                    self.read_raw(&body, raw::SHORTEST);
                }
            }
        }
    }

    fn read_base64<'b>(&mut self, content: &Content<'b, 'a>) {
        match transfer::decode_base64(content.bytes) {
            Some(bytes) if self.spend(bytes.len(), content.bytes.len()) => {
                self.within(content, bytes, Wrapping::Base64, |reader, inside| reader.read(inside));
            }
            Some(_) => self.read_raw(content, raw::SHORTEST),
            None => {
                self.gap(Gap::Malformed);
                self.read(content);
            }
        }
    }

    /// Reads a file that is one compressed stream.
    pub(super) fn read_stream<'b>(&mut self, content: &Content<'b, 'a>, coding: &str) {
        self.deeper(content, |reader| match Decoder::of(coding).and_then(|decoder| decode_with(decoder, content.bytes, reader.budget)) {
            Ok(bytes) => {
                let content = content.piece(0..content.bytes.len(), MediaType::default());
                reader.within(&content, bytes, Wrapping::ReadOnly, |reader, inside| reader.read(inside));
            }
            Err(gap) => {
                reader.gap(gap);
                reader.read_raw(content, raw::SHORTEST);
            }
        });
    }

    /// Reads the names and members of a ZIP archive.
    pub(super) fn read_zip<'b>(&mut self, content: &Content<'b, 'a>) {
        let Some(members) = archive::members(content.bytes) else {
            self.gap(Gap::Malformed);
            return self.read_raw(content, raw::SHORTEST);
        };
        self.deeper(content, |reader| {
            let archive = Content { access: Access::ReadOnly, ..content.piece(0..content.bytes.len(), MediaType::default()) };
            let names = members.iter().map(|member| String::from_utf8_lossy(member.name)).collect::<Vec<_>>().join("\n");
            reader.within(&archive, names.into_bytes(), Wrapping::ReadOnly, |reader, inside| {
                if let Ok(names) = std::str::from_utf8(inside.bytes) {
                    reader.add_plain(inside, names, Style::Plain);
                }
            });
            for (index, member) in members.iter().enumerate() {
                let mut file = Content { access: Access::ReadOnly, ..archive.piece(member.data.clone(), MediaType::default()) };
                let name = String::from_utf8_lossy(member.name);
                let name = name.rsplit('/').next().unwrap_or_default();
                file.place = Place::Part(readable(name).map_or_else(|| (index + 1).to_string(), str::to_owned));
                file.field = None;
                match member.packing {
                    Packing::Stored => reader.read(&file),
                    Packing::Deflated => match decode_with(Decoder::raw_deflate(), file.bytes, reader.budget) {
                        Ok(bytes) => reader.within(&file, bytes, Wrapping::ReadOnly, |reader, inside| reader.read(inside)),
                        Err(gap) => reader.gap(gap),
                    },
                    Packing::Encrypted => reader.gap(Gap::Encrypted),
                    Packing::Other => reader.gap(Gap::UnknownEncoding),
                }
            }
        });
    }

    /// Reads the messages of a gRPC, gRPC-Web or Connect stream.
    pub(super) fn read_grpc<'b>(&mut self, content: &Content<'b, 'a>, kind: Grpc) {
        let content = Content { access: Access::ReadOnly, ..content.piece(0..content.bytes.len(), MediaType::default()) };
        match kind {
            Grpc::Binary => self.read_messages(&content),
            Grpc::Text => match transfer::decode_base64(content.bytes) {
                Some(bytes) if self.spend(bytes.len(), content.bytes.len()) => {
                    self.within(&content, bytes, Wrapping::ReadOnly, |reader, inside| reader.read_messages(inside));
                }
                Some(_) => self.read_raw(&content, raw::SHORTEST),
                None => {
                    self.gap(Gap::Malformed);
                    self.read_raw(&content, raw::SHORTEST);
                }
            },
        }
    }

    fn read_messages<'b>(&mut self, content: &Content<'b, 'a>) {
        let coding = ["grpc-encoding", "connect-content-encoding"].into_iter().find_map(|name| self.headers.get(name)?.to_str().ok());
        match grpc::unpack(content.bytes, coding.unwrap_or("identity"), self.budget) {
            Ok(Messages::Plain) => self.read_raw(content, raw::SHORTEST),
            Ok(Messages::Unpacked(bytes)) => {
                self.within(content, bytes, Wrapping::ReadOnly, |reader, inside| reader.read_raw(inside, raw::SHORTEST));
            }
            Err(gap) => {
                self.gap(gap);
                self.read_raw(content, raw::SHORTEST);
            }
        }
    }

    /// Reads what `git push` sends.
    pub(super) fn read_push<'b>(&mut self, content: &Content<'b, 'a>) {
        let mut batch = stream::read_all(content.bytes, content.hint.clone(), self.budget);
        for gap in batch.take_gaps() {
            self.gap(gap);
        }
        let Batch { text, pieces, .. } = batch;
        self.within(content, text, Wrapping::ReadOnly, |reader, inside| {
            for piece in &pieces {
                reader.read_piece(inside, piece);
            }
        });
    }

    /// Reads a piece of `batch`, the text of a batch.
    pub(super) fn read_piece<'b>(&mut self, batch: &Content<'b, 'a>, piece: &Piece) {
        let content = Content {
            place: piece.about.place.clone(),
            field: piece.about.field.clone(),
            ..batch.piece(piece.range.clone(), piece.about.hint.clone())
        };
        match piece.extent {
            Extent::Whole => self.read(&content),
            Extent::Part => self.read_window(&content),
        }
    }

    /// Reads a part of a file as text. What cuts a character at either end leaves it to the neighbour.
    fn read_window<'b>(&mut self, content: &Content<'b, 'a>) {
        let bytes = content.bytes;
        let start = bytes.iter().take(3).take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
        let inside = bytes.get(start..).unwrap_or_default();
        let text = match std::str::from_utf8(inside) {
            Ok(text) => Some(text),
            Err(error) if error.error_len().is_none() => inside.get(..error.valid_up_to()).and_then(|text| std::str::from_utf8(text).ok()),
            Err(_) => None,
        };
        match text {
            Some(text) if memchr::memchr(0, bytes).is_none() => {
                let piece = content.piece(start..start + text.len(), content.hint.clone());
                self.add_plain(&piece, text, Style::Plain);
            }
            Some(_) | None => match Charset::of_text(bytes, content.hint.charset()) {
                Some(_) => self.read_other_charset(content),
                None => self.read_raw(content, raw::SHORTEST_IN_BULK),
            },
        }
    }
}
