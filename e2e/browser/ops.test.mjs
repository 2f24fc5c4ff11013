// What Ops do in the web app, in a real Chromium. `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  API, call, choose, confirm, expectComplaint, heading, makeClient, press, request, row, section, signedIn, tokenOf, upload,
} from "./page.mjs";

const { IMPORT_ALLOWED_HOSTS } = process.env;

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
  assert.match(await row(page, "no PDF.pdf").textContent(), /Its content .*\. Export it as what its name says\..*Rejected/);
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

test("nothing is sent to wrong recipients: the message is at the field, and it is gone when it is mended", async () => {
  expectComplaint(/422.*api\/uploads/);
  const page = await signedIn("ops", undefined, "/#/upload");
  await press(page, "Upload");
  await page.getByRole("link", { name: "Choose a file first." }).waitFor();
  await choose(page, ["one of two.txt", "one"], ["two of two.txt", "two"]);
  await page.getByText("Choose a file first.").waitFor({ state: "detached" });
  await page.getByText("Only these people").click();
  const field = page.getByLabel("People and groups");
  for (const [wrong, message] of [["a@", "“a@” is no username"], ["client, nosuch", "This list has nosuch, who is no verified Client."]]) {
    await field.fill(wrong);
    await press(page, "Upload 2 files");
    await page.getByRole("alert").getByText(message).waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await page.getByText("2 waiting").waitFor();
  }
  await press(page, "Remove client");
  await field.fill("client");
  await press(page, "Upload 2 files");
  await page.getByText("2 ready").waitFor();
});

