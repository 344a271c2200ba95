//! A client of the TCP timestamp server in a process of its own, as anybody's is. For every line on standard input it
//! sends a burst, reads the replies to all of it, and says how many reads of the server they came from.
#![expect(clippy::print_stdout, reason = "whoever started it reads that")]

use std::io::{Read as _, Write as _, stdin};
use std::net::TcpStream;

use streamgram_tests::echoes;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [server, line, count] = arguments.as_slice() else { panic!("SERVER LINE COUNT") };
    let count: usize = count.parse().expect("a number");
    let mut stream = TcpStream::connect(server).expect("the server listens");
    stream.set_nodelay(true).expect("TCP has the option");
    for _ in stdin().lines() {
        for _ in 0..count {
            stream.write_all(line.as_bytes()).expect("TCP takes bytes");
        }
        let mut replies = Vec::new();
        let mut buffer = [0; 4_096];
        let reads = loop {
            let bytes = stream.read(&mut buffer).expect("TCP answers");
            assert_ne!(bytes, 0, "TCP ended after {replies:?}");
            replies.extend_from_slice(&buffer[..bytes]);
            let echoes = echoes(&replies);
            if echoes.concat().len() == count * line.len() {
                break echoes.len();
            }
        };
        println!("{reads}");
    }
}
