//! RFC 1951 and 1952: unpacking whole, packing with fixed codes, so sizes differ from gzip's.

use std::collections::BTreeMap;

/// More than this is refused: a bomb of a few bytes must not fill the memory.
const OUT_MAX: usize = 16 << 20;

/// Base length and extra bits of the length codes from 257 on.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// Base distance and extra bits of the distance codes.
const DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// In which order the lengths of the code of code lengths stand.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const CORRUPT: &str = "corrupted data";

/// Bits, lowest first.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    bit: u32,
}

impl Bits<'_> {
    fn take(&mut self, n: u8) -> Result<usize, &'static str> {
        let mut value = 0;
        for i in 0..n {
            let byte = *self.data.get(self.at).ok_or("unexpected end of file")?;
            value |= usize::from(byte >> self.bit & 1) << i;
            self.bit += 1;
            self.at += (self.bit / 8) as usize;
            self.bit %= 8;
        }
        Ok(value)
    }

    fn align(&mut self) {
        self.at += usize::from(self.bit > 0);
        self.bit = 0;
    }
}

/// A canonical code: how many codes there are of each length, and the symbols in code order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[u8]) -> Code {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for (length, count) in counts.iter_mut().enumerate().skip(1) {
            let of_length = lengths.iter().enumerate().filter(|(_, l)| usize::from(**l) == length);
            let before = symbols.len();
            symbols.extend(of_length.map(|(symbol, _)| symbol));
            *count = symbols.len() - before;
        }
        Code { counts, symbols }
    }

    fn read(&self, bits: &mut Bits<'_>) -> Result<usize, &'static str> {
        let (mut code, mut first, mut idx) = (0_usize, 0_usize, 0_usize);
        for count in &self.counts[1..] {
            code |= bits.take(1)?;
            if code < first + count {
                return self.symbols.get(idx + code - first).copied().ok_or(CORRUPT);
            }
            idx += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(CORRUPT)
    }
}

fn fixed() -> (Code, Code) {
    let length = |symbol: usize| match symbol {
        0..144 => 8,
        144..256 => 9,
        256..280 => 7,
        _ => 8,
    };
    let literals: Vec<u8> = (0..288).map(length).collect();
    (Code::new(&literals), Code::new(&[5; 30]))
}

fn dynamic(bits: &mut Bits<'_>) -> Result<(Code, Code), &'static str> {
    let n_literals = bits.take(5)? + 257;
    let n_distances = bits.take(5)? + 1;
    let mut of_lengths = [0; 19];
    for place in &ORDER[..bits.take(4)? + 4] {
        of_lengths[*place] = bits.take(3)? as u8;
    }
    let code = Code::new(&of_lengths);
    let mut lengths: Vec<u8> = Vec::new();
    while lengths.len() < n_literals + n_distances {
        let (length, times) = match code.read(bits)? {
            16 => (*lengths.last().ok_or(CORRUPT)?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        lengths.resize(lengths.len() + times, length);
    }
    let distances = &lengths[n_literals..n_literals + n_distances];
    Ok((Code::new(&lengths[..n_literals]), Code::new(distances)))
}

/// Unpacks a raw stream; also tells how many bytes it was.
fn inflate(data: &[u8]) -> Result<(Vec<u8>, usize), &'static str> {
    let mut bits = Bits { data, at: 0, bit: 0 };
    let mut out = Vec::new();
    loop {
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => {
                bits.align();
                let length = bits.take(16)?;
                bits.take(16)?;
                let end = bits.at + length;
                out.extend_from_slice(data.get(bits.at..end).ok_or("unexpected end of file")?);
                bits.at = end;
            }
            1 => block(&mut bits, &fixed(), &mut out)?,
            2 => {
                let codes = dynamic(&mut bits)?;
                block(&mut bits, &codes, &mut out)?;
            }
            _ => return Err(CORRUPT),
        }
        if last {
            bits.align();
            return Ok((out, bits.at));
        }
    }
}

fn block(
    bits: &mut Bits<'_>,
    (literals, distances): &(Code, Code),
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    loop {
        if out.len() > OUT_MAX {
            return Err("more than 16 MB when unpacked");
        }
        let symbol = literals.read(bits)?;
        match symbol {
            0..256 => out.push(symbol as u8),
            256 => return Ok(()),
            _ => {
                let (base, extra) = *LENGTHS.get(symbol - 257).ok_or(CORRUPT)?;
                let length = usize::from(base) + bits.take(extra)?;
                let (base, extra) = *DISTANCES.get(distances.read(bits)?).ok_or(CORRUPT)?;
                let distance = usize::from(base) + bits.take(extra)?;
                let from = out.len().checked_sub(distance).ok_or(CORRUPT)?;
                for i in 0..length {
                    let byte = out[from + i];
                    out.push(byte);
                }
            }
        }
    }
}

/// Bits on their way out.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    hold: u32,
    n: u32,
}

impl Writer {
    fn put(&mut self, value: usize, n: u8) {
        self.hold |= (value as u32) << self.n;
        self.n += u32::from(n);
        while self.n >= 8 {
            self.out.push(self.hold as u8);
            self.hold >>= 8;
            self.n -= 8;
        }
    }

    /// A code goes highest bit first.
    fn code(&mut self, code: usize, n: u8) {
        for i in (0..n).rev() {
            self.put(code >> i & 1, 1);
        }
    }

    fn literal(&mut self, symbol: usize) {
        match symbol {
            0..144 => self.code(0x30 + symbol, 8),
            144..256 => self.code(0x190 + symbol - 144, 9),
            256..280 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    fn ranged(&mut self, value: usize, table: &[(u16, u8)], write: impl Fn(&mut Writer, usize)) {
        let at = table.partition_point(|(base, _)| usize::from(*base) <= value) - 1;
        let (base, extra) = table[at];
        write(self, at);
        self.put(value - usize::from(base), extra);
    }
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    // One last block with the fixed codes.
    writer.put(0b011, 3);
    let mut seen: BTreeMap<[u8; 3], usize> = BTreeMap::new();
    let mut at = 0;
    while at < data.len() {
        let key = data.get(at..at + 3).map(|k| [k[0], k[1], k[2]]);
        let from = key.and_then(|key| seen.insert(key, at)).filter(|from| at - from <= 32_768);
        let length = from.map_or(0, |from| {
            let pairs = data[from..].iter().zip(&data[at..]).take(258);
            pairs.take_while(|(a, b)| a == b).count()
        });
        if let (Some(from), 3..) = (from, length) {
            writer.ranged(length, &LENGTHS, |w, code| w.literal(257 + code));
            writer.ranged(at - from, &DISTANCES, |w, code| w.code(code, 5));
            at += length;
        } else {
            writer.literal(usize::from(data[at]));
            at += 1;
        }
    }
    writer.literal(256);
    writer.put(0, 7);
    writer.out
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// Packs as `gzip` does: no name and no time in the header.
pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    out.extend(deflate(data));
    out.extend(crc32(data).to_le_bytes());
    out.extend((data.len() as u32).to_le_bytes());
    out
}

pub(super) fn is_gzip(data: &[u8]) -> bool {
    data.starts_with(&[0x1f, 0x8b])
}

/// Unpacks all members of a gzip file; what follows them is left out. The error is gunzip's.
pub(super) fn gunzip(data: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = data;
    let mut out = Vec::new();
    while is_gzip(rest) || rest.len() == data.len() {
        rest = member(rest, &mut out)?;
    }
    Ok(out)
}

fn member<'a>(data: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], &'static str> {
    if !is_gzip(data) {
        return Err("invalid magic");
    }
    let flags = *data.get(3).ok_or(CORRUPT)?;
    let mut at = 10;
    if flags & 4 != 0 {
        let low = usize::from(*data.get(at).ok_or(CORRUPT)?);
        at += 2 + low + 256 * usize::from(*data.get(at + 1).ok_or(CORRUPT)?);
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let text = data.get(at..).ok_or(CORRUPT)?;
            at += text.iter().position(|byte| *byte == 0).ok_or(CORRUPT)? + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    let (plain, used) = inflate(data.get(at..).ok_or(CORRUPT)?)?;
    let end = data.get(at + used..at + used + 8).ok_or(CORRUPT)?;
    if end[..4] != crc32(&plain).to_le_bytes() {
        return Err("crc error");
    }
    if end[4..] != (plain.len() as u32).to_le_bytes() {
        return Err("incorrect length");
    }
    out.extend(plain);
    Ok(&data[at + used + 8..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_unpacking_agree() {
        let long: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(i) / 7 % 251) as u8).collect();
        for data in [&b""[..], b"a", b"abcabcabcabcabcabc", &[0; 70_000], &long] {
            assert_eq!(gunzip(&gzip(data)).as_deref(), Ok(data));
        }
        assert!(gzip(&[b'x'; 10_000]).len() < 200);
    }

    #[test]
    fn a_file_that_gzip_made() {
        let packed = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9,
            0xc9, 0x57, 0xc8, 0x40, 0x90, 0x5c, 0x00, 0x3b, 0x7c, 0x8a, 0xdf, 0x12, 0x00, 0x00,
            0x00,
        ];
        assert_eq!(gunzip(&packed).as_deref(), Ok(&b"hello hello hello\n"[..]));
        assert_eq!(gunzip(&packed[..20]), Err("unexpected end of file"));
        assert_eq!(gunzip(b"plain"), Err("invalid magic"));
    }
}
