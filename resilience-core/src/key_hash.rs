//! The identity of a key that is not stored.

use core::hash::{BuildHasher, Hash, Hasher};
use std::hash::RandomState;
use std::sync::OnceLock;

/// A 128-bit hash of a key, with secret seeds of the process: `SipHash-1-3` with the long output
/// (Aumasson and Bernstein, 2012).
///
/// Any `Hash` type works, borrowed keys too. Different keys have equal hashes with a probability of
/// 2⁻¹²⁸, and no caller can look for such keys.
///
/// The second half of a key of at most eight bytes is the key, under a mask, so that keys of one
/// length never have equal hashes. Such a key takes three rounds less: those of the second half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u64; 2]);

impl KeyHash {
    /// Hashes a key.
    #[inline]
    pub fn of(key: &(impl Hash + ?Sized)) -> Self {
        Seeds::of_process().hash(key)
    }

    /// Hashes a key of an annotated function. The name of `instance`, a closure in the function,
    /// contains the generic arguments: calls with different arguments share no key.
    pub fn in_function<I>(_instance: &I, key: &(impl Hash + ?Sized)) -> Self {
        Self::of(&(core::any::type_name::<I>(), key))
    }

    /// Returns the half that is spread evenly.
    #[inline]
    pub(crate) const fn spread(self) -> u64 {
        let [first, _] = self.0;
        first
    }

    #[cfg(test)]
    pub(crate) const fn from_halves(halves: [u64; 2]) -> Self {
        Self(halves)
    }

    /// Returns the part of a table, from 0 to `parts - 1`.
    #[inline]
    pub(crate) fn part(self, parts: usize) -> usize {
        let (part, _) = scaled(self.spread(), parts);
        part
    }
}

/// The secret numbers of the process.
pub(crate) struct Seeds {
    /// The state of the hash in front of the key.
    start: [u64; 4],
    /// The masks of shorter keys, and of keys of eight bytes: the difference is secret, too.
    masks: [u64; 2],
}

impl Seeds {
    pub(crate) fn of_process() -> &'static Self {
        static SEEDS: OnceLock<Seeds> = OnceLock::new();
        SEEDS.get_or_init(|| {
            let random = RandomState::new();
            let pair = |numbers: [u8; 2]| numbers.map(|number| random.hash_one(number));
            Self { start: start(pair([0, 1])), masks: pair([2, 3]) }
        })
    }

    /// Hashes a key, as [`KeyHash::of`] does.
    #[inline]
    pub(crate) fn hash(&self, key: &(impl Hash + ?Sized)) -> KeyHash {
        let mut hasher = SipHasher::new(self.start);
        key.hash(&mut hasher);
        KeyHash(hasher.identity(self.masks))
    }
}

/// Returns the state of `SipHash` in front of the key.
const fn start([first, second]: [u64; 2]) -> [u64; 4] {
    [
        first ^ 0x736f_6d65_7073_6575,
        second ^ 0x646f_7261_6e64_6f6d ^ LONG,
        first ^ 0x6c79_6765_6e65_7261,
        second ^ 0x7465_6462_7974_6573,
    ]
}

/// Scales a hash to the range from 0 to `parts - 1`; 0 for no parts. Returns also the place inside
/// of the part, which is spread as evenly as the hash.
#[inline]
pub(crate) fn scaled(hash: u64, parts: usize) -> (usize, u64) {
    let parts = u64::try_from(parts).unwrap_or(u64::MAX);
    let scaled = u128::from(hash) * u128::from(parts);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the product")]
    let (part, place) = ((scaled >> 64) as u64, scaled as u64);
    (usize::try_from(part).unwrap_or(usize::MAX), place)
}

/// The state of `SipHash`: one round per word, and three rounds at the end of each half of the
/// output.
struct SipHasher {
    state: [u64; 4],
    /// The bytes of an unfinished word.
    tail: u64,
    /// The last finished word.
    word: u64,
    /// The number of bytes.
    length: u64,
}

impl SipHasher {
    #[inline]
    const fn new(state: [u64; 4]) -> Self {
        Self { state, tail: 0, word: 0, length: 0 }
    }

    /// Adds the lowest `bytes` bytes of `value`, 1 to 8; the others are zero.
    #[inline]
    fn add(&mut self, value: u64, bytes: u64) {
        let filled = self.length % 8;
        self.length = self.length.wrapping_add(bytes);
        self.tail |= value << (8 * filled);
        if filled + bytes >= 8 {
            self.word = self.tail;
            self.compress(self.tail);
            self.tail = if filled == 0 { 0 } else { value >> (64 - 8 * filled) };
        }
    }

