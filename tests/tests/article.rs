//! `docs/article.md` and its Chinese version are true: their programs run, and fail and cope as they say.
// The errors shown are Linux's.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use streamgram_protocol::STAMP_LEN;
use streamgram_protocol::fault::NAMED;
use streamgram_tests::{Ended, PATIENCE, Program, Server, is_ctime, is_stamped, skip};

const ENGLISH: &str = include_str!("../../docs/article.md");
const CHINESE: &str = include_str!("../../docs/article.zh.md");
const CLIENTS: &str = include_str!("../../docs/clients.md");
/// How long something is watched that is said to wait for ever.
const FOR_EVER: Duration = Duration::from_secs(1);
/// Pieces of a reply merge if the machine runs their reader late.
const TRIES: usize = 20;

/// 1,200 bytes; the first 1,024 of them end in the midst of a character.
fn long_line() -> String {
    "你".repeat(400)
}

/// Whether a reply has a timestamp, and this behind it.
fn is_reply(reply: &[u8], echo: &[u8]) -> bool {
    is_stamped(reply) && &reply[STAMP_LEN..] == echo
}

fn blocks(document: &str) -> Vec<&str> {
    document.split("```").skip(1).step_by(2).collect()
}

/// The program of this name, written to a file; none where it cannot run.
fn program(name: &str) -> Option<PathBuf> {
    static PYTHON: OnceLock<Result<(), String>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let check = "import sys; assert sys.version_info >= (3, 10), sys.version";
        match Command::new("python3").args(["-c", check]).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                Err(said.lines().last().unwrap_or_default().to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    });
    if let Err(reason) = python {
        skip(&format!("no Python 3.10: {reason}"));
        return None;
    }
    let head = format!("python\n# {name}\n");
    let code = blocks(ENGLISH).into_iter().find(|block| block.starts_with(&head));
    let code = code.expect("the document has the program").strip_prefix("python\n");
    let test = thread::current().name().unwrap_or_default().to_owned();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("article").join(test);
    fs::create_dir_all(&folder).expect("there is room");
    let file = folder.join(name);
    fs::write(&file, code.expect("it is Python")).expect("there is room");
    Some(file)
}

fn shown(words: &str) {
    assert!(ENGLISH.contains(words), "not shown in English: {words}");
    assert!(CHINESE.contains(words), "not shown in Chinese: {words}");
}

