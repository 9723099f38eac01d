use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Client, Commands, FromRedisValue, RedisResult, cmd};

use super::{install, is_on, say};

/// A server of Redis or Valkey that this machine can run.
#[derive(Clone, Debug)]
pub struct RedisKind {
    name: &'static str,
    program: PathBuf,
    folder: PathBuf,
}

/// A server of its own, on a port that was free. It ends with this value, or with the process.
#[derive(Debug)]
pub struct RedisServer {
    kind: RedisKind,
    arguments: Vec<String>,
    port: u16,
    folder: PathBuf,
    /// The shell that ends the server when its input ends.
    shell: Child,
    pid: String,
}

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Prints the id of the server, and ends it when the input ends, for whatever reason.
const WATCH: &str =
    r#""$@" >"$LOG" 2>&1 </dev/null & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null; wait"#;

impl RedisKind {
    /// Returns all that this machine can run; none if emulators are turned off.
    ///
    /// # Panics
    ///
    /// Panics if the tools that install them cannot be installed.
    #[must_use]
    pub fn all() -> Vec<Self> {
        static ALL: OnceLock<Result<Vec<RedisKind>, String>> = OnceLock::new();

        let all = ALL.get_or_init(|| {
            if !is_on("Redis and Valkey")? {
                return Ok(Vec::new());
            }
            let tools = install::tools()?;
            let (found, missing) = tools.redis_servers();
            for problem in missing {
                say(&format!("the tests on one server are left out: {problem}"));
            }
            let folder = tools.log("redis").with_extension("d");
            let kind = |(name, program)| RedisKind { name, program, folder: folder.clone() };
            Ok(found.into_iter().map(kind).collect())
        });
        all.clone().unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// Returns the first of them.
    #[must_use]
    pub fn first() -> Option<Self> {
        Self::all().into_iter().next()
    }

    /// Returns its name, for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Starts a server that keeps nothing on disk, with these arguments after its own.
    ///
    /// # Panics
    ///
    /// Panics if it does not start.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> RedisServer {
        self.start_with(|| arguments.iter().map(|&argument| argument.to_owned()).collect())
    }

    /// Returns true if it can start a node of a cluster. Servers before Redis 7 cannot choose the port
    /// between the nodes.
    #[must_use]
    pub fn has_clusters(&self) -> bool {
        self.name != "Redis 6"
    }

    /// Starts a node of a cluster, which knows no other and has no slots yet.
    ///
    /// # Panics
    ///
    /// Panics if it does not start.
    #[must_use]
    pub fn start_node(&self) -> RedisServer {
        let options = ["--cluster-enabled", "yes", "--cluster-port"];
        self.start_with(|| {
            let options = options.iter().map(|&option| option.to_owned());
            options.chain([free_port().to_string()]).collect()
        })
    }

    fn start_with(&self, arguments: impl Fn() -> Vec<String>) -> RedisServer {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let mut problem = String::new();
        for _ in 0..3 {
            let folder = self.folder.join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
            fs::create_dir_all(&folder).expect("the target directory can be written");
            // If another process takes a port before the server does, the next attempt has others.
            match RedisServer::run(self, &arguments(), free_port(), folder) {
                Ok(server) => return server,
                Err(log) => problem = log,
            }
        }
        panic!("{} does not start: {problem}", self.name);
    }
}

