// What an attacker, or bad luck, must not reach in the web app.

import assert from "node:assert/strict";
import { test } from "node:test";
import { API, call, choose, expectComplaint, heading, makeClient, openTab, press, signedIn, tokenOf } from "./page.mjs";

const PASSWORD = "a phrase against attacks";

/** Makes another account's cookie that of this browser, as another tab does, without that tab's message. */
const becomeElsewhere = (page, username, password) =>
  page.evaluate(
    (body) => fetch("api/sessions", { method: "POST", headers: { "content-type": "application/json" }, body }),
    JSON.stringify({ username, password, cookie: true }),
  );

test("a tab in which one account is signed in never acts for another whose cookie has come", async () => {
  await makeClient("first-tab", PASSWORD);
  await makeClient("second-tab", PASSWORD);
  const page = await signedIn("first-tab", PASSWORD, "/#/links");
  await heading(page, "My links");
  await becomeElsewhere(page, "second-tab", PASSWORD);
  const second = (await call("GET", "/api/account", await tokenOf("second-tab", PASSWORD))).id;
  const acting = [];
  page.on("request", (request) => {
    const token = request.headers().authorization?.split(".")[1];
    if (token) acting.push(JSON.parse(Buffer.from(token, "base64url")).sub);
  });
  // As for a machine that slept, so that the token is replaced.
  await page.evaluate(() => (Date.now = ((now) => () => now() + 8 * 3_600_000)(Date.now)));
  await page.getByRole("link", { name: "Files" }).click();
  await heading(page, "Sign in");
  assert.ok(!acting.includes(second));
  assert.ok(!(await page.getByText("first-tab").isVisible()));
});

test("a sign-in in another tab ends what a tab of another account is doing", async () => {
  await makeClient("third-tab", PASSWORD);
  const page = await signedIn("ops", undefined, "/#/upload");
  await heading(page, "Upload");
  let asked = false;
  page.on("dialog", (dialog) => {
    asked = true;
    dialog.dismiss();
  });
  await page.route(/x-id=UploadPart/, () => {});
  await choose(page, ["of-the-first.txt", "some words"]);
  await Promise.all([page.waitForRequest(/x-id=UploadPart/), press(page, "Upload 1 file")]);
  const tab = await openTab(page, "/#/upload");
  await heading(tab, "Upload");
  // The tab becomes another account's without a sign-out before.
  await tab.evaluate(async (body) => {
    const answer = await fetch("api/sessions", { method: "POST", headers: { "content-type": "application/json" }, body });
    const { access } = await answer.json();
    const { sub } = JSON.parse(atob(access.split(".")[1]));
    new BroadcastChannel("session").postMessage({ begun: sub });
  }, JSON.stringify({ username: "third-tab", password: PASSWORD, cookie: true }));
  await heading(page, "Sign in");
  assert.equal(asked, false, "nothing keeps the page of the other account");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test("a sign-out that the service did not answer is not shown as one", async () => {
  await makeClient("stays-in", PASSWORD);
  const page = await signedIn("stays-in", PASSWORD);
  await heading(page, "Files");
  expectComplaint(/ERR_FAILED|503/);
  const signOut = async () => {
    await page.locator("header").getByText("stays-in", { exact: true }).click();
    await press(page, "Sign out");
  };
  await page.route("**/api/sessions/current", (route) => route.abort());
  await signOut();
  await page.getByText("You are still signed in").waitFor();
  await page.unroute("**/api/sessions/current");
  await page.reload();
  await heading(page, "Files");
  await signOut();
  await heading(page, "Sign in");
});

/** Uploads what is chosen, and waits until `count` are ready. */
async function send(page, count) {
  await press(page, count === 1 ? "Upload 1 file" : `Upload ${count} files`);
  await page.getByText(`${count} ready`).waitFor();
}

test("a file that is chosen again for other people is not the upload that was begun for everybody", async () => {
  await makeClient("only-this-one", PASSWORD);
  const page = await signedIn("ops", undefined, "/#/upload");
  await heading(page, "Upload");
  const file = await page.evaluateHandle(() => new File(["for one Client"], "for-one.txt", { lastModified: 1 }));
  const drop = (handle) =>
    page.evaluate((it) => {
      const data = new DataTransfer();
      data.items.add(it);
      const input = document.querySelector("input[type=file]");
      input.files = data.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }, handle);
  // It stays until the end: to take it away while a page loads can leave a request of the page unanswered.
  let holds = true;
  await page.route(/x-id=UploadPart/, (route) => (holds ? undefined : route.continue()));
  await drop(file);
  const [begun] = await Promise.all([
    page.waitForResponse((it) => it.url() === `${API}/api/uploads` && it.request().method() === "POST"),
    page.waitForRequest(/x-id=UploadPart/),
    press(page, "Upload 1 file"),
  ]);
  const first = (await begun.json()).upload_id;
  page.on("dialog", (dialog) => dialog.accept());
  await page.reload();
  holds = false;
  await heading(page, "Upload");
  const again = await page.evaluateHandle(() => new File(["for one Client"], "for-one.txt", { lastModified: 1 }));
  await drop(again);
  await page.getByLabel("Only these people").check();
  await page.getByLabel("People and groups").pressSequentially("only-this-one,");
  await send(page, 1);
  const files = await call("GET", "/api/files/uploaded?q=for-one", await tokenOf("ops"));
  const available = files.filter(({ state }) => state === "available");
  assert.deepEqual(available.map(({ recipients }) => recipients), [["only-this-one"]]);
  assert.notEqual(available[0].id, first);
  // Names do not stay in the browser.
  assert.ok(!(await page.evaluate(() => Object.entries(localStorage).join().includes("for-one"))));
});

test("two files alike in name, size and date are two files", async () => {
  const page = await signedIn("ops", undefined, "/#/upload");
  await heading(page, "Upload");
  // The first one is on its way until the second one has begun.
  let first;
  let go;
  const second = new Promise((resolve) => (go = resolve));
  page.on("response", async (response) => {
    const request = response.request();
    if (request.url() !== `${API}/api/uploads` || request.postDataJSON().filename !== "twin.txt") return;
    if (first) go();
    first ??= (await response.json()).upload_id;
  });
  await page.route(/x-id=UploadPart/, async (route) => {
    if (route.request().url().includes(first)) await second;
    await route.continue();
  });
  await page.evaluate(() => {
    const data = new DataTransfer();
    for (const name of ["twin.txt", "other.txt", "twin.txt"])
      data.items.add(new File([`file ${data.items.length}`], name, { lastModified: 1 }));
    const input = document.querySelector("input[type=file]");
    input.files = data.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await send(page, 3);
  const files = await call("GET", "/api/files/uploaded?q=twin", await tokenOf("ops"));
  assert.equal(new Set(files.map(({ sha256 }) => sha256)).size, 2);
});
