//! Makes two scripts of the modules of the web app: the one that the page starts with, and the one that
//! has all views. Together they compress to three quarters of what the modules do one by one, and a page
//! needs a few requests, each of which starts a function, in place of thirty.
//!
//! A module becomes a constant: `const $api = (() => { … return { Problem, send }; })();`, after those that
//! it imports. An import takes what it names from that constant.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

/// The module that the page starts with, and the script that it and what it imports become.
const START: &str = "main.mjs";

/// The script of all modules that are imported when they are needed.
const LATER: &str = "later.mjs";

/// The files by name, with [`START`] and [`LATER`] in place of the modules, except for those of `vendor`.
pub(crate) fn merge(
    mut files: BTreeMap<String, String>,
    vendor: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let names: Vec<_> = files.keys().filter(|name| is_module(name)).cloned().collect();
    let modules: BTreeMap<_, _> =
        names.into_iter().filter_map(|name| files.remove_entry(&name)).collect();
    let mut ordered = Vec::new();
    add(START, &modules, &mut ordered, &mut BTreeSet::new())?;
    let starting = ordered.len();
    for name in modules.keys() {
        add(name, &modules, &mut ordered, &mut BTreeSet::new())?;
    }
    let (start, later) = ordered.split_at(starting);

    let (mut script, mut known) = (String::new(), Vec::new());
    for name in vendor.keys().filter(|name| is_module(name)) {
        script.extend(["import * as ", &constant(name), " from \"./", name, "\";\n"]);
        known.push(constant(name));
    }
    for (name, text) in start {
        script += &module(name, text, later);
        known.push(constant(name));
    }
    let known = known.join(", ");
    files.insert(START.to_owned(), format!("{script}export {{ {known} }};\n"));

    let mut script = format!("import {{ {known} }} from \"./{START}\";\n");
    for (name, text) in later {
        script += &module(name, text, later);
    }
    let own: Vec<_> = later.iter().map(|(name, _)| constant(name)).collect();
    files.insert(LATER.to_owned(), format!("{script}export {{ {} }};\n", own.join(", ")));
    files.extend(vendor);
    Ok(files)
}

/// Whether it is a module, by its name.
fn is_module(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "mjs")
}

/// A module's name and its text.
type Module<'a> = (&'a str, &'a str);

/// Adds a module to `ordered`, after those that it imports, unless it is there.
fn add<'a>(
    name: &str,
    modules: &'a BTreeMap<String, String>,
    ordered: &mut Vec<Module<'a>>,
    importers: &mut BTreeSet<String>,
) -> Result<(), Box<dyn Error>> {
    let Some((name, text)) = modules.get_key_value(name) else { return Ok(()) };
    if ordered.iter().any(|(known, _)| known == name) {
        return Ok(());
    }
    if !importers.insert(name.clone()) {
        return Err(format!("{name} imports itself, by way of {importers:?}").into());
    }
    for (_, imported) in text.lines().filter_map(import) {
        add(imported, modules, ordered, importers)?;
    }
    importers.remove(name);
    ordered.push((name, text));
    Ok(())
}

/// A module as a constant. Those of `later` are in another script, which it asks for.
fn module(name: &str, text: &str, later: &[Module<'_>]) -> String {
    let mut exported = Vec::new();
    let mut body = String::new();
    for line in text.lines() {
        if let Some((names, from)) = import(line) {
            let names = names.strip_prefix("* as ").unwrap_or(names).replace(" as ", ": ");
            body.extend(["const ", &names, " = ", &constant(from), ";\n"]);
            continue;
        }
        let code = line.strip_prefix("export ").unwrap_or(line);
        if code.len() < line.len() {
            let declared = code.strip_prefix("async ").unwrap_or(code).split([' ', '(']).nth(1);
            exported.extend(declared);
        }
        body += &with_imports(code, later);
        body.push('\n');
    }
    let exported = exported.join(", ");
    format!("const {} = (() => {{\n{body}return {{ {exported} }};\n}})();\n", constant(name))
}

/// What an `import` of a module names, and the module. Each is a line.
fn import(line: &str) -> Option<(&str, &str)> {
    let (names, path) = line.strip_prefix("import ")?.split_once(" from \"")?;
    Some((names, path.strip_suffix("\";")?.rsplit('/').next()?))
}

/// The line with the imports in it from [`LATER`].
fn with_imports(line: &str, later: &[Module<'_>]) -> String {
    let mut parts = line.split("import(\"");
    let mut code = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (path, rest) = part.split_once("\")").unwrap_or((part, ""));
        let name = path.rsplit('/').next().unwrap_or_default();
        if later.iter().any(|(known, _)| *known == name) {
            code.extend(["import(\"./", LATER, "\").then((it) => it.", &constant(name), ")", rest]);
        } else {
            code.extend(["import(\"", part]); // a type
        }
    }
    code
}

/// `$link_dialog` for `link-dialog.mjs`.
fn constant(name: &str) -> String {
    format!("${}", name.trim_end_matches(".mjs").replace('-', "_"))
}
