// What Ops do in the web app, in a real Chromium. `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { choose, expectComplaint, heading, press, row, signedIn } from "./page.mjs";

after(async () => {
  if (folder) await rm(folder, { recursive: true });
});

test("Ops upload a file, see it become available and its receipts, and delete it", async () => {
  const page = await signedIn("ops");
  const name = "<b>minutes of the story.txt";
  await page.getByRole("main").getByRole("link", { name: "Upload" }).click();
  await heading(page, "Upload");
  await press(page, "Upload");
  await page.getByRole("link", { name: "Choose a file first." }).click();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Choose files");
  await choose(page, [name, "what was said"], ["no PDF.pdf", "this is no PDF"]);
  await page.getByText("2 waiting").waitFor();
  await page.getByText("Only these people").click();
  await press(page, "Upload 2 files");
  await page.getByRole("alert").getByText("Fill this in.").waitFor();
  await page.getByLabel("People and groups").fill("client, eva@example.net");
  await page.getByLabel("Note").fill("before <b>the</b> audit");
  await page.getByLabel("Available until").selectOption("7 days from now");
  await press(page, "Upload 2 files");
  await page.getByText("1 ready, 1 failed or rejected").waitFor();
  await page.getByText(/^Rejected: /).waitFor();

  await page.getByRole("link", { name: "My files" }).click();
  await heading(page, "My files");
  assert.match(await row(page, "no PDF.pdf").textContent(), /Rejected/);
  await page.getByLabel("Search files").fill("MINUTES of the");
  await page.getByText("1 file", { exact: true }).waitFor();
  const entry = row(page, name).first();
  assert.match(await entry.textContent(), /client and 1 other.*Available.*until/s);
  await press(page, `Details of ${name}`);
  await page.getByText("before <b>the</b> audit", { exact: true }).waitFor();

  await entry.getByRole("link", { name: /^Receipts/ }).click();
  await heading(page, name);
  await page.getByRole("heading", { name: "No receipts yet" }).waitFor();
  await page.goBack();
  await heading(page, "My files");
  assert.equal(await page.getByLabel("Search files").inputValue(), "MINUTES of the");

  await press(page, `Details of ${name}`);
  await press(page, "Delete file");
  const dialog = page.getByRole("alertdialog", { name: "Delete this file?" });
  await dialog.getByText("No link leads to it.").waitFor();
  await dialog.getByRole("button", { name: "Delete file" }).click();
  await page.getByText("File deleted. Nobody can get it any more.").waitFor();
  await page.getByRole("heading", { name: /^No file matches/ }).waitFor();
});

test("an upload that was cut off goes on when the same file is chosen after a reload", async () => {
  const page = await signedIn("ops");
  page.on("dialog", (dialog) => dialog.accept()); // leaving would cut it off
  const file = ["cut off.txt", "some words\n".repeat(2_500_000)];
  const arrived = [];
  page.on("requestfinished", (request) => {
    const part = /x-id=UploadPart.*partNumber=(\d+)/.exec(request.url());
    if (part && request.method() === "PUT") arrived.push(part[1]);
  });
  expectComplaint(/ERR_FAILED.*x-id=UploadPart/);
  let begun = 0;
  await page.route(/x-id=UploadPart/, (route) => (begun++ < 2 ? route.continue() : route.abort()));
  await page.getByRole("link", { name: "Upload" }).first().click();
  await heading(page, "Upload");
  await choose(page, await onDisk(...file));
  await press(page, "Upload 1 file");
  await page.getByText(/^Connection lost/).waitFor();
  assert.equal(arrived.length, 2);
  await page.unroute(/x-id=UploadPart/);

  await page.reload();
  await heading(page, "Upload");
  await page.getByText("Nothing chosen yet").waitFor();
  await choose(page, await onDisk(...file));
  await press(page, "Upload 1 file");
  await page.getByText("1 ready").waitFor();
  assert.deepEqual(arrived, [...new Set(arrived)], "no part is sent twice");
});

let folder;

// The path of a file with this content. It has the same date each time.
async function onDisk(name, text) {
  folder ??= await mkdtemp(join(tmpdir(), "ops-"));
  const path = join(folder, name);
  await writeFile(path, text);
  await utimes(path, 1_700_000_000, 1_700_000_000);
  return path;
}

async function call(method, path, token, body) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  if (body && !(body instanceof FormData)) headers["content-type"] = "application/json";
  const sent = body instanceof FormData || !body ? body : JSON.stringify(body);
  const answer = await fetch(API + path, { method, headers, body: sent });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return answer.status === 204 ? null : JSON.parse(text);
}

const login = async (username, password = `local-${username}-password`) =>
  (await call("POST", "/api/sessions", null, { username, password })).access;

// A file of the text "what was said", without the page.
async function uploaded(filename) {
  const form = new FormData();
  form.append("file", new Blob(["what was said"]), filename);
  return call("POST", "/api/files/upload", await login("ops"), form);
}

async function linkTo(file, client, terms = {}) {
  const link = await call("POST", `/api/files/generate-download-link/${file.id}`, client, terms);
  const address = API + new URL(link.download_url).pathname + new URL(link.download_url).search;
  return { ...link, download: async () => assert.equal(await (await fetch(address)).text(), "what was said") };
}

