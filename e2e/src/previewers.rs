//! Programs that open the links that people are sent: previews in chats, scanners of mails, robots
//! of search engines. None of them may set off what a link is for.

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};

use crate::world::World;

/// One of them, and what it sends.
pub struct Previewer {
    pub name: &'static str,
    pub method: Method,
    headers: HeaderMap,
}

/// All of them.
pub fn all() -> Vec<Previewer> {
    let blocks = include_str!("previewers.txt").split("\n\n").skip(1);
    let all: Vec<_> = blocks.map(Previewer::read).collect();
    assert!(all.len() > 30, "the table was read");
    all
}

impl Previewer {
    /// Its name, its method, and its headers, a line each.
    fn read(block: &'static str) -> Self {
        let mut lines = block.lines();
        let (name, method) = (lines.next().unwrap(), lines.next().unwrap().parse().unwrap());
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.parse().unwrap(), value.parse().unwrap())
        };
        Self { name, method, headers: lines.map(header).collect::<Vec<_>>().into_iter().collect() }
    }

    /// What it does with an address: it looks.
    pub fn look(&self, world: &World, url: &str) -> RequestBuilder {
        self.with(world, self.method.clone(), url)
    }

    /// The same with another method.
    pub fn with(&self, world: &World, method: Method, url: &str) -> RequestBuilder {
        world.http.request(method, url).headers(self.headers.clone())
    }

    /// What it sends when it tries the page's button as well, without having written anything into
    /// the form: no body, and an empty form.
    pub fn press(&self, world: &World, url: &str) -> [RequestBuilder; 2] {
        let post = || world.http.post(url).headers(self.headers.clone());
        let form = "application/x-www-form-urlencoded";
        [post().header(CONTENT_LENGTH, 0), post().header(CONTENT_TYPE, form).body("")]
    }
}
