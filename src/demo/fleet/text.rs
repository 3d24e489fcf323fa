//! Texts as bytes, and dice.

/// What can be appended to JSON as it is.
pub(super) trait Put {
    fn put(&self, out: &mut Vec<u8>);
}

impl Put for str {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for String {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let (mut digits, mut at, mut left) = ([0_u8; 20], 20, *self);
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl<const N: usize> Put for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<T: Put + ?Sized> Put for &T {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

macro_rules! put {
    ($out:expr; $($part:expr),+ $(,)?) => {{ $( Put::put(&$part, &mut *$out); )+ }};
}
pub(super) use put;

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(super) fn hex<const N: usize>(mut bits: u64) -> [u8; N] {
    let mut text = [b'0'; N];
    for place in text.iter_mut().rev() {
        *place = HEX[(bits & 15) as usize];
        bits >>= 4;
    }
    text
}

/// RFC 3339 to the second.
pub(super) fn stamp(seconds: u64) -> [u8; 20] {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01 in eras of 400 years, years of the era beginning in March.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let march = (5 * in_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let date = in_year - (153 * march + 2) / 5 + 1;
    let year = year + era * 400 + u64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00Z";
    let mut two = |at: usize, value: u64| {
        text[at] = b'0' + (value / 10) as u8;
        text[at + 1] = b'0' + (value % 10) as u8;
    };
    two(0, year / 100);
    two(2, year % 100);
    two(5, month);
    two(8, date);
    two(11, rest / 3600);
    two(14, rest / 60 % 60);
    two(17, rest % 60);
    text
}

/// `splitmix64`: the same numbers for ever, whatever the version of a crate.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    pub(super) fn weigh<T>(&mut self, from: &'static [T], weight: fn(&T) -> u64) -> &'static T {
        let mut at = self.below(from.iter().map(weight).sum());
        for entry in from {
            match at.checked_sub(weight(entry)) {
                Some(left) => at = left,
                None => return entry,
            }
        }
        &from[0]
    }

    pub(super) fn uid(&mut self) -> [u8; 36] {
        let (high, low) = (self.bits(), self.bits());
        let mut text = *b"00000000-0000-4000-a000-000000000000";
        text[..8].copy_from_slice(&hex::<8>(high));
        text[9..13].copy_from_slice(&hex::<4>(high >> 32));
        text[15..18].copy_from_slice(&hex::<3>(high >> 48));
        text[20..23].copy_from_slice(&hex::<3>(low));
        text[24..].copy_from_slice(&hex::<12>(low >> 12));
        text
    }
}
