// Downloads in a real Chromium: the page of a link, its button, and what arrives. `scripts/browser`
// starts the server, whose STREAM_LIMIT_BYTES lies between the two files of these tests.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { call, expectComplaint, open, openTab, STREAM_LIMIT_BYTES, tokenOf, upload } from "./page.mjs";

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

const link = (name) => call("POST", `/api/files/generate-download-link/${ids[name]}`, client, {});
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
