//! Checks of crypto-currency addresses and keys, with the two hash functions they are built on.
//!
//! SHA-256 and Keccak-256 are written out here because inspection is a pure library without a cryptography dependency; they
//! guard nothing, they only tell an address from a random string.

use super::Check;

/// The checks by the names that rules use.
pub(super) const TABLE: &[(&str, Check)] =
    &[("base58check", |text| base58check(text).is_some()), ("bech32", bech32), ("eip-55", eip_55), ("solana-address", solana_address)];

/// Base58 digits, the last four bytes the double SHA-256 of the others (Bitcoin; TRON and others alike). Gives the payload's length.
fn base58check(text: &str) -> Option<usize> {
    let bytes = base58(text)?;
    let (payload, check) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    let digest = sha_256(&sha_256(payload));
    (payload.len() >= 21 && digest.starts_with(check)).then_some(payload.len())
}

fn base58(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    if text.len() > 128 {
        return None; // the conversion is quadratic
    }
    let mut bytes: Vec<u8> = Vec::with_capacity(96); // least significant first
    for character in text.bytes() {
        let mut carry = ALPHABET.iter().position(|&c| c == character)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(carry as u8);
            carry >>= 8;
        }
    }
    bytes.extend(text.bytes().take_while(|&c| c == b'1').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}

/// A 32-byte public key in base58 with no check digit; only the length tells.
fn solana_address(text: &str) -> bool {
    base58(text).is_some_and(|bytes| bytes.len() == 32)
}

/// The checksum of bech32 (BIP 173) or bech32m (BIP 350), any human-readable part.
fn bech32(text: &str) -> bool {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mixed = text.bytes().any(|byte| byte.is_ascii_uppercase()) && text.bytes().any(|byte| byte.is_ascii_lowercase());
    let Some((prefix, data)) = text.rsplit_once('1') else { return false };
    if mixed || prefix.is_empty() || data.len() < 6 || text.len() > 128 {
        return false;
    }
    let step = |check: u32, value: u32| {
        let top = check >> 25;
        let generators = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        generators
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold((check & 0x1ff_ffff) << 5 ^ value, |sum, (_, generator)| sum ^ generator)
    };
    let lower = |byte: u8| u32::from(byte.to_ascii_lowercase());
    let check = prefix.bytes().map(|byte| lower(byte) >> 5).chain([0]).chain(prefix.bytes().map(|byte| lower(byte) & 31)).fold(1, step);
    let values = data.bytes().map(|byte| ALPHABET.iter().position(|&c| c == byte.to_ascii_lowercase()));
    let check = values.into_iter().try_fold(check, |check, value| Some(step(check, u32::try_from(value?).ok()?)));
    matches!(check, Some(1 | 0x2bc8_30a3))
}

/// An Ethereum address whose mixed case spells the Keccak-256 checksum (EIP-55). One case alone carries no checksum and is refused.
fn eip_55(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("0x").filter(|digits| digits.len() == 40) else { return false };
    let digest = keccak_256(digits.to_ascii_lowercase().as_bytes());
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let mixed = digits.bytes().any(|byte| byte.is_ascii_uppercase()) && digits.bytes().any(|byte| byte.is_ascii_lowercase());
    mixed && digits.bytes().zip(nibbles).all(|(byte, nibble)| !byte.is_ascii_alphabetic() || byte.is_ascii_uppercase() == (nibble >= 8))
}

