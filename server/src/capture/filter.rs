//! The filter in the kernel: a program of classic BPF (bpf(4), the kernel's `networking/filter.rst`) that takes the
//! packets of the two servers and no others.
//!
//! It is a list of rules, tried in order. A rule is a list of tests; one that fails leads on to the next rule.
//! Fragments after the first one name no port and are not taken.

use std::net::{IpAddr, SocketAddr};

use streamgram_protocol::Protocol;

use super::dissect::{FRAGMENT, TCP, UDP};

/// `PACKET_HOST` and `PACKET_OUTGOING` (packet(7)).
pub(super) const COMES: u8 = 0;
pub(super) const LEAVES: u8 = 4;
/// `ARPHRD_LOOPBACK`.
pub(super) const LOOPBACK: u16 = 772;

// What the kernel knows of a packet besides its bytes: `SKF_AD_OFF` and what is added to it.
const KIND_OF_IP: u32 = 0xffff_f000;
const PACKET_TYPE: u32 = 0xffff_f004;
const HARDWARE_TYPE: u32 = 0xffff_f01c;
const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;

// Instructions.
const LOAD_WORD: u16 = 0x20;
const LOAD_SHORT: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
/// A short behind IPv4's header, the length of which is in the other register.
const LOAD_SHORT_BEHIND: u16 = 0x48;
const LOAD_LENGTH_OF_IPV4: u16 = 0xb1;
const AND: u16 = 0x54;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) code: u16,
    /// How many instructions are left out if a comparison holds, and if it does not.
    pub(super) then: u8,
    pub(super) otherwise: u8,
    pub(super) value: u32,
}

impl Step {
    const fn new(code: u16, value: u32) -> Self {
        Self { code, then: 0, otherwise: 0, value }
    }
}

/// Loads something, and compares it.
#[derive(Debug, Clone, Copy)]
struct Test {
    load: Step,
    then: Option<Step>,
    is: u32,
}

impl Test {
    const fn new(load: u16, at: u32, is: u32) -> Self {
        Self { load: Step::new(load, at), then: None, is }
    }

    const fn masked(load: u16, at: u32, mask: u32) -> Self {
        Self { load: Step::new(load, at), then: Some(Step::new(AND, mask)), is: 0 }
    }

    const fn behind_ipv4(at: u32, is: u32) -> Self {
        let load = Step::new(LOAD_LENGTH_OF_IPV4, 0);
        Self { load, then: Some(Step::new(LOAD_SHORT_BEHIND, at)), is }
    }
}

/// Takes nothing.
pub(super) const NOTHING: Step = Step::new(RETURN, 0);
/// Takes all of a packet: of one that it has cut, the kernel would not tell the length.
const ALL: Step = Step::new(RETURN, u32::MAX);

/// Takes the packets of the servers at these addresses.
pub(super) fn of(servers: &[(Protocol, SocketAddr)]) -> Vec<Step> {
    let mut program = Vec::new();
    for &(protocol, server) in servers {
        let server = SocketAddr::new(server.ip().to_canonical(), server.port());
        for to_server in [true, false] {
            for place in places(server.ip(), to_server) {
                for header in headers(protocol, server, to_server) {
                    rule(&mut program, [vec![place], header].concat());
                }
            }
        }
    }
    program.push(NOTHING);
    program
}

/// Where such packets can be seen. Over any other interface than loopback, what goes to the server comes, and what it
/// sends leaves: else it would be another machine's server with the same port.
fn places(server: IpAddr, to_server: bool) -> impl Iterator<Item = Test> {
    let seen = if to_server { COMES } else { LEAVES };
    let elsewhere = Test::new(LOAD_WORD, PACKET_TYPE, seen.into());
    let loopback = Test::new(LOAD_WORD, HARDWARE_TYPE, LOOPBACK.into());
    [loopback].into_iter().chain((!server.is_loopback()).then_some(elsewhere))
}

