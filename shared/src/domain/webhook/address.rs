//! Which addresses are somebody's on the internet, and not our own network's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IANA's special-purpose registry, and multicast.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, and clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24), // AS112
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];

/// Everything that is given to somebody on the internet lies in it.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: holds an IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// NAT64: the IPv4 address in the last 32 bits is the one that is reached.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether it is an address on the internet: not loopback, private, link-local, multicast, documentation, nor one of those
/// in an IPv6 disguise.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(nat64) if is_within(nat64.into(), NAT64) => is_public_v4(last_32_bits(nat64)),
        IpAddr::V6(address) => {
            is_within(address.into(), PUBLIC_V6)
                && !NOT_PUBLIC_V6.into_iter().any(|network| is_within(address.into(), network))
        }
    }
}

/// Whether the first bits of both, as many as are given, are the same.
pub(super) fn is_within(address: IpAddr, (network, bits): (impl Into<IpAddr>, u32)) -> bool {
    match (address, network.into()) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(u32::BITS - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(u128::BITS - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4.into_iter().any(|network| is_within(address.into(), network))
}

fn last_32_bits(address: Ipv6Addr) -> Ipv4Addr {
    Ipv4Addr::from_bits(address.to_bits() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_on_the_internet_are_public() {
        let table = [
            (true, "1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0"),
            (
                true,
                "126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 192.0.1.0 198.17.255.255 198.20.0.0",
            ),
            (true, "223.255.255.255 9.255.255.255 11.0.0.0 192.167.255.255 192.169.0.0"),
            (true, "2606:4700::1111 2a00:1450:4001::1 2001:200::1 3ffe::1 64:ff9b::8.8.8.8 ::ffff:8.8.8.8"),
            (
                false,
                "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254",
            ),
            (
                false,
                "169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.170 192.0.2.1 192.88.99.1",
            ),
            (
                false,
                "192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255",
            ),
            (false, "240.0.0.1 255.255.255.255"),
            (
                false,
                ":: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254",
            ),
            (false, "64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8"),
            (false, "2002:7f00:1::1 2002:a00:1::1 2002:808:808::1 2001::1 2001:db8::1 3fff::1 100::1"),
            (false, "fe80::1 febf::1 fec0::1 fc00::1 fd00:ec2::254 fdff::1 ff02::1 ff0e::1 5f00::1"),
        ];
        for (public, addresses) in table {
            for address in addresses.split(' ') {
                assert_eq!(is_public(address.parse().expect(address)), public, "{address}");
            }
        }
    }
}
