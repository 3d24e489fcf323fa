//! The identity of an object.

use std::fmt;

/// `metadata.uid` in 16 bytes. The API server writes a UUID; any other text is kept as a hash of it, so that it still
/// names one object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uid([u64; 2]);

/// The value of each hexadecimal digit; 255 for other bytes.
static HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        table[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

impl Uid {
    /// Reads a UUID in its usual form; hashes any other text.
    pub fn parse(text: &str) -> Self {
        let bytes = text.as_bytes();
        let dashes = [8, 13, 18, 23];
        if bytes.len() == 36 && dashes.iter().all(|&at| bytes[at] == b'-') {
            // Two runs of sixteen digits; an odd character in them leaves its mark in the upper half of `odd`.
            let mut odd = 0_u8;
            let mut run = |parts: &[&[u8]]| {
                parts.iter().copied().flatten().fold(0_u64, |value, &c| {
                    let digit = HEX[usize::from(c)];
                    odd |= digit;
                    value << 4 | u64::from(digit & 15)
                })
            };
            let high = run(&[&bytes[..8], &bytes[9..13], &bytes[14..18]]);
            let low = run(&[&bytes[19..23], &bytes[24..]]);
            if odd < 16 {
                return Self([high, low]);
            }
        }
        Self::hashed(bytes)
    }

    /// An identity for something that has none of its own, such as a context of the kubeconfig.
    pub fn hashed(bytes: &[u8]) -> Self {
        // FNV-1a, 128 bits: stable over runs, so that marks and recordings keep their meaning.
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
        const BASIS: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
        Self::from(bytes.iter().fold(BASIS, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME)))
    }
}

impl From<u128> for Uid {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the number")]
    fn from(value: u128) -> Self {
        Self([(value >> 64) as u64, value as u64])
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low] = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_kept_as_it_is() {
        for text in ["3a41f566-fe01-409c-a06c-0a1cd6e317e6", "00000000-0000-0000-0000-000000000001"] {
            assert_eq!(Uid::parse(text).to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_told_apart() {
        let texts =
            ["", "a", "b", "3a41f566-fe01-409c-a06c-0a1cd6e317eZ", "3a41f566fe01409ca06c0a1cd6e317e6", "é"];
        let uids: std::collections::HashSet<_> = texts.iter().map(|text| Uid::parse(text)).collect();
        assert_eq!(uids.len(), texts.len());
    }
}
