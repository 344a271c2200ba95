//! How a server gets to the NATS that it shares its rooms through, and what happens to what that has no room for.
// nats-server is Debian's.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use async_nats::jetstream::{self, stream};
use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};
use streamgram_protocol::Code;
use streamgram_protocol::room::{Stage, StoreState};
use streamgram_tests::{Class, Member, Nats, PATIENCE, Page, Server, binary, make_certificate};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::ChildStderr;
use tokio::time::timeout;

const CHOICES: u8 = 3;

fn below() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// A folder for files of this test; the next run of it has the same.
fn folder(name: &str) -> PathBuf {
    let folder = below().join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The certificate and the key for this name, each as a file in a folder of its own.
fn certificate(folder: &Path, name: &str) -> [String; 2] {
    let folder = folder.join(name);
    make_certificate(&folder, name);
    ["fullchain.pem", "privkey.pem"].map(|file| folder.join(file).display().to_string())
}

async fn is(member: &Member, store: StoreState) {
    member.until(|page| page.state.as_ref().is_some_and(|state| state.store == store)).await;
}

/// Servers with these flags have the same rooms. Those with others stay alone.
async fn only_with(flags: &[&str], strangers: &[&[&str]]) {
    let [one, other] = [(); 2].map(|()| Server::start_with(flags));
    let mut class = Class::open(one.http, 1).await;
    is(&class.teacher, StoreState::Shared).await;
    class.grow(other.http, 2).await;
    for member in class.all() {
        is(member, StoreState::Shared).await;
    }
    class.lead(CHOICES).await;
    for flags in strangers {
        let alone = Server::start_with(flags);
        let member = Member::join(alone.http, class.code());
        member.until(|page| page.problems.len() > 1).await;
        assert!(member.look(|page| page.problems.iter().all(|it| it.code == Code::StoreAway)));
    }
}

#[tokio::test]
async fn nats_is_reached_over_tls_with_a_password_and_not_without() {
    let [certificate, key] = certificate(&folder("nats-password"), "127.0.0.1");
    let nats = Nats::start_with(
        below(),
        &["--tls", "--tlscert", &certificate, "--tlskey", &key, "--user", "me", "--pass", "secret"],
    );
    let ca = format!("--nats-ca={certificate}");
    let [known, wrong] = ["secret", "wrong"].map(|it| format!("--nats=tls://me:{it}@{}", nats.at));
    // Whom it does not trust, and who is not trusted.
    only_with(&[&known, &ca], &[&[&known], &[&wrong, &ca]]).await;
}

#[tokio::test]
async fn nats_is_reached_with_a_certificate_that_it_knows_and_not_without() {
    let folder = folder("nats-certificates");
    let [of_nats, its_key] = certificate(&folder, "127.0.0.1");
    let [known, stranger] = ["known", "stranger"].map(|name| certificate(&folder, name));
    let nats = Nats::start_with(
        below(),
        &["--tlsverify", "--tlscacert", &known[0], "--tlscert", &of_nats, "--tlskey", &its_key],
    );
    let (url, ca) = (format!("--nats=tls://{}", nats.at), format!("--nats-ca={of_nats}"));
    let shown = |[certificate, key]: [String; 2]| {
        [format!("--nats-cert={certificate}"), format!("--nats-key={key}")]
    };
    let [known, stranger] = [known, stranger].map(shown);
    only_with(
        &[&url, &ca, &known[0], &known[1]],
        &[&[&url, &ca], &[&url, &ca, &stranger[0], &stranger[1]]],
    )
    .await;
}

/// A JSON Web Token as NATS has it: what one key says of another.
fn token(signer: &KeyPair, of: &KeyPair, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let (iss, sub) = (signer.public_key(), of.public_key());
    let payload =
        json!({"jti": sub, "iat": 0, "iss": iss, "sub": sub, "name": sub, "nats": claims});
    let signed =
        format!("{}.{}", part(&json!({"typ": "JWT", "alg": "ed25519-nkey"})), part(&payload));
    let signature = signer.sign(signed.as_bytes()).expect("it has the private key");
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// A file with the token of a new user of this account, and the key to it.
fn credentials(folder: &Path, name: &str, account: &KeyPair) -> String {
    let user = KeyPair::new_user();
    let claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let (token, seed) =
        (token(account, &user, &claims), user.seed().expect("it has the private key"));
    let part = |what: &str, text: &str| {
        format!("-----BEGIN {what}-----\n{text}\n------END {what}------\n\n")
    };
    let file = folder.join(name);
    fs::write(&file, part("NATS USER JWT", &token) + &part("USER NKEY SEED", &seed))
        .expect("the folder is there");
    file.display().to_string()
}

#[tokio::test]
async fn nats_is_reached_with_credentials_and_not_without() {
    let folder = folder("nats-credentials");
    let operator = KeyPair::new_operator();
    let [system, account] = [(); 2].map(|()| KeyPair::new_account());
    let limits = json!({
        "subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1,
        "wildcards": true, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let rooms = json!({"type": "account", "version": 2, "limits": limits});
    let text = format!(
        "operator: {}\nresolver: MEMORY\nsystem_account: {}\nresolver_preload: {{ {}: {}, {}: {} }}\n",
        token(&operator, &operator, &json!({"type": "operator", "version": 2})),
        system.public_key(),
        system.public_key(),
        token(&operator, &system, &json!({"type": "account", "version": 2})),
        account.public_key(),
        token(&operator, &account, &rooms),
    );
    let configuration = folder.join("nats.conf");
    fs::write(&configuration, text).unwrap();
    let nats = Nats::start_with(below(), &["--config", &configuration.display().to_string()]);
    let url = format!("--nats={}", nats.url());
    let [known, stranger] = [("known", account), ("stranger", KeyPair::new_account())]
        .map(|(name, account)| format!("--nats-creds={}", credentials(&folder, name, &account)));
    only_with(&[&url, &known], &[&[&url], &[&url, &stranger]]).await;
}

/// Waits until the log of a server says something.
async fn logs(server: &mut Server, what: &str) {
    let log = ChildStderr::from_std(server.stderr().expect("a pipe")).expect("a pipe");
    let mut lines = BufReader::new(log).lines();
    let said = async {
        while !lines
            .next_line()
            .await
            .expect("a log is text")
            .expect("the server runs")
            .contains(what)
        {}
    };
    timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("the log does not say {what}"));
}

#[tokio::test]
async fn what_does_not_fit_is_not_counted_and_the_page_says_so_until_there_is_room() {
    let nats = Nats::start(below());
    let flags = [&format!("--nats={}", nats.url()), "--nats-mib=1"];
    let mut command = Command::new(binary());
    command.args(flags).stderr(Stdio::piped());
    let (mut one, other) = (Server::spawn(command), Server::start_with(&flags));
    let mut class = Class::open(one.http, 1).await;
    is(&class.teacher, StoreState::Shared).await;
    class.grow(other.http, 3).await;
    class.lead(CHOICES).await;
    class.stage(Stage::Predict).await;
    for member in &class.members[1..] {
        member.vote(1);
        member.is_counted().await;
    }
    // From then on each server repeats what the other knows.
    for member in class.all() {
        member.until(|page| page.state.as_ref().is_some_and(|state| state.here == 3)).await;
    }

    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let mut bucket = jetstream.get_stream("KV_streamgram_rooms").await.unwrap();
    let info = bucket.info().await.unwrap().clone();
    assert_eq!(info.config.max_bytes, 1 << 20);
    let full = i64::try_from(info.state.bytes).unwrap();
    let here = [&class.teacher, &class.members[0]];
    let before = here.map(|member| member.look(|page| page.stores.len()));
    jetstream
        .update_stream(stream::Config { max_bytes: full, ..info.config.clone() })
        .await
        .unwrap();
    class.members[0].vote(2);
    for member in here {
        is(member, StoreState::Cut).await;
    }
    logs(&mut one, "maximum bytes exceeded").await;
    class.teacher.look(|page| assert_eq!(page.state.as_ref().unwrap().given.before, 3));
    class.members[0].look(|page| assert!(page.kept().is_empty(), "{page:#?}"));

    jetstream.update_stream(info.config).await.unwrap();
    class.is_counted().await;
    for member in class.all() {
        is(member, StoreState::Shared).await;
    }
    for (member, before) in here.into_iter().zip(before) {
        let since = member.look(|page| page.stores[before..].to_vec());
        assert_eq!(since, [StoreState::Cut, StoreState::Shared]);
    }
    // This one knows what is in the bucket, and nothing else.
    let third = Server::start_with(&flags);
    let key = class.teacher.look(|page| page.key.clone());
    let teacher = Member::join_as(third.http, class.code(), None, key);
    let (_, own) = class.own(CHOICES);
    assert_eq!(own.before, [0, 2, 1]);
    let pooled = |page: &Page| page.state.as_ref().and_then(|state| state.pooled.clone());
    teacher.until(|page| pooled(page).as_ref() == Some(&own)).await;
}
