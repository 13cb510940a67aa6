//! The README's walk with curl, word for word: its `sh` blocks in one session of bash, what each prints held against
//! the block that follows it.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use daybook_e2e::{Options, Server, daybook};

use crate::desk;

/// A command of the walk and what it prints; `…` stands for anything.
struct Step {
    command: String,
    expected: String,
    /// Long answers are folded for the reader, so line ends and what stands before a line's first letter mean nothing.
    is_folded: bool,
}

#[tokio::test]
async fn the_walk_in_the_readme_does_what_it_says() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let steps = steps(&fs::read_to_string(readme).unwrap());
    assert!(steps.len() >= 10, "only {} steps were found", steps.len());

    // The walk is taken in the repository: data in `data`, the executable in `target/debug`.
    let repository = tempfile::tempdir().unwrap();
    fs::create_dir_all(repository.path().join("target/debug")).unwrap();
    symlink(daybook(), repository.path().join("target/debug/daybook")).unwrap();
    let server = Server::start(&repository.path().join("data"), &Options::default()).await;

    let end = |number: usize| format!("---- the end of step {number} ----");
    let mut session = String::from("exec 2>&1\n");
    for (number, step) in steps.iter().enumerate() {
        session.push_str(&format!("{}\necho '{}'\n", step.command, end(number)));
    }
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(session).current_dir(repository.path()).env("DAYBOOK", server.base());
    let printed = tokio::task::spawn_blocking(move || desk::ran(&mut bash)).await.unwrap().out;

    let mut rest = printed.as_str();
    for (number, Step { command, expected, is_folded }) in steps.iter().enumerate() {
        let (found, after) = rest.split_once(&format!("{}\n", end(number))).unwrap();
        rest = after;
        let read = |text: &str| match is_folded {
            true => text.lines().map(str::trim).collect::<String>(),
            false => text.trim_end().to_owned(),
        };
        let (found, expected) = (read(found), read(expected));
        assert!(fits(&found, &expected), "\n{command}\nprinted\n{found}\nwhere the README has\n{expected}");
    }
}

fn steps(readme: &str) -> Vec<Step> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push((language, block.join("\n")));
    }
    let mut steps = Vec::new();
    let mut blocks = blocks.into_iter();
    while let Some((language, command)) = blocks.next() {
        if language != "sh" {
            continue;
        }
        let Some((language @ ("text" | "json"), expected)) = blocks.next() else {
            panic!("nothing says what this prints:\n{command}");
        };
        steps.push(Step { command, expected, is_folded: language == "json" });
    }
    steps
}

/// Whether the text is the pattern with something in the place of each `…`.
fn fits(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[test]
fn a_pattern_fits_what_it_stands_for_only() {
    for (text, pattern, expected) in [
        ("abc", "abc", true),
        ("abc", "ab", false),
        ("abc", "a…c", true),
        ("abc", "a…d", false),
        ("abc", "…", true),
        ("abcabc", "a…c", true),
        ("ab", "ab…b", false),
        ("a1b2c", "a…b…c", true),
        ("a1b2c3", "a…b…c", false),
    ] {
        assert_eq!(fits(text, pattern), expected, "{text:?} {pattern:?}");
    }
}
