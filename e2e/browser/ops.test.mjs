// What Ops do in the web app, in a real Chromium. `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
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
