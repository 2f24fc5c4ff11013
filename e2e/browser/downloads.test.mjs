// Downloads in a real Chromium: the page of a link, its button, and what arrives. `scripts/browser`
// starts the server, whose STREAM_LIMIT_BYTES lies between the two files of these tests.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

const { API, CHROMIUM, PLAYWRIGHT, STREAM_LIMIT_BYTES } = process.env;
const { chromium } = await import(pathToFileURL(`${PLAYWRIGHT}/index.mjs`));

const LIMIT = Number(STREAM_LIMIT_BYTES);
const FILES = {
  "streamed by the function": "a".repeat(LIMIT),
  "handed out by S3": "b".repeat(LIMIT + 1),
};

async function call(method, path, token, body) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  if (body && !(body instanceof FormData)) headers["content-type"] = "application/json";
  const sent = body instanceof FormData || !body ? body : JSON.stringify(body);
  const answer = await fetch(API + path, { method, headers, body: sent });
  const json = await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
  return json;
}

async function login(role) {
  const body = { username: role, password: `local-${role}-password` };
  return (await call("POST", `/api/${role}/login`, null, body)).access;
}

let browser;
let client;
const ids = {};

before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  client = await login("client");
  const ops = await login("ops");
  for (const [name, content] of Object.entries(FILES)) {
    const form = new FormData();
    form.append("file", new Blob([content]), "figures.txt");
    ids[name] = (await call("POST", "/api/files/upload", ops, form)).id;
  }
});

after(() => browser?.close());

const link = (name) => call("POST", `/api/files/generate-download-link/${ids[name]}`, client, {});
const listed = async (id) => (await call("GET", "/api/links", client)).find((it) => it.id === id);

// A page in a browser without cookies. What it complains of is in `complaints`.
async function open(url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => page.complaints.push(message.text()));
  await page.goto(url);
  return page;
}

// Presses the button with this text, and gives what is downloaded.
async function click(page, button) {
  const downloading = page.waitForEvent("download", { timeout: 10_000 });
  await page.getByRole("button", { name: button, exact: true }).click();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), "figures.txt");
  return readFile(await download.path(), "utf8");
}

for (const [name, content] of Object.entries(FILES)) {
  describe(`a file that is ${name}`, () => {
    for (const address of ["page_url", "download_url"]) {
      test(`arrives with a click on the page of the ${address}, and again`, async () => {
        const made = await link(name);
        const page = await open(made[address]);
        assert.equal((await listed(made.id)).state, "live", "to look redeems nothing");
        assert.equal(await click(page, "Download"), content);
        assert.equal(await click(page, "Download"), content, "the same button once more");
        await page.reload();
        assert.equal(await click(page, "Download again"), content);
        assert.deepEqual(page.complaints, []);
        const { state, downloads } = await listed(made.id);
        assert.deepEqual({ state, downloads }, { state: "used", downloads: 1 });
        await page.context().close();
      });
    }

    test("does not arrive in another browser once it has been clicked", async () => {
      const made = await link(name);
      const page = await open(made.page_url);
      assert.equal(await click(page, "Download"), content);
      const other = await open(made.page_url);
      assert.match(await other.textContent("main"), /This link has been used/);
      await Promise.all([page, other].map((it) => it.context().close()));
    });
  });
}

test("one cookie serves the pages of many links, each of which can be clicked and repeated", async () => {
  const context = await browser.newContext();
  const pages = [];
  for (let count = 0; count < 10; count += 1) {
    const page = await context.newPage();
    await page.goto((await link("streamed by the function")).page_url);
    pages.push(page);
  }
  assert.equal((await context.cookies()).length, 1);
  for (const button of ["Download", "Download again"]) {
    for (const page of pages) {
      await page.reload();
      assert.equal(await click(page, button), FILES["streamed by the function"]);
    }
  }
  await context.close();
});

// So that the tests above are known to see what they are about.
test("Chromium does not follow the redirect when the page's policy does not name S3", async () => {
  const made = await link("handed out by S3");
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaint = page.waitForEvent("console", (it) => it.text().includes("form-action"));
  await page.route(/\/download\?/, async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const response = await route.fetch();
    const headers = response.headers();
    const policy = "content-security-policy";
    headers[policy] = headers[policy].replace(/form-action 'self' [^;]*;/, "form-action 'self';");
    return route.fulfill({ response, headers });
  });
  await page.goto(made.page_url);
  await page.getByRole("button", { name: "Download", exact: true }).click();
  assert.match((await complaint).text(), /Content Security Policy/);
  assert.equal((await listed(made.id)).state, "used");
  await context.close();
});
