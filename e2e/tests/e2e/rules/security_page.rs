//! `docs/security.md` names tests that exist, and answers every requirement of its chapters once.

use std::fs;
use std::path::Path;

/// The chapters of OWASP ASVS 5.0 that the page answers, with the number of requirements in each of
/// their sections.
const CHAPTERS: [(u32, &[u32]); 8] = [
    (6, &[3, 12, 8, 6, 8, 4, 2, 4]),
    (7, &[3, 4, 2, 5, 3, 2]),
    (8, &[4, 4, 3, 2]),
    (9, &[3, 4]),
    (10, &[2, 3, 5, 16, 5, 2, 3]),
    (13, &[4, 6, 4, 7]),
    (14, &[2, 8, 3]),
    (16, &[1, 5, 4, 3, 4]),
];

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn page() -> String {
    fs::read_to_string(repository().join("docs/security.md")).unwrap()
}

/// The path of a test, such as `rules/races.rs::one_wins`: a file, in `e2e/tests/e2e` or from the
/// root of the repository on, and what is defined in it.
fn is_there(path: &str) -> bool {
    let (file, name) = path.split_once("::").unwrap();
    let root = repository();
    let places = [root.join("e2e/tests/e2e").join(file), root.join(file)];
    let text = places.iter().find_map(|it| fs::read_to_string(it).ok()).unwrap_or_default();
    ["fn ", "def "].iter().any(|word| text.contains(&format!("{word}{name}(")))
}

#[test]
fn every_test_that_the_page_about_security_names_exists() {
    let page = page();
    let paths: Vec<_> = page.split('`').skip(1).step_by(2).filter(|it| it.contains("::")).collect();
    assert!(paths.len() > 100, "{} tests were found", paths.len());
    let missing: Vec<_> = paths.into_iter().filter(|path| !is_there(path)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The numbers at the head of a row or of an item: `| 6.2.1 | …`, `- 6.6.1, 6.6.2: …`.
fn numbers_of(line: &str) -> impl Iterator<Item = &str> {
    let row = line.strip_prefix("| ").and_then(|it| it.split_once(" |"));
    let item = line.strip_prefix("- ").and_then(|it| it.split_once(':'));
    let head = row.or(item).map_or("", |(head, _)| head);
    head.split(", ").filter(|it| {
        it.split('.').count() == 3 && it.split('.').all(|part| part.parse::<u32>().is_ok())
    })
}

#[test]
fn every_requirement_of_the_chapters_is_answered_once() {
    let mut expected = Vec::new();
    for (chapter, sections) in CHAPTERS {
        for (section, count) in (1..).zip(sections) {
            expected.extend((1..=*count).map(|number| format!("{chapter}.{section}.{number}")));
        }
    }
    let page = page();
    let mut answered: Vec<_> = page.lines().flat_map(numbers_of).collect();
    answered.sort_unstable();
    expected.sort_unstable();
    assert_eq!(answered, expected);
}