test("a file whose name deceives is refused when it is chosen, and what deceives is shown", async () => {
  const page = await signedIn("ops", undefined, "/#/upload");
  await choose(page, ["for\u202Etxt.exe", "one"]);
  await page.getByText("for[U+202E]txt.exe", { exact: true }).waitFor();
  await page.getByRole("alert").getByText(/^Rejected: its name .* Rename it and choose it again\.$/).waitFor();
  await page.getByRole("button", { name: "Upload", exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: /^Try again/ }).count(), 0);
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
  expectComplaint(/(ERR_FAILED|Blocked).*x-id=UploadPart/);
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

const CONTENT = "what was said";

const linkTo = (id, client, terms = {}) => call("POST", `/api/files/generate-download-link/${id}`, client, terms);

async function download({ download_url: address }) {
  assert.equal(await (await request("GET", address)).text(), CONTENT);
}

async function openReceipts(page, id, name) {
  await page.goto(`${API}/#/receipts?file=${id}`);
  await heading(page, name);
}

test("the chains of all links to a file are verified in the browser, and a certificate is saved", async () => {
  const id = await upload("evidence.txt", CONTENT);
  const client = await tokenOf("client");
  const first = await linkTo(id, client, { max_downloads: 2, note: 'a "note", <b>really</b>","hash":"' });
  await download(first);
  const second = await linkTo(id, client);
  await call("DELETE", `/api/links/${second.id}`, client);

  const page = await signedIn("ops");
  await openReceipts(page, id, "evidence.txt");
  await page.getByRole("heading", { name: "Chain verified" }).waitFor();
  await page.getByText(/^5 receipts of 2 links: /).waitFor();
  await page.getByText("2 links, 1 live, 0 used").waitFor();
  const chain = section(page, "Link 1, made by client");
  assert.match(await chain.textContent(), /Live.*Download 1 of 2 began.*Whole file sent/s);
  assert.match(await section(page, "Link 2, made by client").textContent(), /Revoked/);
  await chain.locator("summary").nth(1).click();
  const fields = chain.getByRole("listitem").nth(1).getByRole("definition");
  const receipts = await call("GET", `/api/files/${id}/receipts`, await tokenOf("ops"));
  const { receipt, hash } = receipts[1];
  const shown = (value) => (/^[0-9a-f]{64}$/.test(value) ? `${value}Copy fingerprint` : String(value));
  assert.deepEqual(await fields.allTextContents(), Object.values({ ...receipt, hash }).map(shown));

  const saving = page.waitForEvent("download");
  await chain.getByRole("button", { name: "Certificate of link 1" }).click();
  const saved = await saving;
  assert.equal(saved.suggestedFilename(), `certificate-${first.id}.jwt`);
  const [, claims] = (await readFile(await saved.path(), "utf8")).split(".");
  assert.equal(JSON.parse(Buffer.from(claims, "base64url")).sub, first.id);
});

test("a receipt that was changed, left out, moved or cannot be read is named", async () => {
  const id = await upload("tampered.txt", CONTENT);
  const link = await linkTo(id, await tokenOf("client"), { max_downloads: 3 });
  await download(link);
  const page = await signedIn("ops");
  await openReceipts(page, id, "tampered.txt");
  const separator = /(?<=\}),(?=\{"receipt":)/;
  const entries = (text, change) => `[${change(text.slice(1, -1).split(separator)).join()}]`;
  // How many are marked as changed, and which one is named.
  const cases = [
    [1, "receipt 2", (text) => text.replace('"download":1', '"download":2')],
    [1, "receipt 3", (text) => text.replace('"outcome":"completed"', '"outcome":"partial"')],
    [1, "receipt 1", (text) => text.replace('"max_downloads":3', '"max_downloads":4')],
    [0, "receipt 1", (text) => entries(text, ([, ...others]) => others)],
    [0, "receipt 2", (text) => entries(text, ([one, , three]) => [one, three])],
    [0, "receipt 2", (text) => entries(text, ([one, two, three]) => [one, three, two])],
    [0, "receipt 2", (text) => entries(text, ([one, two, three]) => [one, two.replace(/:\{.*\}(?=,"hash")/, ":null"), three])],
    // The first text and its hash fit each other, but the second receipt has another hash.
    [1, "receipt 1", (text) => entries(text, ([one, ...others]) => [resealed(one.replace('"bind":false', '"bind":true')), ...others])],
  ];
  for (const [changed, named, tamper] of cases) {
    await page.route(/api.files.*receipts/, async (route) => {
      const response = await route.fetch();
      const before = await response.text();
      const body = tamper(before);
      assert.notEqual(body, before);
      await route.fulfill({ response, body });
    });
    await page.reload();
    await page.getByRole("alert").getByText(`Chain broken at ${named} of link 1`).waitFor();
    assert.equal(await page.getByRole("alert").getByText(link.id).count(), 1);
    assert.equal(await page.getByText("this receipt was changed").count(), changed);
    await page.unroute(/api.files.*receipts/);
  }
});

// An entry with the hash that its text has.
function resealed(entry) {
  const text = entry.slice('{"receipt":'.length, entry.lastIndexOf(',"hash":'));
  const hash = createHash("sha256").update(text).digest("hex");
  return `{"receipt":${text},"hash":"${hash}"}`;
}

test("the chain of a link holds when the account of whoever made it was deleted, and only then", async () => {
  const id = await upload("made by somebody.txt", CONTENT);
  const password = "a password of somebody";
  await makeClient("somebody", password);
  const token = await tokenOf("somebody", password);
  await download(await linkTo(id, token));
  await call("DELETE", "/api/account", token, { password });

  const page = await signedIn("ops");
  await openReceipts(page, id, "made by somebody.txt");
  await page.getByText("The account of whoever made the link was deleted").waitFor();
  await page.getByRole("heading", { name: "Chain verified" }).waitFor();
  await page.route(/api.files.*receipts/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace("deleted-account", "somebody-else") });
  });
  await page.reload();
  await page.getByRole("alert").getByText("Chain broken at receipt 1 of link 1").waitFor();
});

const details = async (id) => call("GET", `/api/files/${id}`, await tokenOf("ops"));

