//! IP addresses and address ranges, as strictly as the server reads them since 1.36.
//! Models apimachinery pkg/util/validation IsValidIP and IsValidCIDR (v1.36).

use std::net::{IpAddr, Ipv4Addr};

const IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// Reads an address whose parts may have leading zeros; says whether they had.
fn lenient(text: &str) -> Option<(IpAddr, bool)> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address, false));
    }
    let parts: Vec<u8> = text.split('.').map_while(|p| p.parse::<u8>().ok()).collect();
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match parts[..] {
        [a, b, c, d] if digits && text.split('.').count() == 4 => {
            Some((IpAddr::V4(Ipv4Addr::new(a, b, c, d)), true))
        }
        _ => None,
    }
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(six) if six.to_ipv4_mapped().is_some())
}

/// Whether it can be read as an address at all. Models ParseIPSloppy.
pub(in crate::check) fn is_address(text: &str) -> bool {
    lenient(text).is_some()
}

/// Objections to an address.
pub(in crate::check) fn ip(text: &str) -> Vec<String> {
    let objection = match lenient(text) {
        None => IP,
        Some((_, true)) => "must not have leading 0s",
        Some((address, _)) if is_mapped(address) => "must not be an IPv4-mapped IPv6 address",
        Some(_) => return Vec::new(),
    };
    vec![objection.to_owned()]
}

/// The bits of an address above its lowest `size - prefix`.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::check) struct Range {
    bits: u128,
    prefix: u32,
    size: u32,
}

impl Range {
    fn mask(self, prefix: u32) -> u128 {
        let low = self.size - prefix;
        if low >= 128 { 0 } else { self.bits >> low }
    }

    /// Whether `inner` lies in this range and is smaller.
    pub(in crate::check) fn strictly_holds(self, inner: Range) -> bool {
        self.size == inner.size
            && inner.prefix > self.prefix
            && self.mask(self.prefix) == inner.mask(self.prefix)
    }
}

/// An address range, or None where the text is none.
pub(in crate::check) fn range(text: &str) -> Option<Range> {
    let (address, prefix) = text.split_once('/')?;
    let (address, _) = lenient(address)?;
    let (bits, size) = match address {
        IpAddr::V4(four) => (u128::from(u32::from(four)), 32),
        IpAddr::V6(six) => (u128::from(six), 128),
    };
    if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let prefix: u32 = prefix.parse().ok()?;
    (prefix <= size).then_some(Range { bits, prefix, size })
}

/// Objections to an address range.
pub(in crate::check) fn cidr(text: &str) -> Vec<String> {
    let Some(found) = range(text) else { return vec![CIDR.to_owned()] };
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let zeros = lenient(address).is_some_and(|(_, zeros)| zeros)
        || (prefix.len() > 1 && prefix.starts_with('0'));
    let low = found.size - found.prefix;
    let host_bits =
        low > 0 && (low >= 128 && found.bits != 0 || found.bits % (1 << low.min(127)) != 0);
    let objection = if zeros {
        "must not have leading 0s in IP or prefix length"
    } else if lenient(address).is_some_and(|(a, _)| is_mapped(a)) {
        "must not have an IPv4-mapped IPv6 address"
    } else if host_bits {
        "must not have bits set beyond the prefix length"
    } else {
        return Vec::new();
    };
    vec![objection.to_owned()]
}
