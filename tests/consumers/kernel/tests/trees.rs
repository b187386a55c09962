//! What the three consumers depend on: no Python, no Polars where there is none, nothing where nothing is asked for.
//!
//! Reads the lock file and what a build of the consumers has fetched, and nothing from the network.

use std::process::Command;

/// The names of all the crates under a consumer, itself included.
fn crates(consumer: &str) -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            consumer,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&tree.stderr);
    assert!(
        tree.status.success(),
        "{errors}\n`cargo fetch` first, if a crate is missing"
    );
    let tree = String::from_utf8(tree.stdout).expect("names of crates");
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn a_lazy_consumer_has_no_python() {
    let crates = crates("consumer-lazy");
    assert!(crates.iter().any(|name| name == "polars-lazy"), "{crates:?}");
    let python: Vec<_> = crates
        .iter()
        .filter(|name| name.contains("pyo3") || name.contains("python"))
        .collect();
    assert!(python.is_empty(), "{python:?}");
}

#[test]
fn an_arrow_consumer_has_no_polars() {
    let crates = crates("consumer-arrow");
    assert!(crates.iter().any(|name| name == "arrow-array"), "{crates:?}");
    let polars: Vec<_> = crates.iter().filter(|name| name.contains("polars")).collect();
    assert_eq!(polars, ["polars-grad"]);
}

#[test]
fn a_kernel_consumer_has_next_to_nothing() {
    assert_eq!(
        crates("consumer-kernel"),
        ["consumer-kernel", "num-traits", "polars-grad"]
    );
}