/// The headers that such packets can have.
fn headers(protocol: Protocol, server: SocketAddr, to_server: bool) -> Vec<Vec<Test>> {
    let number = match protocol {
        Protocol::Tcp => TCP,
        Protocol::Udp => UDP,
    };
    let port = if to_server { 2 } else { 0 };
    let address = |at: u32, bytes: &[u8]| -> Vec<Test> {
        let words = bytes.as_chunks::<4>().0.iter().zip((at..).step_by(4));
        words.map(|(word, at)| Test::new(LOAD_WORD, at, u32::from_be_bytes(*word))).collect()
    };
    let ipv4 = |bytes: &[u8]| {
        let tests = vec![
            Test::new(LOAD_WORD, KIND_OF_IP, IPV4),
            Test::new(LOAD_BYTE, 9, number.into()),
            Test::masked(LOAD_SHORT, 6, 0x1fff),
            Test::behind_ipv4(port, server.port().into()),
        ];
        [tests, address(if to_server { 16 } else { 12 }, bytes)].concat()
    };
    let ipv6 = |bytes: &[u8], is_fragment: bool| {
        let (next, header) = if is_fragment { (40, 48) } else { (6, 40) };
        let mut tests = vec![
            Test::new(LOAD_WORD, KIND_OF_IP, IPV6),
            Test::new(LOAD_BYTE, next, number.into()),
            Test::new(LOAD_SHORT, header + port, server.port().into()),
        ];
        if is_fragment {
            tests.insert(1, Test::new(LOAD_BYTE, 6, FRAGMENT.into()));
            tests.push(Test::masked(LOAD_SHORT, 42, 0xfff8));
        }
        [tests, address(if to_server { 24 } else { 8 }, bytes)].concat()
    };
    match server.ip() {
        IpAddr::V4(any) if any.is_unspecified() => vec![ipv4(&[])],
        IpAddr::V4(one) => vec![ipv4(&one.octets())],
        // It is every address of IPv4 too.
        IpAddr::V6(any) if any.is_unspecified() => {
            vec![ipv4(&[]), ipv6(&[], false), ipv6(&[], true)]
        }
        IpAddr::V6(one) => [false, true].map(|is_fragment| ipv6(&one.octets(), is_fragment)).into(),
    }
}

