//! Formats told by their first bytes.

use memchr::memmem;

/// A binary format that matters to reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    /// Image, audio or video.
    Media,
    /// ZIP, and so OOXML, ODF, JAR, EPUB.
    Zip,
    /// One compressed stream: the name of its coding.
    Stream(&'static str),
}

/// What `bytes` begin like.
pub(super) fn of(bytes: &[u8]) -> Option<Magic> {
    match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Magic::Zip),
        [0x1f, 0x8b, 8, ..] => Some(Magic::Stream("gzip")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Magic::Stream("zstd")),
        _ => is_media(bytes).then_some(Magic::Media),
    }
}

fn is_media(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xd8, 0xff, ..] | [0x89, b'P', b'N', b'G', ..] | [b'G', b'I', b'F', b'8', ..] => true,
        [b'I', b'I', 0x2a, 0, ..] | [b'M', b'M', 0, 0x2a, ..] | [b'8', b'B', b'P', b'S', ..] => true,
        [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] => {
            kind.starts_with(b"WEBP") || kind.starts_with(b"WAVE") || kind.starts_with(b"AVI ")
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => true, // MP4, MOV, HEIC, AVIF
        [0, 0, 1, 0, count, 0, ..] => *count > 0,         // ICO
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => true,
        [b'O', b'g', b'g', b'S', ..] | [b'f', b'L', b'a', b'C', ..] | [b'I', b'D', b'3', ..] | [0x1a, 0x45, 0xdf, 0xa3, ..] => true,
        [b'F', b'L', b'V', 1, ..] | [0, 0, 1, 0xba | 0xb3, ..] | [b'#', b'!', b'A', b'M', b'R', ..] => true,
        [0xff, 0xfb | 0xf3 | 0xf2 | 0xf1 | 0xf9, ..] => true, // MP3 and AAC frames
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', b' ', ..] => true,
        _ => false,
    }
}

/// Whether `bytes` are encrypted content, by the format's own mark. ZIP members have theirs in the archive's directory.
pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    match bytes {
        [b'-', b'-', b'-', b'-', b'-', b'B', b'E', b'G', b'I', b'N', b' ', rest @ ..] => {
            rest.starts_with(b"PGP MESSAGE-----") || rest.starts_with(b"AGE ENCRYPTED FILE-----")
        }
        [b'a', b'g', b'e', b'-', ..] => bytes.starts_with(b"age-encryption.org/"),
        [b'S', b'a', b'l', b't', b'e', b'd', b'_', b'_', ..] => true, // openssl enc
        [b'%', b'P', b'D', b'F', b'-', ..] => memmem::find(bytes, b"/Encrypt").is_some(),
        // Office documents with a password are an OLE file with a stream "EncryptedPackage", named in UTF-16.
        [0xd0, 0xcf, 0x11, 0xe0, ..] => memmem::find(bytes, b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0").is_some(),
        // RAR 5 whose first block, after its checksum and size, is the encryption header.
        [b'R', b'a', b'r', b'!', 0x1a, 7, 1, 0, _, _, _, _, _, 4, ..] => true,
        // RAR 4 whose archive header has the flag for encrypted headers.
        [b'R', b'a', b'r', b'!', 0x1a, 7, 0, _, _, 0x73, low, ..] => low & 0x80 != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(of(b"\x89PNG\r\n\x1a\n"), Some(Magic::Media));
        assert_eq!(of(b"\0\0\0\x18ftypmp42"), Some(Magic::Media));
        assert_eq!(of(b"PK\x03\x04"), Some(Magic::Zip));
        assert_eq!(of(b"\x1f\x8b\x08\0"), Some(Magic::Stream("gzip")));
        assert_eq!(of(b"hello"), None);
    }

    #[test]
    fn encrypted_formats_say_so() {
        assert!(is_encrypted(b"-----BEGIN PGP MESSAGE-----\n\nhQ"));
        assert!(is_encrypted(b"%PDF-1.7\n trailer << /Encrypt 5 0 R >>"));
        assert!(!is_encrypted(b"%PDF-1.7\n trailer << >>"));
        assert!(!is_encrypted(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"));
    }
}