test("the terms of a file can be changed, and what stays is not touched", async () => {
  expectComplaint(/422.*api\/files/);
  const id = await upload("terms.txt", CONTENT);
  const page = await signedIn("ops");
  await press(page, "Details of terms.txt");
  await press(page, "Change terms");
  const dialog = page.getByRole("dialog", { name: "Change the terms" });
  await dialog.getByText("Only these people").click();
  await dialog.getByLabel("People and groups").pressSequentially("client, Eva@example.net,nosuch");
  await dialog.getByLabel("Available until").selectOption("7 days from now");
  await dialog.getByLabel("Note").fill("for <i>them</i>");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").getByText("This list has nosuch, who is no verified Client.").waitFor();
  assert.equal((await details(id)).recipients, "everyone");
  await dialog.getByLabel("People and groups").fill("");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Terms changed.").waitFor();
  assert.match(await row(page, "terms.txt").first().textContent(), /client and 1 other.*until/s);
  const changed = await details(id);
  assert.deepEqual(changed.recipients.toSorted(), ["client", "eva@example.net"]);
  assert.equal(changed.note, "for <i>them</i>");
  const days = (Date.parse(changed.expires_at) - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days < 7.1, changed.expires_at);

  await press(page, "Change terms");
  assert.match(await dialog.locator("option:checked").textContent(), /^As it is: /);
  await press(page, "Remove eva@example.net");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "recipients");
  await dialog.getByLabel("Note").fill("");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const again = await details(id);
  assert.deepEqual(again.recipients, ["client"]);
  assert.equal(again.note, undefined);
  assert.equal(again.expires_at, changed.expires_at);
});

test("a file is not taken from everybody by leaving out whom it is for", async () => {
  const id = await upload("for nobody.txt", CONTENT);
  const page = await signedIn("ops");
  await press(page, "Details of for nobody.txt");
  await press(page, "Change terms");
  const dialog = page.getByRole("dialog", { name: "Change the terms" });
  await dialog.getByText("Only these people").click();
  await press(dialog, "Save");
  await dialog.getByRole("alert").getByText(/: nobody could see the file then/).waitFor();
  assert.equal((await details(id)).recipients, "everyone");
});

test("an upload that nobody sends says so among one's files, and is cancelled there", async () => {
  await call("POST", "/api/uploads", await tokenOf("ops"), { filename: "left alone.txt", size: 9 });
  const page = await signedIn("ops");
  await row(page, "left alone.txt").locator(".sub").getByText("choose it again to go on").waitFor();
  await press(page, "Details of left alone.txt");
  await press(page, "Cancel upload");
  await confirm(page, "Cancel this upload?", "Cancel upload");
  await page.getByText("Upload cancelled.").waitFor();
  await row(page, "left alone.txt").first().waitFor({ state: "detached" });
});

test("groups and those who have files already are proposed as recipients", async () => {
  await call("POST", "/api/admin/groups", await tokenOf("admin"), { name: "board" });
  await upload("proposed.txt", "for one", { recipients: "client" });

  const page = await signedIn("ops");
  await page.getByRole("navigation").getByRole("link", { name: "Upload" }).click();
  await page.getByText("Only these people").click();
  for (const name of ["group:board", "client"]) await page.locator(`datalist option[value="${name}"]`).waitFor({ state: "attached" });
  const field = page.getByLabel("People and groups");
  await field.pressSequentially("group:boar");
  assert.equal(await page.getByRole("listitem").getByText("group").count(), 0);
  // As when it is chosen from the list, which no headless browser shows.
  await field.evaluate((input) => {
    input.value = "group:board";
    input.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
  });
  await page.getByRole("listitem").getByText("group:board").waitFor();
  assert.equal(await field.inputValue(), "");
  assert.equal(await page.locator('datalist option[value="group:board"]').count(), 0);
  await page.keyboard.press("Backspace");
  await page.getByRole("listitem").getByText("group:board").waitFor({ state: "detached" });
});

test("a file is imported by its link: fetched, checked, and available or rejected with the reason", async () => {
  expectComplaint(/422.*api\/imports/);
  let answer;
  const host = createServer((request, response) => {
    if (request.url.startsWith("/missing")) response.writeHead(404).end();
    else answer = () => response.end("what was fetched");
  });
  const [name, port] = IMPORT_ALLOWED_HOSTS.split(":");
  await once(host.listen(port, name), "listening");
  const page = await signedIn("ops");
  await page.getByRole("navigation").getByRole("link", { name: "Upload" }).click();
  const add = async (path) => {
    await page.getByLabel("Or import by link").fill(path);
    await press(page, "Add");
  };
  await add("no address");
  await page.getByRole("alert").getByText("A whole address").waitFor();
  const entry = (name) => page.getByRole("listitem").filter({ hasText: name });
  await add(`http://${IMPORT_ALLOWED_HOSTS}/fetched.txt`);
  await press(page, "Upload 1 file");
  await entry("fetched.txt").getByText("The service is fetching it").waitFor();
  while (!answer) await once(host, "request");
  answer();
  await entry("fetched.txt").getByText("Ready").waitFor();
  await entry("fetched.txt").getByText("16 bytes, content checked").waitFor();
  answer = null;

  await add(`http://${IMPORT_ALLOWED_HOSTS}/missing.txt`);
  await add("https://elsewhere.example/a.txt");
  await press(page, "Upload 2 files");
  await entry("missing.txt").getByText(/^Rejected: .*404/).waitFor();
  await entry("a.txt").getByRole("alert").waitFor();

  await add(`http://${IMPORT_ALLOWED_HOSTS}/given up.txt`);
  await press(page, "Upload 2 files");
  await entry("given").getByText("The service is fetching it").waitFor();
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await entry("given").getByRole("button", { name: /^Cancel/ }).click();
  assert.equal((await ended).status(), 204);
  host.closeAllConnections();
  host.close();
});