/// Programs against faulty servers, one for each recipe.
fn against(flag: &str, recipes: &[&str], client: &Path, lines: &[&str]) -> (Server, Vec<Program>) {
    let flags = recipes.iter().map(|recipe| format!("{flag}=127.0.0.1:0;{recipe}"));
    let flags: Vec<_> = flags.collect();
    let server = Server::start_with(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    let start = |address: &SocketAddr| Program::start(client, address.port(), lines);
    let programs = server.faults.iter().map(start).collect();
    (server, programs)
}

/// How a client ends that talks to faulty TCP servers.
fn over_tcp<const N: usize>(client: &Path, recipes: [&str; N], lines: &[&str]) -> [Ended; N] {
    let (_server, programs) = against("--fault-tcp", &recipes, client, lines);
    let ended: Vec<_> = programs.into_iter().map(Program::end).collect();
    ended.try_into().expect("as many as recipes")
}

/// How a client ends that talks to faulty UDP servers.
fn over_udp<const N: usize>(client: &Path, recipes: [&str; N], lines: &[&str]) -> [Ended; N] {
    let (_server, programs) = against("--fault-udp", &recipes, client, lines);
    let ended: Vec<_> = programs.into_iter().map(Program::end).collect();
    ended.try_into().expect("as many as recipes")
}

/// A server program, and where it listens.
fn serve(file: &Path, port: u16) -> (Program, SocketAddr) {
    let mut server = Program::start(file, port, &[]);
    let line = server.line(PATIENCE).expect("a line is printed");
    let port = line.trim_end().rsplit(' ').next().and_then(|port| port.parse().ok());
    (server, SocketAddr::from(([127, 0, 0, 1], port.expect("it says its port"))))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the system accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// What comes until a text has come.
fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let (mut come, mut buffer) = (Vec::new(), [0; 4_096]);
    while !come.ends_with(end) {
        let bytes = stream.read(&mut buffer).expect("a reply comes");
        assert!(bytes > 0, "the replies ended: {come:?}");
        come.extend(&buffer[..bytes]);
    }
    come
}

/// That a server answers a new client.
fn answers(address: SocketAddr) {
    let mut stream = connect(address);
    stream.write_all(b"hello\n").expect("it takes a line");
    assert!(is_reply(&read_until(&mut stream, b"hello\n"), b"hello\n"));
}

/// That a server answers nobody new.
fn answers_nobody(address: SocketAddr) {
    let mut stream = connect(address);
    stream.set_read_timeout(Some(FOR_EVER)).expect("a timeout");
    stream.write_all(b"hello\n").expect("the system takes a line");
    let kind = stream.read(&mut [0; 64]).expect_err("nothing comes").kind();
    assert_eq!(kind, ErrorKind::WouldBlock);
}

/// Writes until the server has read nothing for a while, and goes on to hold the connection.
fn writes_and_never_reads(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    stream.set_write_timeout(Some(FOR_EVER)).expect("a timeout");
    let lines = b"x\n".repeat(512);
    while stream.write_all(&lines).is_ok() {}
    stream
}

fn resets(address: SocketAddr) {
    let mut stream = connect(address);
    stream.write_all(b"hello\n").expect("it takes a line");
    read_until(&mut stream, b"hello\n");
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a reset instead of FIN");
}

#[test]
fn both_languages_show_the_same_programs_and_outputs() {
    assert_eq!(blocks(ENGLISH), blocks(CHINESE));
    let of = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(of(ENGLISH), of(CHINESE), "headings");
}

#[test]
fn every_recipe_is_in_the_article_and_in_the_table_of_clients() {
    for named in NAMED {
        for document in [ENGLISH, CHINESE] {
            assert!(document.contains(named.name), "{}", named.name);
        }
        let row = format!("\n| {} |", named.name);
        assert!(CLIENTS.contains(&row), "{}", named.name);
    }
}

#[test]
fn the_naive_tcp_client_takes_a_piece_for_a_reply_and_falls_behind() {
    let Some(client) = program("naive_tcp_client.py") else { return };
    let falls_behind = |ended: &Ended| {
        assert!(ended.status.success(), "{}", ended.errors);
        !ended.replies().concat().contains(']')
    };
    let recipes = ["split;seed=7", "bytewise", "drip"];
    let mut fell_behind = [false; 3];
    for _ in 0..TRIES {
        let ended = over_tcp(&client, recipes, &["hello", "again", "third"]);
        for (fell_behind, ended) in fell_behind.iter_mut().zip(&ended) {
            *fell_behind |= falls_behind(ended);
        }
        if fell_behind == [true; 3] {
            return;
        }
    }
    panic!("{recipes:?}: {fell_behind:?}");
}

#[test]
fn the_naive_tcp_client_is_well_served_if_replies_only_come_late() {
    let Some(client) = program("naive_tcp_client.py") else { return };
    for ended in over_tcp(&client, ["merged", "slow"], &["hello", "again"]) {
        let [first, second] = ended.replies()[..] else { panic!("{}", ended.output) };
        assert!(is_reply(first.as_bytes(), b"hello") && is_reply(second.as_bytes(), b"again"));
    }
}

#[test]
fn the_naive_tcp_client_takes_an_end_for_a_good_one() {
    let Some(client) = program("naive_tcp_client.py") else { return };
    for ended in over_tcp(&client, ["cut;seed=7", "half_closed;seed=7"], &["hello", "again"]) {
        let [piece] = ended.replies()[..] else { panic!("{}", ended.output) };
        assert!(piece.starts_with('[') && !piece.contains(']'), "{piece}");
        assert!(ended.status.success() && ended.errors.is_empty(), "{}", ended.errors);
    }
}

#[test]
fn the_naive_tcp_client_ends_with_the_errors_that_are_shown() {
    let Some(client) = program("naive_tcp_client.py") else { return };
    let reset = "ConnectionResetError: [Errno 104] Connection reset by peer";
    let refused = "ConnectionRefusedError: [Errno 111] Connection refused";
    let recipes = ["reset;seed=7", "reset_at_once", "refused"];
    let ended = over_tcp(&client, recipes, &["hello", "again"]);
    let ends = ended.each_ref().map(|ended| (ended.replies().len(), ended.last_words()));
    assert_eq!(ends, [(1, reset), (0, reset), (0, refused)]);
    let server = Server::start();
    let ended = Program::start(&client, server.tcp.port(), &[&long_line()]).end();
    assert!(ended.last_words().starts_with("UnicodeDecodeError"), "{}", ended.errors);
    for words in [reset, refused, ended.last_words()] {
        shown(words);
    }
}

#[test]
fn the_naive_tcp_client_waits_for_ever_for_who_is_silent() {
    let Some(client) = program("naive_tcp_client.py") else { return };
    let (_server, clients) = against("--fault-tcp", &["silent", "stalled"], &client, &["hello"]);
    for client in clients {
        assert_eq!(client.waits(), "");
    }
}

#[test]
fn the_naive_tcp_client_believes_what_it_gets() {
    let Some(client) = program("naive_tcp_client.py") else { return };
    let recipes = ["altered", "wrong_time", "other_zone"];
    for (recipe, ended) in recipes.iter().zip(over_tcp(&client, recipes, &["hello"])) {
        let [reply] = ended.replies()[..] else { panic!("{}", ended.output) };
        assert!(ended.status.success() && is_stamped(reply.as_bytes()), "{reply}");
        assert_eq!(reply.ends_with("] hello"), *recipe != "altered", "{reply}");
    }
}

#[test]
fn the_tcp_client_gets_its_replies_however_they_come() {
    let Some(client) = program("tcp_client.py") else { return };
    let recipes = ["split;seed=7", "bytewise", "merged", "slow", "drip"];
    for (recipe, ended) in recipes.iter().zip(over_tcp(&client, recipes, &["hello", "第二行"])) {
        let [first, second] = ended.replies()[..] else { panic!("{recipe}: {}", ended.output) };
        assert!(is_reply(first.as_bytes(), b"hello"), "{recipe}: {first}");
        assert!(is_reply(second.as_bytes(), "第二行".as_bytes()), "{recipe}: {second}");
        assert!(ended.status.success() && ended.errors.is_empty(), "{}", ended.errors);
    }
}

#[test]
fn the_tcp_client_says_how_a_connection_failed_and_ends() {
    let Some(client) = program("tcp_client.py") else { return };
    let midst = "the replies end in the midst of one; what had come: b'[Mon Nov 30 04'";
    shown(midst);
    let (midst, _) = midst.split_once("Mon").expect("a day");
    let (recipes, words): (Vec<_>, Vec<_>) = [
        ("cut;seed=7", midst),
        ("half_closed;seed=7", midst),
        ("reset;seed=7", "Connection reset by peer; what had come: b'["),
        ("reset_at_once", "Connection reset by peer"),
        ("refused", "Connection refused"),
        ("silent", "timed out"),
        ("stalled", "timed out"),
        ("drip=1", "timed out; what had come: b'["),
    ]
    .into_iter()
    .unzip();
    let (_server, clients) = against("--fault-tcp", &recipes, &client, &["hello", "again"]);
    for ((client, recipe), words) in clients.into_iter().zip(recipes).zip(words) {
        let ended = client.end();
        assert_eq!(ended.status.code(), Some(1), "{recipe}: {}", ended.output);
        assert!(ended.errors.contains(words), "{recipe}: {}", ended.errors);
        assert_eq!(ended.errors.lines().count(), 1, "{recipe}: {}", ended.errors);
        assert!(ended.replies().is_empty(), "{recipe}: {}", ended.output);
    }
}

#[test]
fn the_first_two_connections_are_cut_where_the_document_shows() {
    let Some(naive) = program("naive_tcp_client.py") else { return };
    let client = program("tcp_client.py").expect("Python is there");
    let (server, mut clients) = against("--fault-tcp", &["cut;seed=7"], &naive, &["hello"]);
    let piece = clients.remove(0).end();
    assert_eq!(piece.replies().first().map(|piece| piece.len()), Some("[Mon Nov".len()));
    let ended = Program::start(&client, server.faults[0].port(), &["hello"]).end();
    let (_, piece) = ended.last_words().split_once("b'").expect("bytes");
    assert_eq!(piece.len(), "[Mon Nov 30 04'".len(), "{piece}");
}

#[test]
fn the_tcp_client_does_not_write_for_ever() {
    let Some(client) = program("tcp_client.py") else { return };
    let [ended] = over_tcp(&client, ["stalled"], &[&"x".repeat(20_000_000)]);
    assert!(ended.errors.contains("timed out"), "{}", ended.errors);
}

#[test]
fn the_tcp_client_says_if_the_echo_is_not_what_it_sent() {
    let Some(client) = program("tcp_client.py") else { return };
    let words = "this is not what was sent";
    let [ended] = over_tcp(&client, ["altered"], &["hello"]);
    assert_eq!(ended.replies().last(), Some(&words), "{}", ended.output);
    let server = Server::start();
    let long = |bytes| {
        let ended = Program::start(&client, server.tcp.port(), &[&"x".repeat(bytes)]).end();
        ended.replies().last() == Some(&words)
    };
    assert!(long(1_024) && !long(1_023));
    shown(words);
}

#[test]
fn a_decoder_keeps_the_bytes_of_a_cut_character() {
    let Some(client) = program("as_it_comes.py") else { return };
    let [ended] = over_tcp(&client, ["bytewise"], &["你好，世界"]);
    let [reply] = ended.replies()[..] else { panic!("{}", ended.output) };
    assert!(is_reply(reply.as_bytes(), "你好，世界".as_bytes()), "{reply}");
}

#[test]
fn a_client_that_is_silent_or_does_not_read_keeps_the_naive_tcp_server_from_all_others() {
    let Some(file) = program("naive_tcp_server.py") else { return };
    let (_server, address) = serve(&file, 0);
    answers(address);
    let silent = connect(address);
    answers_nobody(address);
    drop(silent);
    let (_server, address) = serve(&file, 0);
    let _holds = writes_and_never_reads(address);
    answers_nobody(address);
}

#[test]
fn the_naive_tcp_server_ends_with_a_client_that_does_harm() {
    type Harm = (&'static str, fn(SocketAddr));
    let Some(file) = program("naive_tcp_server.py") else { return };
    let harms: [Harm; 4] = [
        ("UnicodeDecodeError", |at| connect(at).write_all(b"\xff").expect("a byte goes out")),
        ("UnicodeDecodeError", |at| {
            connect(at).write_all(long_line().as_bytes()).expect("a line goes out");
        }),
        ("ConnectionResetError", |at| {
            let mut stream = connect(at);
            stream.write_all(b"hello").expect("a line goes out");
            stream.peek(&mut [0]).expect("a reply comes");
        }),
        ("ConnectionResetError", resets),
    ];
    for (error, harm) in harms {
        let (server, address) = serve(&file, 0);
        harm(address);
        let ended = server.end();
        assert!(ended.last_words().starts_with(error), "{}", ended.errors);
        assert_eq!(ended.status.code(), Some(1));
        shown(error);
    }
}

#[test]
fn the_naive_tcp_server_answers_pieces_of_a_line_and_the_other_one_lines() {
    let pieces = |address, first_is_answered: bool| {
        let mut stream = connect(address);
        stream.set_nodelay(true).expect("no delay");
        stream.write_all(b"hel").expect("a piece goes out");
        if first_is_answered {
            assert!(is_reply(&read_until(&mut stream, b"hel"), b"hel"));
        }
        stream.write_all(b"lo\n").expect("a piece goes out");
        read_until(&mut stream, b"lo\n")
    };
    let Some(naive) = program("naive_tcp_server.py") else { return };
    let (_server, address) = serve(&naive, 0);
    assert!(is_reply(&pieces(address, true), b"lo\n"));
    let file = program("tcp_server.py").expect("Python is there");
    let (_server, address) = serve(&file, 0);
    assert!(is_reply(&pieces(address, false), b"hello\n"));
    // Nor is a line answered that has no end.
    let mut stream = connect(address);
    stream.write_all(b"hello\nhel").expect("a line goes out");
    read_until(&mut stream, b"hello\n");
    stream.shutdown(std::net::Shutdown::Write).expect("it is connected");
    assert_eq!(stream.read(&mut [0; 64]).expect("an end"), 0);
}

#[test]
fn no_client_keeps_the_tcp_server_from_the_others() {
    let Some(file) = program("tcp_server.py") else { return };
    let (server, address) = serve(&file, 0);
    let mut silent = connect(address);
    let _holds = writes_and_never_reads(address);
    answers(address);
    let mut stream = connect(address);
    stream.write_all(b"\xff\n").expect("a line goes out");
    assert!(is_reply(&read_until(&mut stream, b"\xff\n"), b"\xff\n"));
    let mut stream = connect(address);
    stream.write_all(format!("{}\n", long_line()).as_bytes()).expect("a line goes out");
    assert_eq!(stream.read(&mut [0; 64]).expect("an end"), 0, "a line above the limit");
    resets(address);
    answers(address);
    // After its patience it lets go of who is silent.
    silent.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    assert_eq!(silent.read(&mut [0; 64]).expect("an end"), 0);
    answers(address);
    drop(server);
}

#[test]
fn clients_and_servers_get_on_if_they_agree() {
    for (client, server) in [
        ("naive_tcp_client.py", "naive_tcp_server.py"),
        ("tcp_client.py", "tcp_server.py"),
        ("naive_udp_client.py", "naive_udp_server.py"),
        ("udp_client.py", "udp_server.py"),
    ] {
        let (Some(client), Some(server)) = (program(client), program(server)) else { return };
        let (_server, address) = serve(&server, 0);
        let ended = Program::start(&client, address.port(), &["hello", "again"]).end();
        assert!(
            ended.status.success() && ended.replies().len() == 2,
            "{client:?} {}",
            ended.output
        );
        if client.ends_with("udp_client.py") {
            assert!(ended.replies().iter().all(|reply| reply.ends_with(" with echo")));
        }
    }
    let (Some(naive), Some(file)) = (program("naive_tcp_client.py"), program("tcp_server.py"))
    else {
        return;
    };
    let (_server, address) = serve(&file, 0);
    assert_eq!(Program::start(&naive, address.port(), &["hello"]).waits(), "");
}

#[test]
fn the_naive_udp_client_waits_for_ever_for_what_is_lost_or_refused() {
    let Some(client) = program("naive_udp_client.py") else { return };
    let recipes = ["mute", "lossy;seed=7", "closed"];
    let (_server, clients) = against("--fault-udp", &recipes, &client, &["hello", "again"]);
    for (client, recipe) in clients.into_iter().zip(recipes) {
        assert_eq!(client.waits(), "", "{recipe}");
    }
}

#[test]
fn the_naive_udp_client_takes_whatever_comes() {
    let Some(client) = program("naive_udp_client.py") else { return };
    let doubled = "duplicate=100;stamp=wrong;seed=7";
    shown(doubled);
    let recipes = [doubled, "truncate=3", "truncate=0", "late;seed=7", "reordered;seed=7"];
    let ended = over_udp(&client, recipes, &["one", "two", "three"]);
    let [doubled, three_bytes, empty, late, reordered] = &ended;
    let [one, two, three] = doubled.replies()[..] else { panic!("{}", doubled.output) };
    assert!(one == two && two != three, "{}", doubled.output);
    assert!(three_bytes.replies().iter().all(|piece| piece.len() == 3), "{}", three_bytes.output);
    assert!(empty.replies().is_empty() && empty.status.success(), "{}", empty.output);
    for ended in [late, reordered] {
        let replies = ended.replies();
        let are_times = replies.iter().all(|reply| is_ctime(reply.as_bytes()));
        assert!(are_times && replies.len() == 3, "{}", ended.output);
    }
}

#[test]
fn the_naive_udp_client_turns_to_a_stranger() {
    let Some(client) = program("naive_udp_client.py") else { return };
    let (_server, mut clients) = against("--fault-udp", &["stranger"], &client, &["one", "two"]);
    let turned = clients.remove(0).waits();
    assert_eq!(turned.lines().count(), 1, "{turned}");
}

#[test]
fn the_udp_client_asks_again_and_gives_up_in_the_end() {
    let Some(client) = program("udp_client.py") else { return };
    let recipes = ["lossy;seed=7", "doubled;seed=7", "reordered;seed=7", "late;seed=7"];
    let gives_up = ["mute", "stranger", "short"];
    let all = [&recipes[..], &gives_up[..]].concat();
    // With this seed, the first reply is lost.
    let (_server, clients) = against("--fault-udp", &all, &client, &["one"]);
    for (recipe, client) in all.into_iter().zip(clients) {
        let ended = client.end();
        let [reply] = ended.replies()[..] else { panic!("{recipe}: {}", ended.output) };
        if gives_up.contains(&recipe) {
            assert_eq!(reply, "no reply that can be used, 4 questions were sent", "{recipe}");
        } else {
            let time = reply.strip_suffix(" without echo").expect("there is none");
            assert!(is_ctime(time.as_bytes()), "{recipe}: {reply}");
        }
    }
}

#[test]
fn the_udp_client_is_told_that_nobody_listens() {
    let Some(client) = program("udp_client.py") else { return };
    let [ended] = over_udp(&client, ["closed"], &["one"]);
    assert!(ended.errors.contains("[Errno 111] Connection refused"), "{}", ended.errors);
    shown("[Errno 111] Connection refused");
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn the_udp_client_never_takes_a_copy_for_the_next_reply() {
    let Some(client) = program("udp_client.py") else { return };
    let lines = ["one", "two", "three", "four", "five"];
    let [ended] = over_udp(&client, ["duplicate=100;stamp=wrong;seed=7"], &lines);
    let mut replies = ended.replies();
    replies.sort_unstable();
    replies.dedup();
    assert_eq!(replies.len(), lines.len(), "{}", ended.output);
}

fn asks(socket: &UdpSocket, question: &[u8], address: SocketAddr) -> Vec<u8> {
    socket.send_to(question, address).expect("loopback takes it");
    let mut reply = [0; 4_096];
    let bytes = socket.recv(&mut reply).expect("a reply comes");
    reply[..bytes].to_vec()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket
}

#[test]
fn the_naive_udp_server_answers_everything_and_the_other_one_questions() {
    let Some(naive) = program("naive_udp_server.py") else { return };
    let (_server, address) = serve(&naive, 0);
    for bytes in [&b""[..], b"\xff", &[b'x'; 60_000]] {
        assert!(is_ctime(&asks(&socket(), bytes, address)));
    }
    let file = program("udp_server.py").expect("Python is there");
    let (_server, address) = serve(&file, 0);
    let socket = socket();
    for bytes in [&b""[..], b"\xff", b"Mon Nov 30 04:33:33 2026"] {
        socket.send_to(bytes, address).expect("loopback takes it");
    }
    let reply = asks(&socket, b"?\xff", address);
    assert!(is_ctime(&reply[..24]) && &reply[24..] == b" ?\xff", "{reply:?}");
}

/// How many replies a second server sends that a question to the first one seems to come from, at most `most`.
fn between_two(file: &Path, question: &[u8], most: usize) -> usize {
    let (first, address) = serve(file, 0);
    first.signal("-STOP");
    let forged = socket();
    forged.send_to(question, address).expect("loopback takes it");
    let port = forged.local_addr().expect("it is bound").port();
    drop(forged);
    let (mut second, _) = serve(file, port);
    first.signal("-CONT");
    (0..most).take_while(|_| second.line(PATIENCE).is_some()).count()
}

#[test]
fn two_naive_udp_servers_answer_each_other_for_ever() {
    let Some(naive) = program("naive_udp_server.py") else { return };
    assert_eq!(between_two(&naive, b"hello", 1_000), 1_000);
}

#[test]
fn two_udp_servers_have_nothing_to_say_to_each_other() {
    let Some(file) = program("udp_server.py") else { return };
    let (_first, first) = serve(&file, 0);
    let (_second, second) = serve(&file, 0);
    let socket = socket();
    let reply = asks(&socket, b"?hello", first);
    // What the second one would get if the question had seemed to come from it.
    socket.send_to(&reply, second).expect("loopback takes it");
    assert!(asks(&socket, b"?again", second).ends_with(b" ?again"));
}
