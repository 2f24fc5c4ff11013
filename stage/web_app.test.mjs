// What Ops and a Client do in the web app of a deployed stage, in a real Chromium. `checks/web_app.py`
// starts this, and reads the links that were made in the file `LINKS`.

import assert from "node:assert/strict";
import { appendFile, readFile } from "node:fs/promises";
import { test } from "node:test";

import { API, choose, heading, open, press, row, signedIn } from "../e2e/browser/page.mjs";

const { LINKS, S3 } = process.env;
const [OPS, CLIENT] = [process.env.OPS, process.env.CLIENT].map((it) => JSON.parse(it));
// The certificate of the stage is its own.
const STAGE = { ignoreHTTPSErrors: true };

// One comes from the function, the other in three parts and by a redirect to S3.
const FILES = {
  "a short story.txt": "what was said\n",
  "a long story.txt": "what was said, at length\n".repeat(800_000),
};

const signIn = ({ username, password }) => signedIn(username, password, `${API}/`, STAGE);

async function signOut(page, { username }) {
  await page.getByText(username, { exact: true }).click();
  await press(page, "Sign out");
  await heading(page, "Sign in");
}

// A row has its state twice, once for narrow screens.
const shows = (page, name, state) =>
  row(page, name).getByText(state, { exact: true }).filter({ visible: true }).waitFor();

test("Ops upload files in parts, which go to another origin, and see them become available", async () => {
  const page = await signIn(OPS);
  const parts = [];
  page.on("response", (response) => {
    if (response.request().method() === "PUT") parts.push(response);
  });
  await page.goto(`${API}/#/upload`);
  await heading(page, "Upload");
  await choose(page, ...Object.entries(FILES));
  await press(page, "Upload 2 files");
  await page.getByText("2 ready").waitFor();
  assert.equal(parts.length, 4);
  for (const part of parts) {
    assert.ok(part.url().startsWith(`${S3}/`) && new URL(S3).origin !== new URL(API).origin);
    // Without this header the page would not have been told that S3 has the part.
    assert.deepEqual([part.status(), await part.headerValue("access-control-allow-origin")], [200, "*"]);
  }
  await page.getByRole("link", { name: "My files" }).click();
  for (const name of Object.keys(FILES)) await shows(page, name, "Available");
  await signOut(page, OPS);
});

test("a Client makes links to them, and a browser downloads what was uploaded", async () => {
  const page = await signIn(CLIENT);
  for (const [name, content] of Object.entries(FILES)) {
    await page.reload(); // the session goes on by its cookie
    await row(page, name).getByRole("button", { name: /^Get link/ }).click();
    await press(page, "Make link");
    const link = await page.getByRole("textbox", { name: "Link" }).textContent();
    await appendFile(LINKS, `${link}\n`);
    const other = await open(link, STAGE);
    const [saved] = await Promise.all([other.waitForEvent("download"), press(other, "Download")]);
    assert.equal(saved.suggestedFilename(), name);
    assert.ok((await readFile(await saved.path(), "utf8")) === content, `${name} as it was uploaded`);
  }
  await page.goto(`${API}/#/links`);
  for (const name of Object.keys(FILES)) await shows(page, name, "Used");
  await signOut(page, CLIENT);
});