test("an upload is paused, resumed, lost, tried again and cancelled, and its bar never runs back", async () => {
  const page = await signedIn("ops");
  await page.getByRole("navigation").getByRole("link", { name: "Upload" }).click();
  await heading(page, "Upload");
  const seen = await page.evaluateHandle(() => {
    const seen = { values: [], spoken: [] };
    new MutationObserver(() => {
      const value = document.querySelector("progress")?.getAttribute("value");
      if (value) seen.values.push(Number(value));
      for (const { textContent } of document.querySelectorAll("[role=status]"))
        if (textContent?.startsWith("moved.txt") && !seen.spoken.includes(textContent)) seen.spoken.push(textContent);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    return seen;
  });
  expectComplaint(/ERR_FAILED.*x-id=UploadPart/);
  let held = [];
  let passed = 0;
  await page.route(/x-id=UploadPart/, (route) => (passed++ < 2 ? route.continue() : held.push(route)));
  const chooseLarge = async (name) => choose(page, await onDisk(name, "some words\n".repeat(2_500_000)));
  await chooseLarge("moved.txt");
  await press(page, "Upload 1 file");
  await page.getByText("16.8 MB of 27.5 MB").waitFor(); // two parts
  await press(page, "Pause moved.txt");
  await page.getByText(/^Paused at /).waitFor();
  for (const route of held) await route.abort().catch(() => {});
  await page.unroute(/x-id=UploadPart/);
  await page.route(/x-id=UploadPart/, (route) => route.abort());
  await press(page, "Resume moved.txt");
  await page.getByText(/^Connection lost at /).waitFor();
  await page.unroute(/x-id=UploadPart/);
  // All parts are sent again, the first one before the others.
  const nothingThere = async (route) => {
    const response = await route.fetch();
    const status = await response.json();
    await route.fulfill({ response, json: { ...status, ...(status.received ? { received: [] } : {}) } });
  };
  await page.route(/api\/uploads\/[^/]*$/, nothingThere, { times: 1 });
  held = [];
  let holds = true;
  const isFirst = (request) => request.method() === "PUT" && /x-id=UploadPart.*partNumber=1\b/.test(request.url());
  await page.route(/x-id=UploadPart/, (route) => (holds && !isFirst(route.request()) ? held.push(route) : route.continue()));
  const first = page.waitForResponse((response) => isFirst(response.request()));
  await press(page, "Try now moved.txt");
  await (await first).finished();
  holds = false;
  for (const route of held) await route.continue();
  await page.getByText("1 ready").waitFor();
  await page.getByText("moved.txt is ready").waitFor({ state: "attached" });
  const { values, spoken } = await seen.jsonValue();
  assert.ok(values.length > 2);
  assert.deepEqual(values, values.toSorted((one, other) => one - other));
  assert.equal(spoken[0], "moved.txt: 0 % sent");
  assert.ok(spoken.length > 2 && spoken.length <= 6, spoken.join());

  await page.route(/x-id=UploadPart/, () => {});
  await chooseLarge("cancelled.txt");
  const creation = page.waitForResponse(/api\/uploads$/);
  await press(page, "Upload 1 file");
  const { upload_id: id } = await (await creation).json();
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await press(page, "Cancel cancelled.txt");
  await ended;
  assert.equal((await details(id)).state, "deleted");
  await page.getByText("cancelled.txt", { exact: true }).waitFor({ state: "detached" });
});