/// SHA-256 (FIPS 180-4).
fn sha_256(message: &[u8]) -> [u8; 32] {
    let primes = || (2_u64..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    let mut state = [0_u32; 8];
    for (slot, prime) in state.iter_mut().zip(primes()) {
        *slot = root_fraction(prime, 2);
    }
    let mut constants = [0_u32; 64];
    for (slot, prime) in constants.iter_mut().zip(primes()) {
        *slot = root_fraction(prime, 3);
    }
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64) + if padded.len() % 64 > 56 { 64 } else { 0 }, 0);
    let bits = (message.len() as u64 * 8).to_be_bytes();
    let at = padded.len() - 8;
    padded.truncate(at);
    padded.extend(bits);

    for block in padded.chunks_exact(64) {
        let mut schedule: Vec<u32> = block.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
        for at in 16..64 {
            let word = |back: usize| schedule.get(at - back).copied().unwrap_or(0);
            let (a, b) = (word(15), word(2));
            let (s0, s1) = (a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3, b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10);
            schedule.push(word(16).wrapping_add(s0).wrapping_add(word(7)).wrapping_add(s1));
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (constant, word) in constants.iter().zip(&schedule) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let t1 = h.wrapping_add(s1).wrapping_add(e & f ^ !e & g).wrapping_add(*constant).wrapping_add(*word);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add(a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        for (slot, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *slot = slot.wrapping_add(value);
        }
    }
    bytes_of(state.iter().flat_map(|word| word.to_be_bytes()))
}

/// The first 32 bits after the point of the `degree`th root of `n`: where SHA-256's constants come from.
fn root_fraction(n: u64, degree: u32) -> u32 {
    // The largest integer r with r^degree <= n * 2^(32 * degree), found bit by bit; its low half is the fraction.
    let target = u128::from(n) << (32 * degree);
    let root = (0..37).rev().fold(0_u128, |root, bit| if (root | 1 << bit).pow(degree) <= target { root | 1 << bit } else { root });
    root as u32
}

/// Keccak-256 with the padding of the original submission, as Ethereum uses it (not SHA-3). `message` is under 136 bytes.
fn keccak_256(message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 136];
    for (slot, byte) in block.iter_mut().zip(message.iter().copied().chain([1])) {
        *slot = byte;
    }
    if let Some(last) = block.last_mut() {
        *last |= 0x80;
    }
    let mut state = [0_u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane = u64::from_le_bytes(*bytes);
    }
    keccak_f(&mut state);
    bytes_of(state.iter().flat_map(|lane| lane.to_le_bytes()))
}

/// The permutation Keccak-f[1600] (FIPS 202 section 3).
#[expect(clippy::indexing_slicing, reason = "all indices are modulo 5 or from tables of 24 values under 25")]
fn keccak_f(state: &mut [u64; 25]) {
    const ROTATIONS: [u32; 24] = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
    const LANES: [usize; 24] = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];
    let mut shift_register = 1_u8;
    for _ in 0..24 {
        let mut parity = [0_u64; 5];
        for (at, lane) in state.iter().enumerate() {
            parity[at % 5] ^= lane;
        }
        for (at, lane) in state.iter_mut().enumerate() {
            *lane ^= parity[(at + 4) % 5] ^ parity[(at + 1) % 5].rotate_left(1);
        }
        let mut carried = state[1];
        for (lane, rotation) in LANES.into_iter().zip(ROTATIONS) {
            carried = std::mem::replace(&mut state[lane], carried.rotate_left(rotation));
        }
        for row in state.chunks_exact_mut(5) {
            let old: [u64; 5] = std::array::from_fn(|at| row[at]);
            for (at, lane) in row.iter_mut().enumerate() {
                *lane ^= !old[(at + 1) % 5] & old[(at + 2) % 5];
            }
        }
        for bit in 0..7 {
            state[0] ^= u64::from(shift_register & 1) << ((1_u32 << bit) - 1);
            shift_register = shift_register << 1 ^ if shift_register & 0x80 == 0 { 0 } else { 0x71 };
        }
    }
}

fn bytes_of(bytes: impl Iterator<Item = u8>) -> [u8; 32] {
    let mut out = [0; 32];
    for (slot, byte) in out.iter_mut().zip(bytes) {
        *slot = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 32]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_hash_functions_give_their_published_values() {
        assert_eq!(hex(sha_256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex(sha_256(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            hex(sha_256(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
        assert_eq!(hex(keccak_256(b"")), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
        assert_eq!(hex(keccak_256(b"abc")), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    }

    #[test]
    fn bitcoin_and_tron_addresses_check() {
        // The genesis block's address; the example of BIP 13; a TRON contract's published address.
        for good in ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"] {
            assert!(base58check(good).is_some(), "{good}");
        }
        for bad in ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a", "", "1111"] {
            assert!(base58check(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn segwit_addresses_check_in_both_encodings() {
        // BIP 173 and BIP 350 test vectors.
        assert!(bech32("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"));
        assert!(bech32("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"));
        assert!(
            !bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5")
                && !bech32("bc1")
                && !bech32("Bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
        );
    }

    #[test]
    fn mixed_case_ethereum_addresses_check() {
        // EIP-55 test vectors.
        assert!(eip_55("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed") && eip_55("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"));
        assert!(!eip_55("0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed") && !eip_55("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"));
    }
}