/// Adds a rule: where all tests hold, the packet is taken.
fn rule(program: &mut Vec<Step>, tests: Vec<Test>) {
    let mut steps = Vec::new();
    for Test { load, then, is } in tests {
        steps.push(load);
        steps.extend(then);
        steps.push(Step::new(JUMP_IF_EQUAL, is));
    }
    steps.push(ALL);
    let end = steps.len();
    for (at, step) in steps.iter_mut().enumerate() {
        if step.code == JUMP_IF_EQUAL {
            step.otherwise = u8::try_from(end - at - 1).unwrap_or(u8::MAX);
        }
    }
    program.append(&mut steps);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel knows of a packet: its bytes, type, and the hardware that it is on.
    #[derive(Clone)]
    struct Packet {
        bytes: Vec<u8>,
        kind: u8,
        hardware: u16,
    }

    /// Does what the kernel does with a program.
    fn takes(program: &[Step], packet: &Packet) -> bool {
        let (mut a, mut x, mut at) = (0, 0, 0);
        let load = |at: u32, size: usize| -> Option<u32> {
            match at {
                KIND_OF_IP => Some(if packet.bytes[0] >> 4 == 4 { IPV4 } else { IPV6 }),
                PACKET_TYPE => Some(packet.kind.into()),
                HARDWARE_TYPE => Some(packet.hardware.into()),
                at => {
                    let at = usize::try_from(at).unwrap();
                    let bytes = packet.bytes.get(at..at + size)?;
                    Some(bytes.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
                }
            }
        };
        loop {
            let Step { code, then, otherwise, value } = program[at];
            let loaded = match code {
                LOAD_WORD => load(value, 4),
                LOAD_SHORT => load(value, 2),
                LOAD_BYTE => load(value, 1),
                LOAD_SHORT_BEHIND => load(x + value, 2),
                LOAD_LENGTH_OF_IPV4 => {
                    x = u32::from(packet.bytes[0] & 15) * 4;
                    Some(a)
                }
                AND => Some(a & value),
                JUMP_IF_EQUAL => {
                    at += usize::from(if a == value { then } else { otherwise });
                    Some(a)
                }
                RETURN => return value > 0,
                code => panic!("{code:x}"),
            };
            // Behind its end, the packet is not taken.
            let Some(loaded) = loaded else { return false };
            a = loaded;
            at += 1;
        }
    }

    fn ipv4(protocol: u8, from: [u8; 6], to: [u8; 6], options: u8) -> Vec<u8> {
        let mut packet = vec![0x45 + options, 0, 0, 60, 0, 0, 0x40, 0, 64, protocol, 0, 0];
        packet.extend(&from[..4]);
        packet.extend(&to[..4]);
        packet.extend(vec![1; usize::from(options) * 4]);
        packet.extend(&from[4..]);
        packet.extend(&to[4..]);
        packet.extend([0; 20]);
        packet
    }

    fn ipv6(protocol: u8, is_fragment: bool, from: u16, to: u16) -> Vec<u8> {
        let next = if is_fragment { FRAGMENT } else { protocol };
        let mut packet = vec![0x60, 0, 0, 0, 0, 60, next, 64];
        packet.extend(std::net::Ipv6Addr::LOCALHOST.octets());
        packet.extend(std::net::Ipv6Addr::LOCALHOST.octets());
        if is_fragment {
            packet.extend([protocol, 0, 0, 1, 0, 0, 0, 1]);
        }
        packet.extend(from.to_be_bytes());
        packet.extend(to.to_be_bytes());
        packet.extend([0; 20]);
        packet
    }

    const ETHERNET: u16 = 1;
    const HERE: [u8; 6] = [127, 0, 0, 1, 0, 7];
    const CLIENT: [u8; 6] = [127, 0, 0, 1, 200, 9];

    fn seen(bytes: Vec<u8>, kind: u8, hardware: u16) -> Packet {
        Packet { bytes, kind, hardware }
    }

    fn program(tcp: &str, udp: &str) -> Vec<Step> {
        of(&[(Protocol::Tcp, tcp.parse().unwrap()), (Protocol::Udp, udp.parse().unwrap())])
    }

    #[test]
    fn both_ways_of_both_servers_are_taken_and_nothing_else() {
        let program = program("127.0.0.1:7", "127.0.0.1:8");
        let takes = |bytes| takes(&program, &seen(bytes, COMES, LOOPBACK));
        let udp_server = [127, 0, 0, 1, 0, 8];
        for options in [0, 10] {
            assert!(
                takes(ipv4(TCP, CLIENT, HERE, options)) && takes(ipv4(TCP, HERE, CLIENT, options))
            );
            assert!(takes(ipv4(UDP, CLIENT, udp_server, options)));
            // The other protocol at the same port, another port, another address.
            assert!(!takes(ipv4(UDP, CLIENT, HERE, options)));
            assert!(!takes(ipv4(TCP, CLIENT, [127, 0, 0, 1, 0, 9], options)));
            assert!(!takes(ipv4(TCP, CLIENT, [127, 0, 0, 2, 0, 7], options)));
            assert!(!takes(ipv4(1, CLIENT, HERE, options)));
        }
        let mut later = ipv4(UDP, CLIENT, udp_server, 0);
        later[7] = 1;
        assert!(!takes(later), "a fragment after the first one has no ports");
        let mut first = ipv4(UDP, CLIENT, udp_server, 0);
        first[6] = 0x20;
        assert!(takes(first));
        assert!(!takes(ipv6(TCP, false, 51_209, 7)));
    }

    #[test]
    fn a_server_of_loopback_is_seen_on_loopback_only() {
        let program = program("127.0.0.1:7", "127.0.0.1:8");
        for kind in [COMES, LEAVES] {
            assert!(takes(&program, &seen(ipv4(TCP, CLIENT, HERE, 0), kind, LOOPBACK)));
            assert!(!takes(&program, &seen(ipv4(TCP, CLIENT, HERE, 0), kind, ETHERNET)));
        }
    }

    #[test]
    fn over_a_network_what_comes_is_for_the_server_and_what_leaves_is_of_it() {
        let program = program("0.0.0.0:7", "0.0.0.0:8");
        let [here, there] = [[192, 0, 2, 1, 0, 7], [192, 0, 2, 9, 0, 7]];
        let other = [192, 0, 2, 9, 200, 9];
        let mine = [192, 0, 2, 1, 200, 9];
        for (from, to, kind, is_taken) in [
            (other, here, COMES, true),
            (here, other, LEAVES, true),
            // This machine as the client of another one's server at the same port.
            (mine, there, LEAVES, false),
            (there, mine, COMES, false),
            // Heard on the wire, and not for this machine.
            (other, here, 3, false),
        ] {
            let packet = seen(ipv4(TCP, from, to, 0), kind, ETHERNET);
            assert_eq!(takes(&program, &packet), is_taken, "{from:?} to {to:?} {kind}");
        }
    }

    #[test]
    fn every_address_of_ipv6_is_every_address_of_ipv4_too() {
        for (server, has_ipv4) in [("[::]:7", true), ("[::1]:7", false)] {
            let program = program(server, "[::1]:8");
            for is_fragment in [false, true] {
                let packet = seen(ipv6(TCP, is_fragment, 51_209, 7), COMES, LOOPBACK);
                assert!(takes(&program, &packet), "{server}");
            }
            let packet = seen(ipv4(TCP, CLIENT, HERE, 0), COMES, LOOPBACK);
            assert_eq!(takes(&program, &packet), has_ipv4, "{server}");
        }
        let mapped = program("[::ffff:127.0.0.1]:7", "[::1]:8");
        assert!(takes(&mapped, &seen(ipv4(TCP, CLIENT, HERE, 0), COMES, LOOPBACK)));
    }

    #[test]
    fn no_rule_is_too_long_for_a_jump() {
        let longest = program("[2001:db8::1]:7", "[2001:db8::1]:8");
        assert!(longest.iter().all(|step| step.otherwise < u8::MAX), "{longest:?}");
        // BPF_MAXINSNS.
        assert!(longest.len() < 4_096, "{}", longest.len());
    }
}
