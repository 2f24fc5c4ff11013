// Downloads in a real Chromium: the page of a link, its button, and what arrives. `scripts/browser`
// starts the server, whose STREAM_LIMIT_BYTES lies between the two files of these tests.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import { buffer } from "node:stream/consumers";
import { before, describe, test } from "node:test";
import { Sha256 } from "../../web/app/sha256.mjs";
import {
  API,
  call,
  expectComplaint,
  heading,
  makeClient,
  open,
  openTab,
  press,
  request,
  row,
  signedIn,
  signIn,
  STREAM_LIMIT_BYTES,
  tokenOf,
  upload,
} from "./page.mjs";

const LIMIT = Number(STREAM_LIMIT_BYTES);
const FILES = {
  "streamed by the function": "a".repeat(LIMIT),
  "handed out by S3": "b".repeat(LIMIT + 1),
};

let client;
const ids = {};

before(async () => {
  client = await tokenOf("client");
  for (const [name, content] of Object.entries(FILES)) ids[name] = await upload("figures.txt", content);
});

const link = (name, terms = {}) => call("POST", `/api/files/generate-download-link/${ids[name]}`, client, terms);
const listed = async (id) => (await call("GET", "/api/links", client)).find((it) => it.id === id);

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
        const { state, downloads } = await listed(made.id);
        assert.deepEqual({ state, downloads }, { state: "used", downloads: 1 });
      });
    }

    test("does not arrive in another browser once it has been clicked", async () => {
      const made = await link(name);
      const page = await open(made.page_url);
      assert.equal(await click(page, "Download"), content);
      expectComplaint(/410/);
      const other = await open(made.page_url);
      assert.match(await other.textContent("main"), /This link has been used/);
    });
  });
}

test("one cookie serves the pages of many links, each of which can be clicked and repeated", async () => {
  const pages = [await open((await link("streamed by the function")).page_url)];
  while (pages.length < 10) pages.push(await openTab(pages[0], (await link("streamed by the function")).page_url));
  assert.equal((await pages[0].context().cookies()).length, 1);
  for (const button of ["Download", "Download again"]) {
    for (const page of pages) {
      await page.reload();
      assert.equal(await click(page, button), FILES["streamed by the function"]);
    }
  }
});

// So that the tests above are known to see what they are about.
test("Chromium does not follow the redirect when the page's policy does not name S3", async () => {
  const made = await link("handed out by S3");
  expectComplaint(/form-action/);
  const page = await open();
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
});

const SMALL = "streamed by the function";
const LARGE = "handed out by S3";

/** The address of the app's view of a link, at the service or at what stands before it. */
const viewOf = ({ page_url: url }, base = API) => `${base}/#/download${new URL(url).search}`;

/**
 * What stands before the service, and does to one answer with a file after the other what `plan` says:
 * send `half` of it until `cut` is called, `change` a byte, or say that the service is `down`. What is not
 * in the plan passes.
 */
async function between(t, plan) {
  const ranges = [];
  let begun;
  const { hostname, port } = new URL(API);
  const server = createServer((received, response) => {
    const isFile = received.url.startsWith("/api/file/download?");
    const act = isFile ? plan[ranges.push(received.headers.range ?? "whole") - 1] : "";
    if (act === "down") return response.writeHead(503).end();
    const headers = { ...received.headers, host: `${hostname}:${port}` };
    const { method, url: path } = received;
    received.pipe(
      ask({ hostname, port, path, method, headers }, async (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        const bytes = await buffer(answer);
        if (act === "change") bytes[0] ^= 1;
        if (act !== "half") return response.end(bytes);
        begun = response;
        return response.write(bytes.subarray(0, bytes.length / 2));
      }),
    );
  });
  await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
  t.after(() => server.close().closeAllConnections());
  const url = `http://127.0.0.1:${server.address().port}`;
  expectComplaint(new RegExp(url));
  return { url, ranges, cut: () => begun.destroy() };
}

/** That the link has been redeemed as often as this. */
async function redeemed({ id }, times) {
  assert.equal((await listed(id)).downloads, times);
}

test("a download in the app goes on where it was: cut, offline, and with the service away", async (t) => {
  const plan = ["half", ...Array(40).fill("down")];
  const { url, ranges, cut } = await between(t, plan);
  const made = await link(SMALL);
  const page = await open(viewOf(made, url));
  await heading(page, "figures.txt");
  await page.getByText("This uses up the link. Looking at this page does not.").waitFor();
  await redeemed(made, 0);
  // What is shown for a second at most is collected, so that a slow test does not miss it.
  await page.evaluate(() => {
    globalThis.shown = new Set();
    const look = () => globalThis.shown.add(/Trying again in (\d+)/.exec(document.body.textContent)?.[1]);
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  const downloading = page.waitForEvent("download", { timeout: 60_000 });
  await press(page, "Download");
  await page.getByText("500 bytes of 1 KB").waitFor();
  cut();
  await page.getByRole("heading", { name: "The connection broke" }).waitFor();
  await page.getByText(/Trying again in [3-8] seconds/).waitFor();
  const shown = await page.evaluate(() => [...globalThis.shown]);
  for (const seconds of ["1", "2", "4"]) assert.ok(shown.includes(seconds), `${shown}`);
  plan[ranges.length] = "half";
  await press(page, "Try now");
  await page.getByText("750 bytes of 1 KB").waitFor();
  await page.context().setOffline(true);
  cut();
  plan.length = 0;
  await page.getByText(/Trying again in [2-9] seconds/).waitFor();
  await page.context().setOffline(false);
  await page.getByRole("heading", { name: "You have the file, exactly as it was sent" }).waitFor();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), "figures.txt");
  assert.equal(await readFile(await download.path(), "utf8"), FILES[SMALL]);
  assert.deepEqual([...new Set(ranges)], ["whole", "bytes=500-", "bytes=750-"]);
  const again = page.waitForEvent("download");
  await press(page, "Save again");
  assert.equal(await readFile(await (await again).path(), "utf8"), FILES[SMALL]);
  await redeemed(made, 1);
});

