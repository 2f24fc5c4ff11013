//! Which addresses are public.

use share_fetch::is_public;

use crate::server::Cases;

#[test]
fn special_addresses_are_not_public() {
    let mut cases = Cases::default();
    for (case, first, last) in [
        ("unspecified and this network", "0.0.0.0", "0.255.255.255"),
        ("private, 10", "10.0.0.0", "10.255.255.255"),
        ("carrier-grade NAT", "100.64.0.0", "100.127.255.255"),
        ("loopback", "127.0.0.0", "127.255.255.255"),
        ("Azure's platform services", "168.63.129.16", "168.63.129.16"),
        ("link-local", "169.254.0.0", "169.254.255.255"),
        ("metadata of AWS", "169.254.169.254", "169.254.169.254"),
        ("credentials of containers on AWS", "169.254.170.2", "169.254.170.2"),
        ("private, 172.16", "172.16.0.0", "172.31.255.255"),
        ("protocol assignments", "192.0.0.0", "192.0.0.255"),
        ("documentation 1", "192.0.2.0", "192.0.2.255"),
        ("6to4 relays", "192.88.99.0", "192.88.99.255"),
        ("private, 192.168", "192.168.0.0", "192.168.255.255"),
        ("benchmarking", "198.18.0.0", "198.19.255.255"),
        ("documentation 2", "198.51.100.0", "198.51.100.255"),
        ("documentation 3", "203.0.113.0", "203.0.113.255"),
        ("multicast", "224.0.0.0", "239.255.255.255"),
        ("reserved", "240.0.0.0", "255.255.255.254"),
        ("broadcast", "255.255.255.255", "255.255.255.255"),
        ("v6 unspecified, loopback", "::", "::1"),
        ("IPv4-compatible: private", "::10.0.0.1", "::10.255.255.255"),
        ("IPv4-compatible: metadata", "::169.254.169.254", "::a9fe:a9fe"),
        ("IPv4-mapped: loopback", "::ffff:127.0.0.1", "::ffff:7fff:ffff"),
        ("IPv4-mapped: metadata", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe"),
        ("IPv4-mapped: public", "::ffff:8.8.8.8", "::ffff:808:808"),
        ("IPv4-translated", "::ffff:0:127.0.0.1", "::ffff:0:7f00:1"),
        ("NAT64", "64:ff9b::", "64:ff9b::ffff:ffff"),
        ("NAT64 of metadata", "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe"),
        ("NAT64, local use", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
        ("discard", "100::", "100::ffff:ffff:ffff:ffff"),
        ("Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("v6 benchmarking", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
        ("ORCHID", "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("v6 documentation 1", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("6to4 of loopback", "2002:7f00:1::", "2002:7f00:1::1"),
        ("v6 documentation 2", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("segment routing", "5f00::", "5f00:ffff::"),
        ("unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("metadata of AWS, v6", "fd00:ec2::254", "fd00:ec2::254"),
        ("v6 link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("v6 multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ] {
        cases.expect(case, is_public(first.parse().unwrap()), false);
        cases.expect(case, is_public(last.parse().unwrap()), false);
    }
}

#[test]
fn the_neighbours_of_special_addresses_are_public() {
    let mut cases = Cases::default();
    for address in [
        "1.0.0.0",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2001:4860:4860::8888",
        "2003::",
        "2606:4700::1111",
        "3ffe:ffff::",
        "3fff:1000::",
    ] {
        cases.expect(address, is_public(address.parse().unwrap()), true);
    }
}
