//! Content hashes for file names: FNV-1a, 64 bits. Tells versions apart; protects nothing.

pub fn of(parts: &[&[u8]]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.iter().chain(&[0])) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn differs_by_content_and_by_cut() {
        assert_eq!(super::of(&[b"ab"]), super::of(&[b"ab"]));
        assert_ne!(super::of(&[b"ab"]), super::of(&[b"ac"]));
        assert_ne!(super::of(&[b"a", b"b"]), super::of(&[b"ab"]));
    }
}