impl RedisServer {
    fn run(
        kind: &RedisKind,
        arguments: &[String],
        port: u16,
        folder: PathBuf,
    ) -> Result<Self, String> {
        let log = folder.join("log");
        let mut command = Command::new("sh");
        command.args(["-c", WATCH, "sh"]).arg(&kind.program).env("LOG", &log);
        command.args(["--bind", "127.0.0.1", "--save", "", "--dir"]).arg(&folder);
        let port_of = if has_tls(arguments) { "--tls-port" } else { "--port" };
        command.args(["--port", "0", port_of, &port.to_string()]).args(arguments);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut shell = spawned.map_err(|error| error.to_string())?;
        let mut pid = String::new();
        let stdout = shell.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut pid).map_err(|error| error.to_string())?;
        let server = Self {
            kind: kind.clone(),
            arguments: arguments.to_vec(),
            port,
            folder,
            shell,
            pid: pid.trim().to_owned(),
        };
        if server.answers() { Ok(server) } else { Err(fs::read_to_string(log).unwrap_or_default()) }
    }

    /// Waits until it answers, with an error or without.
    fn answers(&self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && self.is_alive() {
            let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
                if has_tls(&self.arguments) {
                    // Without a client for TLS, an open port suffices.
                    return Ok(b'+');
                }
                stream.write_all(b"PING\r\n")?;
                let mut first = [0; 5];
                stream.read_exact(&mut first)?;
                Ok(if &first == b"-LOAD" { 0 } else { first[0] })
            });
            if matches!(asked, Ok(b'+' | b'-')) {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    fn is_alive(&self) -> bool {
        self.signal("-0")
    }

    fn signal(&self, signal: &str) -> bool {
        let kill = Command::new("kill").args([signal, &self.pid]).stderr(Stdio::null()).status();
        kill.is_ok_and(|status| status.success())
    }

    /// Returns its name, for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// Returns its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns its URL, without a user.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Lets a node of a cluster meet another one, and through it all that this one knows.
    ///
    /// # Panics
    ///
    /// Panics if the other is not a node of a cluster.
    pub fn meet(&self, other: &Self) {
        let port = other.port.to_string();
        let bus = other.arguments.last().expect("it is a node of a cluster");
        self.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]);
    }

    /// Kills it.
    pub fn kill(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }

    /// Kills it and starts it again, on the same port and in the same folder.
    ///
    /// # Panics
    ///
    /// Panics if it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let folder = self.folder.clone();
        let again = Self::run(&self.kind, &self.arguments, self.port, folder);
        let mut again = again.unwrap_or_else(|log| panic!("{} starts again: {log}", self.name()));
        std::mem::swap(self, &mut again);
        // The folder is that of the new one.
        again.folder = PathBuf::new();
    }

    /// Pauses it: it keeps its connections, and does not answer.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Resumes it after a pause.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Sends a command of the test, such as `SET key value`.
    ///
    /// # Panics
    ///
    /// Panics if it fails.
    #[expect(clippy::must_use_candidate, reason = "many replies have no content")]
    pub fn command<T: FromRedisValue>(&self, parts: &[&str]) -> T {
        let reply: RedisResult<T> = self.connection().and_then(|mut connection| {
            let (name, arguments) = parts.split_first().expect("it has a name");
            cmd(name).arg(arguments).query(&mut connection)
        });
        reply.unwrap_or_else(|error| panic!("{parts:?} on {}: {error}", self.name()))
    }

    /// Returns what a server with `--appendonly yes` has logged, which is what its replicas receive too.
    ///
    /// # Panics
    ///
    /// Panics if there is no log.
    #[must_use]
    pub fn append_only_file(&self) -> String {
        let folder = self.folder.join("appendonlydir");
        // Servers before Redis 7 have one file.
        let folder = if folder.is_dir() { folder } else { self.folder.clone() };
        let files = fs::read_dir(folder).expect("the server has a folder").flatten();
        let logs =
            files.map(|file| file.path()).filter(|path| path.extension() == Some("aof".as_ref()));
        let text = logs.map(|path| fs::read(path).expect("the log can be read"));
        text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// Returns the first two numbers of the version of Redis with which it is compatible.
    ///
    /// # Panics
    ///
    /// Panics if it does not reveal them.
    #[must_use]
    pub fn version(&self) -> (u32, u32) {
        let info = self.command::<String>(&["INFO", "server"]);
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let mut numbers = version.unwrap_or_default().split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            _ => panic!("no version in {info}"),
        }
    }

    /// Returns the value of a key, if it has one.
    ///
    /// # Panics
    ///
    /// Panics if it is not a string.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        let value = self.connection().and_then(|mut connection| connection.get(key));
        value.unwrap_or_else(|error| panic!("{key} on {}: {error}", self.name()))
    }

    fn connection(&self) -> RedisResult<redis::Connection> {
        Client::open(self.url())?.get_connection()
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    free.expect("there is a free port").port()
}

fn has_tls(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument.starts_with("--tls"))
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        if !self.folder.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
