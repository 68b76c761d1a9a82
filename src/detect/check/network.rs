//! Checks of addresses and names in networks.

use super::{Check, global::compact};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The checks by the names that rules use.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("private-ip", private_ip),
    ("public-ip", public_ip),
    ("unique-local", unique_local),
    ("mac", mac),
    ("internal-host", internal_host),
    ("unc-path", unc_path),
];

/// One host in a private network, neither the network itself nor its broadcast address (RFC 1918).
fn private_ip(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_private() && !matches!(ip.octets(), [_, _, _, 0 | 255]))
}

/// An address that can be somebody's on the internet (IANA special-purpose registry), and no version number: those have small parts.
fn public_ip(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|ip| {
        let special =
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_documentation() || ip.is_broadcast();
        let [first, _, _, last] = ip.octets();
        // 2.5.4 to 2.5.29 hold the object identifiers of directories (X.500), which are written alike.
        let directory = matches!(ip.octets(), [2, 5, 4 | 6 | 8 | 13 | 29, _]);
        let reserved = directory || first == 0 || first >= 240 || last == 0;
        !special && !reserved && ip.octets().into_iter().any(|part| part > 31)
    })
}

/// A unique local address with a random-looking prefix (RFC 4193).
fn unique_local(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_unique_local() && ip.segments().iter().filter(|part| **part != 0).count() >= 3)
}

/// A device's own address: neither broadcast, multicast, nor filler (IEEE 802 EUI-48).
fn mac(text: &str) -> bool {
    let Some(digits) = compact::<12>(text) else { return false };
    let nibble = |byte: u8| char::from(byte).to_digit(16);
    let multicast = digits.get(1).and_then(|&byte| nibble(byte)).is_none_or(|low| low % 2 == 1);
    let distinct = digits.iter().fold(0_u16, |seen, &byte| seen | 1 << nibble(byte).unwrap_or(0)).count_ones();
    !multicast && distinct > 3 && !matches!(&digits, b"001122334455" | b"0123456789AB" | b"AABBCCDDEEFF")
}

/// A host's name, not a member access in code: no label is a word of the language around it.
fn internal_host(text: &str) -> bool {
    const CODE: [&str; 9] = ["java", "self", "this", "com", "org", "System", "cls", "sun", "pkg"];
    let mut labels = text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).split('.');
    let first = labels.next().unwrap_or_default();
    !CODE.contains(&first) && labels.all(|label| !label.is_empty() && label.bytes().all(|byte| !byte.is_ascii_uppercase()))
        || text.bytes().all(|byte| !byte.is_ascii_lowercase())
}

/// A path on a share whose server looks like one: its name holds a digit, a dot or a hyphen; LaTeX and escapes do not.
fn unc_path(text: &str) -> bool {
    let server = text.trim_start_matches('\\').split('\\').next().unwrap_or_default();
    server.len() >= 3 && server.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')) && !text.contains("\\\\u")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_public_addresses_are_told_apart() {
        assert!(private_ip("10.48.17.203") && !private_ip("10.0.0.0") && !private_ip("8.8.8.8") && !private_ip("10.1.2.999"));
        assert!(public_ip("175.217.109.206") && !public_ip("192.0.2.17") && !public_ip("2.14.3.1") && !public_ip("127.0.0.1"));
        assert!(unique_local("fd48:1726:35ab::17") && !unique_local("fd00::1") && !unique_local("fe80::1726:35ab:17"));
    }

    #[test]
    fn device_addresses_are_not_fillers() {
        assert!(mac("3C:22:FB:0A:91:7E") && !mac("FF:FF:FF:FF:FF:FF") && !mac("00:11:22:33:44:55") && !mac("01:00:5E:7F:12:34"));
    }

    #[test]
    fn hosts_and_shares_are_told_from_code() {
        assert!(internal_host("db-04.prod.internal") && !internal_host("java.util.internal") && !internal_host("x.MyClass.internal"));
        assert!(unc_path(r"\\fs01.hq\finance\2024") && !unc_path(r"\\alpha\beta\gamma"));
    }
}