test("a download in the app that was cut begins again after a reload, and does not count again", async (t) => {
  const { url, cut } = await between(t, ["half", ...Array(9).fill("down")]);
  const made = await link(SMALL);
  const page = await open(viewOf(made, url));
  page.on("dialog", (dialog) => dialog.accept()); // the browser asks whether to leave
  await press(page, "Download");
  await page.getByText("500 bytes of 1 KB").waitFor();
  cut();
  await page.getByRole("heading", { name: "The connection broke" }).waitFor();
  await page.goto(viewOf(made)); // the service itself, of which the browser has the same cookie
  await page.reload();
  await page.getByText(/Your download has begun. Until .* does not count again/).waitFor();
  assert.equal(await click(page, "Download again"), FILES[SMALL]);
  await redeemed(made, 1);
  const script = await page.evaluate(() => `${document.cookie} ${Object.keys(localStorage)} ${Object.keys(sessionStorage)}`);
  assert.doesNotMatch(script, /download|lease/i, "no script can read what a download goes on with");
});

test("the app digests bytes that come in pieces of any length as others digest them at once", () => {
  for (let length = 0; length < 260; length += 1) {
    const bytes = randomBytes(length);
    const hash = new Sha256();
    for (let at = 0, piece = 1 + (length % 70); at < length; at += piece) hash.add(bytes.subarray(at, at + piece));
    assert.equal(hash.end(), createHash("sha256").update(bytes).digest("hex"), `${length} bytes`);
  }
});

test("what is not the file that was sent is not saved", async (t) => {
  const { url } = await between(t, ["change"]);
  const made = await link(SMALL);
  const page = await open(viewOf(made, url));
  let saved = 0;
  page.on("download", () => (saved += 1));
  await press(page, "Download");
  await page.getByRole("heading", { name: "What arrived is not the file that was sent" }).waitFor();
  assert.equal(saved, 0);
  assert.equal(await click(page, "Try again"), FILES[SMALL]);
  await redeemed(made, 1);
});

test("the app leaves a file from S3 to the browser, and says so before", async () => {
  const made = await link(LARGE, { max_downloads: 3 });
  const page = await open(viewOf(made));
  await page.getByText("your browser downloads it by itself").waitFor();
  await page.getByText("This uses one of the 3 downloads that are left.").waitFor();
  assert.equal(await click(page, "Download"), FILES[LARGE]);
  await page.getByRole("heading", { name: "Your browser downloads the file" }).waitFor();
  await redeemed(made, 1);
});

test("the app says what became of a link that no longer works", async () => {
  expectComplaint(/40[04]|410/);
  const [used, revoked] = [await link(SMALL), await link(SMALL)];
  await request("GET", used.download_url);
  await request("DELETE", `/api/links/${revoked.id}`, { token: client });
  const page = await open(viewOf(used));
  await heading(page, "This link has been used");
  await page.goto(viewOf(revoked));
  await heading(page, "This link was revoked");
  await page.goto(viewOf({ page_url: used.page_url.replace(/.{9}$/, "AAAAAAAAA") }));
  await heading(page, "There is no such link");
  await page.route("**/download?*", (route) => route.fulfill({ status: 410, json: { code: "link_expired", detail: "It is over." } }));
  await page.goto(viewOf(await link(SMALL)));
  await heading(page, "This link has expired");
});

test("a link for its maker only is downloaded by whoever signs in as its maker, and by no one else", async () => {
  const page = await signedIn("client");
  await page.getByLabel("Search files").fill("figures.txt");
  await row(page, "figures.txt").last().getByRole("button", { name: "Get link" }).click();
  await page.getByLabel("Only me").check();
  await page.getByText("Only you can download the file once").waitFor();
  await press(page, "Make link");
  const url = await page.getByRole("textbox", { name: "Link" }).textContent();
  const opening = page.waitForEvent("popup");
  await page.getByRole("link", { name: "Download now" }).click();
  const tab = await opening;
  await heading(tab, "figures.txt");
  await tab.getByText("For you only, signed in").waitFor();

  expectComplaint(/40[13]/);
  const other = await open(url);
  await other.getByRole("link", { name: "Sign in" }).click();
  await makeClient("stranger.of.links", "a phrase of a stranger");
  await signIn(other, "stranger.of.links", "a phrase of a stranger");
  await heading(other, "This link is not for you");
  const own = await open(url);
  await own.getByRole("link", { name: "Sign in" }).click();
  await signIn(own, "client");
  await heading(own, "figures.txt");
  assert.ok(Object.values(FILES).includes(await click(own, "Download")));
});

test("the page of a link leads to the app's view of it", async () => {
  const made = await link(SMALL);
  for (const url of [made.page_url, made.download_url]) {
    const page = await open(url);
    await page.getByRole("link", { name: /Download it in the app/ }).click();
    await page.getByText("This uses up the link.").waitFor();
    assert.equal(page.url(), viewOf(made));
  }
});
