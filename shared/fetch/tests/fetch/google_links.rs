//! Google's share links and what is fetched instead.

use share_fetch::export_link;

use crate::server::Cases;

const DOCUMENT: &str = "https://docs.google.com/document/d/1a-B_c/export?format=docx";
const SHEET: &str = "https://docs.google.com/spreadsheets/d/1a-B_c/export?format=xlsx";
const SLIDES: &str = "https://docs.google.com/presentation/d/1a-B_c/export?format=pptx";
const FILE: &str =
    "https://drive.usercontent.google.com/download?id=1a-B_c&export=download&confirm=t";

#[test]
fn share_links_become_export_links() {
    let mut cases = Cases::default();
    for (link, export, name) in [
        ("docs.google.com/document/d/1a-B_c/edit", DOCUMENT, "document.docx"),
        ("docs.google.com/document/d/1a-B_c", DOCUMENT, "document.docx"),
        ("docs.google.com/document/d/1a-B_c/", DOCUMENT, "document.docx"),
        ("docs.google.com/document/d/1a-B_c/view?usp=sharing", DOCUMENT, "document.docx"),
        ("docs.google.com/document/d/1a-B_c/preview", DOCUMENT, "document.docx"),
        ("docs.google.com/document/d/1a-B_c/copy", DOCUMENT, "document.docx"),
        ("docs.google.com/document/d/1a-B_c/mobilebasic", DOCUMENT, "document.docx"),
        ("docs.google.com/document/d/1a-B_c/edit?tab=t.0#heading=h.x", DOCUMENT, "document.docx"),
        ("docs.google.com/document/u/0/d/1a-B_c/edit", DOCUMENT, "document.docx"),
        ("docs.google.com/a/example.com/document/d/1a-B_c/edit", DOCUMENT, "document.docx"),
        ("docs.google.com/spreadsheets/d/1a-B_c/edit?usp=sharing#gid=0", SHEET, "spreadsheet.xlsx"),
        ("docs.google.com/spreadsheets/d/1a-B_c/edit?gid=7#gid=7", SHEET, "spreadsheet.xlsx"),
        ("docs.google.com/spreadsheets/u/2/d/1a-B_c/htmlview", SHEET, "spreadsheet.xlsx"),
        ("docs.google.com/presentation/d/1a-B_c/edit#slide=id.p", SLIDES, "presentation.pptx"),
        ("docs.google.com/presentation/u/1/d/1a-B_c/present", SLIDES, "presentation.pptx"),
        ("drive.google.com/file/d/1a-B_c/view?usp=drive_link", FILE, ""),
        ("drive.google.com/file/d/1a-B_c/view?pli=1", FILE, ""),
        ("drive.google.com/file/d/1a-B_c", FILE, ""),
        ("drive.google.com/file/u/0/d/1a-B_c/view", FILE, ""),
        ("drive.google.com/a/example.com/file/d/1a-B_c/view", FILE, ""),
        ("docs.google.com/file/d/1a-B_c/edit", FILE, ""),
        ("drive.google.com/open?id=1a-B_c", FILE, ""),
        ("drive.google.com/open?usp=sharing&id=1a-B_c", FILE, ""),
        ("drive.google.com/uc?id=1a-B_c&export=download", FILE, ""),
        ("drive.google.com/u/0/uc?export=download&id=1a-B_c", FILE, ""),
        ("drive.google.com/a/example.com/uc?id=1a-B_c", FILE, ""),
        ("docs.google.com/uc?id=1a-B_c", FILE, ""),
        ("drive.usercontent.google.com/download?id=1a-B_c", FILE, ""),
        ("drive.usercontent.google.com/u/0/uc?id=1a-B_c&export=download", FILE, ""),
        ("DRIVE.GOOGLE.COM/open?id=1a-B_c", FILE, ""),
    ] {
        let got = export_link(&format!("https://{link}").parse().unwrap());
        let got = got.map(|got| (got.url.to_string(), got.name.unwrap_or_default()));
        cases.expect(link, got, Some((export.to_owned(), name)));
    }
}

#[test]
fn a_resource_key_is_passed_on() {
    let mut cases = Cases::default();
    for (link, export) in [
        ("drive.google.com/file/d/1a-B_c/view?usp=sharing&resourcekey=0-K_y", FILE),
        ("drive.google.com/open?id=1a-B_c&resourcekey=0-K_y", FILE),
        ("docs.google.com/document/d/1a-B_c/edit?resourcekey=0-K_y#x", DOCUMENT),
    ] {
        let got = export_link(&format!("https://{link}").parse().unwrap());
        let want = format!("{export}&resourcekey=0-K_y");
        cases.expect(link, got.map(|got| got.url.to_string()), Some(want));
    }
    let forged = "https://drive.google.com/open?id=1a-B_c&resourcekey=0%26id%3Dother%23";
    let got = export_link(&forged.parse().unwrap()).unwrap().url.to_string();
    cases.expect("a key is encoded", got, format!("{FILE}&resourcekey=0%26id%3Dother%23"));
}

#[test]
fn other_links_stay_as_they_are() {
    let mut cases = Cases::default();
    for link in [
        "docs.google.com/document/d/1a-B_c/export?format=pdf",
        "docs.google.com/spreadsheets/d/1a-B_c/export?format=csv&gid=7",
        "docs.google.com/presentation/d/1a-B_c/export/pdf",
        "docs.google.com/document/d/e/2PACX-1v/pub",
        "docs.google.com/spreadsheets/d/e/2PACX-1v/pub?output=xlsx",
        "docs.google.com/forms/d/1a-B_c/viewform",
        "docs.google.com/document/d/a.b/edit",
        "docs.google.com/document/d/a%2Fb/edit",
        "docs.google.com/document/",
        "docs.google.com/",
        "drive.google.com/drive/folders/1a-B_c?usp=sharing",
        "drive.google.com/drive/u/0/folders/1a-B_c",
        "drive.google.com/open",
        "drive.google.com/open?id=",
        "drive.google.com/open?id=a%26b",
        "example.com/file/d/1a-B_c/view",
        "docs.google.com.evil.com/document/d/1a-B_c/edit",
        "a.googleusercontent.com/download?id=1a-B_c",
    ] {
        let got = export_link(&format!("https://{link}").parse().unwrap());
        cases.expect(link, got, None);
    }
}