async function openReceipts(page, file) {
  await page.goto(`${API}/#/receipts?file=${file.id}`);
  await heading(page, file.filename);
}

test("the chains of all links to a file are verified in the browser, and a certificate is saved", async () => {
  const file = await uploaded("evidence.txt");
  const client = await login("client");
  const first = await linkTo(file, client, { max_downloads: 2, note: 'a "note", <b>really</b>","hash":"' });
  await first.download();
  const second = await linkTo(file, client);
  await call("DELETE", `/api/links/${second.id}`, client);

  const { page, complaints } = await signedIn();
  await openReceipts(page, file);
  await page.getByRole("heading", { name: "Chain verified" }).waitFor();
  await page.getByText(/^5 receipts of 2 links: /).waitFor();
  const chain = page.getByRole("region", { name: "Link 1, made by client" });
  assert.match(await chain.textContent(), /Live.*Download 1 of 2 began.*Whole file sent/s);
  assert.match(await page.getByRole("region", { name: "Link 2" }).textContent(), /Revoked/);
  await chain.locator("summary").nth(1).click();
  const fields = chain.getByRole("listitem").nth(1).getByRole("definition");
  const receipts = await call("GET", `/api/files/${file.id}/receipts`, await login("ops"));
  const { receipt, hash } = receipts[1];
  const shown = (value) => (/^[0-9a-f]{64}$/.test(value) ? `${value}Copy fingerprint` : String(value));
  assert.deepEqual(await fields.allTextContents(), Object.values({ ...receipt, hash }).map(shown));

  const saving = page.waitForEvent("download");
  await chain.getByRole("button", { name: "Certificate of link 1" }).click();
  const saved = await saving;
  assert.equal(saved.suggestedFilename(), `certificate-${first.id}.jwt`);
  const [, claims] = (await readFile(await saved.path(), "utf8")).split(".");
  assert.equal(JSON.parse(Buffer.from(claims, "base64url")).sub, first.id);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("a receipt that was changed, left out, moved or cannot be read is named", async () => {
  const file = await uploaded("tampered.txt");
  const link = await linkTo(file, await login("client"), { max_downloads: 3 });
  await link.download();
  const { page } = await signedIn();
  const separator = /(?<=\}),(?=\{"receipt":)/;
  const entries = (text, change) => `[${change(text.slice(1, -1).split(separator)).join()}]`;
  const cases = [
    ["receipt 2", (text) => text.replace('"download":1', '"download":2')],
    ["receipt 3", (text) => text.replace('"outcome":"completed"', '"outcome":"partial"')],
    ["receipt 1", (text) => text.replace('"max_downloads":3', '"max_downloads":4')],
    ["receipt 1", (text) => entries(text, ([, ...others]) => others)],
    ["receipt 2", (text) => entries(text, ([one, , three]) => [one, three])],
    ["receipt 2", (text) => entries(text, ([one, two, three]) => [one, three, two])],
    ["receipt 2", (text) => entries(text, ([one, two, three]) => [one, two.replace(/:\{.*\}(?=,"hash")/, ":null"), three])],
    // The first text and its hash fit each other, but the second receipt has another hash.
    ["receipt 1", (text) => entries(text, ([one, ...others]) => [resealed(one.replace('"bind":false', '"bind":true')), ...others])],
  ];
  for (const [named, tamper] of cases) {
    await page.route(/api.files.*receipts/, async (route) => {
      const response = await route.fetch();
      const before = await response.text();
      const body = tamper(before);
      assert.notEqual(body, before);
      await route.fulfill({ response, body });
    });
    await openReceipts(page, file);
    await page.getByRole("alert").getByText(`Chain broken at ${named} of link 1`).waitFor();
    assert.equal(await page.getByRole("alert").getByText(link.id).count(), 1);
    await page.unroute(/api.files.*receipts/);
    await page.goto(`${API}/#/uploads`);
    await heading(page, "My files");
  }
  await page.context().close();
});

// An entry with the hash that its text has.
function resealed(entry) {
  const text = entry.slice('{"receipt":'.length, entry.lastIndexOf(',"hash":'));
  const hash = createHash("sha256").update(text).digest("hex");
  return `{"receipt":${text},"hash":"${hash}"}`;
}

test("the chain of a link holds when the account of whoever made it was deleted, and only then", async () => {
  const file = await uploaded("made by somebody.txt");
  const password = "a password of somebody";
  const somebody = { username: "somebody", email: "somebody@example.net", password };
  const { verification_url } = await call("POST", "/api/users/signup", null, somebody);
  await fetch(verification_url);
  const token = await login("somebody", password);
  await (await linkTo(file, token)).download();
  await call("DELETE", "/api/account", token, { password });

  const { page } = await signedIn();
  await openReceipts(page, file);
  await page.getByText("The account of whoever made the link was deleted").waitFor();
  await page.getByRole("heading", { name: "Chain verified" }).waitFor();
  await page.route(/api.files.*receipts/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace("deleted-account", "somebody-else") });
  });
  await page.reload();
  await page.getByRole("alert").getByText("Chain broken at receipt 1 of link 1").waitFor();
  await page.context().close();
});
