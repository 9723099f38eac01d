//! The programs that are measured, and how they are built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    binary: &'static str,
    features: &'static str,
    /// What is set where it is built.
    build_env: &'static [(&'static str, &'static str)],
}

const OURS: Variant = Variant { name: "", binary: "ours", features: "ring", build_env: &[] };

const LEAN: Variant = Variant { name: "ours, lean", binary: "lean", features: "lean", ..OURS };

/// The first is what the others are compared with.
pub(crate) const VARIANTS: [Variant; 17] = [
    Variant {
        name: "by hand, SDK defaults",
        binary: "by-hand-defaults",
        features: "by-hand-defaults",
        ..OURS
    },
    Variant { name: "by hand, ring", binary: "by-hand-ring", features: "by-hand-ring", ..OURS },
    Variant { name: "ours, ring", ..OURS },
    Variant { name: "ours, ring, warm-up", features: "ring,warm-up", ..OURS },
    Variant { name: "ours, ring, our logs", features: "ring,logs", ..OURS },
    LEAN,
    Variant { name: "ours, lean, our logs", features: "lean,logs", ..LEAN },
    Variant { name: "ours, lean, warm-up", features: "lean,warm-up", ..LEAN },
    // What the settings of a release build change. Their names match `lean`, which they are compared with.
    Variant { name: "ours, lean, one thread", features: "lean,one-thread", ..LEAN },
    Variant {
        name: "ours, lean, fat LTO",
        build_env: &[("CARGO_PROFILE_RELEASE_LTO", "fat")],
        ..LEAN
    },
    Variant {
        name: "ours, lean, opt-level s",
        build_env: &[("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s")],
        ..LEAN
    },
    Variant {
        name: "ours, lean, opt-level z",
        build_env: &[("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")],
        ..LEAN
    },
    Variant {
        name: "ours, lean, non-PIE",
        build_env: &[("RUSTFLAGS", "-C relocation-model=static")],
        ..LEAN
    },
    Variant { name: "ours, AWS-LC", features: "aws-lc", ..OURS },
    Variant { name: "ours, AWS-LC, warm-up", features: "aws-lc,warm-up", ..OURS },
    Variant {
        name: "ours, AWS-LC without jitter entropy",
        features: "aws-lc",
        build_env: &[("AWS_LC_SYS_NO_JITTER_ENTROPY", "1")],
        ..OURS
    },
    Variant { name: "ours, FIPS", features: "fips", ..OURS },
];

impl Variant {
    /// Builds the program as it would be deployed, and says where it is.
    ///
    /// # Errors
    ///
    /// Returns the last lines of Cargo if it cannot be built: FIPS needs Go and CMake.
    pub(crate) fn build(&self) -> Result<PathBuf, String> {
        let target = target().join("coldstart");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "--package", "coldstart", "--bin", self.binary]);
        cargo.args(["--features", self.features, "--target-dir"]).arg(&target);
        cargo.envs(self.build_env.iter().copied());
        let output = cargo.output().map_err(|error| format!("cannot start cargo: {error}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<_> = text.lines().collect();
            return Err(lines[lines.len().saturating_sub(12)..].join("\n"));
        }

        // The next variant has the same name and another content.
        let programs = target.join("programs");
        let program = programs.join(self.name.replace([' ', ','], "-"));
        std::fs::create_dir_all(&programs)
            .and_then(|()| std::fs::copy(target.join("release").join(self.binary), &program))
            .map_err(|error| format!("cannot keep {}: {error}", program.display()))?;
        Ok(program)
    }
}

/// Where Cargo builds this workspace.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target"),
    }
}