    #[inline]
    fn compress(&mut self, word: u64) {
        self.state[3] ^= word;
        self.rounds::<1>();
        self.state[0] ^= word;
    }

    #[inline]
    fn rounds<const COUNT: usize>(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.state;
        for _ in 0..COUNT {
            a = a.wrapping_add(b);
            c = c.wrapping_add(d);
            b = b.rotate_left(13) ^ a;
            d = d.rotate_left(16) ^ c;
            a = a.rotate_left(32).wrapping_add(d);
            c = c.wrapping_add(b);
            d = d.rotate_left(21) ^ a;
            b = b.rotate_left(17) ^ c;
            c = c.rotate_left(32);
        }
        self.state = [a, b, c, d];
    }

    #[inline]
    fn folded(&self) -> u64 {
        let [a, b, c, d] = self.state;
        a ^ b ^ c ^ d
    }

    /// Returns the first half of the long hash, and a second half that tells keys apart whose first
    /// halves are equal.
    #[expect(clippy::inline_always, reason = "of a number one of the three ways remains")]
    #[inline(always)]
    fn identity(mut self, [of_short, of_word]: [u64; 2]) -> [u64; 2] {
        if self.length == 8 {
            // Without a block for the length: the mark separates the key from shorter keys.
            return [self.half(WORD), self.word ^ of_word];
        }
        // The last bytes, and the number of bytes in the highest byte.
        let last = self.length << 56 | self.tail;
        self.compress(last);
        let first = self.half(LONG);
        [first, if self.length < 8 { last ^ of_short } else { self.second_half() }]
    }

    /// Returns the first half of the output.
    #[inline]
    fn half(&mut self, mark: u64) -> u64 {
        self.state[2] ^= mark;
        self.rounds::<3>();
        self.folded()
    }

    #[inline]
    fn second_half(&mut self) -> u64 {
        self.state[1] ^= 0xdd;
        self.rounds::<3>();
        self.folded()
    }
}

/// Marks the long output in the state.
const LONG: u64 = 0xee;

/// Marks the end of a key of eight bytes in the state.
const WORD: u64 = 0xcc;

/// Returns a word of at most eight bytes; missing bytes are zero. Reads overlapping parts, because
/// a loop over the bytes takes more instructions than the hash.
#[inline]
fn word_of(bytes: &[u8]) -> u64 {
    let up = |missing: usize| 8 * (bytes.len() - missing);
    if let (Some(low), Some(high)) = (bytes.first_chunk::<4>(), bytes.last_chunk()) {
        let [low, high] = [low, high].map(|part| u64::from(u32::from_le_bytes(*part)));
        low | high << up(4)
    } else if let (Some(low), Some(high)) = (bytes.first_chunk::<2>(), bytes.last_chunk()) {
        let [low, high] = [low, high].map(|part| u64::from(u16::from_le_bytes(*part)));
        low | high << up(2)
    } else {
        bytes.first().map_or(0, |byte| u64::from(*byte))
    }
}

impl Hasher for SipHasher {
    /// Asked for by no known key: [`KeyHash::of`] takes the identity.
    fn finish(&self) -> u64 {
        self.folded()
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let words = bytes.chunks_exact(8);
        let rest = words.remainder();
        for word in words {
            self.add(word_of(word), 8);
        }
        if !rest.is_empty() {
            self.add(word_of(rest), rest.len() as u64);
        }
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.add(value.into(), 1);
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.add(value.into(), 2);
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.add(value.into(), 4);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.add(value, 8);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.add(value as u64, 8);
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    /// The published implementation in words of bytes, for any number of rounds.
    fn reference(rounds: [usize; 2], seeds: [u64; 2], bytes: &[u8]) -> [u64; 2] {
        let mut hasher = SipHasher::new(start(seeds));
        let repeat = |hasher: &mut SipHasher, count: usize| {
            (0..count).for_each(|_| hasher.rounds::<1>());
        };
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len() / 8 * 8 + 7, 0);
        padded.push(u8::try_from(bytes.len()).expect("a short message"));
        for word in padded.chunks(8).map(word_of) {
            hasher.state[3] ^= word;
            repeat(&mut hasher, rounds[0]);
            hasher.state[0] ^= word;
        }
        hasher.state[2] ^= 0xee;
        repeat(&mut hasher, rounds[1]);
        let first = hasher.folded();
        hasher.state[1] ^= 0xdd;
        repeat(&mut hasher, rounds[1]);
        [first, hasher.folded()]
    }

    const MASKS: [u64; 2] = [0x1234, 0x5678];

