use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

/// The executable beside the running test; built first where it is missing or older than what it is made of.
/// `DAYBOOK_EXECUTABLE` names another one, which is used as it is.
pub fn daybook() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| env::var_os("DAYBOOK_EXECUTABLE").map_or_else(built, PathBuf::from))
}

fn built() -> PathBuf {
    let test = env::current_exe().expect("a test knows where it runs from");
    // Tests lie in `target/<profile>/deps`, executables one above.
    let directory = test.parent().and_then(Path::parent).expect("a test lies two directories deep");
    let executable = directory.join("daybook");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace");
    let is_fresh = changed_at(&executable)
        .is_some_and(|built_at| newest_source(workspace).is_ok_and(|changed_at| changed_at <= built_at));
    if !is_fresh {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "-p", "daybook"]).current_dir(workspace);
        if directory.file_name().is_some_and(|profile| profile == "release") {
            build.arg("--release");
        }
        let built = build.status().expect("cargo can be started");
        assert!(built.success(), "daybook could not be built");
    }
    executable
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// When the sources of the crates were last changed; tests do not count.
fn newest_source(workspace: &Path) -> io::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut directories = Vec::new();
    for entry in fs::read_dir(workspace)? {
        let sources = entry?.path().join("src");
        if sources.is_dir() && !sources.starts_with(env!("CARGO_MANIFEST_DIR")) {
            directories.push(sources);
        }
    }
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                newest = newest.max(fs::metadata(&path)?.modified()?);
            }
        }
    }
    Ok(newest)
}