    fn long_hash(mut hasher: SipHasher) -> [u64; 2] {
        hasher.compress(hasher.length << 56 | hasher.tail);
        [hasher.half(LONG), hasher.second_half()]
    }

    const SEEDS: [u64; 2] = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];

    /// From `vectors.h` of the published implementation, `SipHash-2-4` with 128 bits of output.
    #[test]
    fn the_rounds_are_those_of_the_published_vectors() {
        let published = |bytes: [u8; 16]| [word_of(&bytes[..8]), word_of(&bytes[8..])];
        let empty = [
            0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55,
            0x02, 0x93,
        ];
        let one = [
            0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22,
            0xfc, 0x45,
        ];
        assert_eq!(reference([2, 4], SEEDS, &[]), published(empty));
        assert_eq!(reference([2, 4], SEEDS, &[0]), published(one));
    }

    #[test]
    fn any_division_into_parts_gives_the_same_hash() {
        let bytes: Vec<u8> = (0..100).collect();
        for length in 0..bytes.len() {
            let expected = reference([1, 3], SEEDS, &bytes[..length]);
            for part in 1..=length.max(1) {
                let mut hasher = SipHasher::new(start(SEEDS));
                bytes[..length].chunks(part).for_each(|part| hasher.write(part));
                assert_eq!(long_hash(hasher), expected, "{length} bytes in parts of {part}");
            }
        }
    }

    #[test]
    fn integers_hash_as_their_bytes() {
        let mut integers = SipHasher::new(start(SEEDS));
        integers.write_u8(1);
        integers.write_u64(u64::MAX - 1);
        integers.write_u16(0x1234);
        integers.write_u32(0xdead_beef);
        integers.write_u128(7);
        let mut bytes = vec![1];
        bytes.extend((u64::MAX - 1).to_le_bytes());
        bytes.extend(0x1234_u16.to_le_bytes());
        bytes.extend(0xdead_beef_u32.to_le_bytes());
        bytes.extend(7_u128.to_ne_bytes());
        assert_eq!(long_hash(integers), reference([1, 3], SEEDS, &bytes));
    }

    #[test]
    fn keys_of_at_most_eight_bytes_are_their_second_half() {
        let identity = |bytes: &[u8]| {
            let mut hasher = SipHasher::new(start(SEEDS));
            hasher.write(bytes);
            hasher.identity(MASKS)
        };
        for length in 0..=16 {
            let bytes: Vec<u8> = (1..=length).collect();
            let [first, second] = identity(&bytes);
            let word = word_of(&bytes[..usize::from(length.min(8))]);
            let reference = reference([1, 3], SEEDS, &bytes);
            match length {
                0..8 => {
                    let block = u64::from(length) << 56 | word;
                    assert_eq!([first, second], [reference[0], block ^ MASKS[0]]);
                }
                8 => assert_eq!((first != reference[0], second), (true, word ^ MASKS[1])),
                _ => assert_eq!([first, second], reference),
            }
        }
    }

    /// The first half of a key of eight bytes differs from that of the shorter key whose block has
    /// the same bits.
    #[test]
    fn a_word_and_the_block_of_a_shorter_key_have_different_hashes() {
        let first_half = |word: u64, bytes: u64| {
            let mut hasher = SipHasher::new(start(SEEDS));
            hasher.add(word, bytes);
            hasher.identity(MASKS)[0]
        };
        for bytes in 1..8 {
            assert_ne!(first_half(1, bytes), first_half(bytes << 56 | 1, 8));
        }
    }

    #[test]
    fn a_word_of_any_number_of_bytes_has_these_bytes() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        for length in 0..=8 {
            let mut padded = [0; 8];
            padded[..length].copy_from_slice(&bytes[..length]);
            assert_eq!(word_of(&bytes[..length]), u64::from_le_bytes(padded));
        }
    }

    #[test]
    fn equal_keys_have_equal_hashes_in_a_process() {
        assert_eq!(KeyHash::of("a"), KeyHash::of(&String::from("a")));
        assert_ne!(KeyHash::of("a"), KeyHash::of("b"));
        assert_ne!(KeyHash::of(&("a", "bc")), KeyHash::of(&("ab", "c")));
    }

    #[test]
    fn hashes_are_spread_over_the_parts() {
        let mut counts = [0; 16];
        (0..16_000).for_each(|key| counts[KeyHash::of(&key).part(16)] += 1);
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        let part = |hash, parts| scaled(hash, parts).0;
        assert_eq!((part(u64::MAX, 7), part(0, 7), part(5, 0)), (6, 0, 0));
    }
}
