// One's own account in a real Chromium: password, sessions, and the second factor.
// `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { confirm, expectComplaint, heading, login, makeClient, openTab, press, request, section, signedIn, signIn, tokenOf, upload } from "./page.mjs";

async function openAccount(page, username) {
  await heading(page, "Files");
  await page.getByText(username, { exact: true }).click();
  await page.getByRole("link", { name: "Account and security" }).click();
  await heading(page, "Account and security");
}

// The code of RFC 6238 that an app shows for a key in base32, `ahead` steps of 30 seconds from now.
function codeOf(key, ahead = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = bits.match(/.{8}/g).map((byte) => parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const digest = createHmac("sha1", Buffer.from(bytes)).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

test("a new password counts from then on, and ends the other sessions", async () => {
  await makeClient("account-password", "a phrase before");
  const page = await signedIn("account-password", "a phrase before");
  assert.equal((await login("account-password", "a phrase before")).status, 200);
  await openAccount(page, "account-password");
  const sessions = section(page, "Where you are signed in");
  await sessions.getByRole("listitem").nth(1).waitFor();

  expectComplaint(/40[03].*account\/password/);
  const form = section(page, "Password");
  await form.getByRole("textbox", { name: "Current password" }).fill("not this one");
  await form.getByRole("textbox", { name: "New password" }).fill("a phrase from now on");
  await press(form, "Change password");
  await form.getByRole("alert").getByText("This is not your password.").waitFor();
  assert.equal(await form.getByRole("textbox", { name: "New password" }).inputValue(), "a phrase from now on");
  await form.getByRole("textbox", { name: "Current password" }).fill("a phrase before");
  await press(form, "Change password");
  await page.getByText("Password changed. You are signed out everywhere else.").waitFor();
  await sessions.getByRole("listitem").nth(1).waitFor({ state: "detached" });
  assert.equal((await login("account-password", "a phrase before")).status, 401);
  assert.equal((await login("account-password", "a phrase from now on")).status, 200);

  // This session goes on, also for a second change.
  await form.getByRole("textbox", { name: "Current password" }).fill("a phrase from now on");
  await form.getByRole("textbox", { name: "New password" }).fill("a third phrase");
  await press(form, "Change password");
  await page.waitForFunction(() => document.querySelector("#current")?.value === "");
  await page.reload();
  await heading(page, "Account and security");
  assert.equal((await login("account-password", "a third phrase")).status, 200);
});

test("a session that is ended elsewhere has ended there, and goes on here", async () => {
  await makeClient("account-sessions", "a phrase for sessions");
  const page = await signedIn("account-sessions", "a phrase for sessions");
  const tokens = [];
  while (tokens.length < 3) {
    tokens.push((await (await login("account-sessions", "a phrase for sessions")).json()).access);
  }
  const status = async (access) =>
    (await request("GET", "/api/account", { token: access })).status;
  await openAccount(page, "account-sessions");
  const entries = section(page, "Where you are signed in").getByRole("listitem");
  await entries.nth(3).waitFor();
  assert.match(await entries.filter({ hasText: "This device" }).textContent(), /Chrome on Linux/);
  assert.equal(await entries.filter({ hasText: "This device" }).getByRole("button").count(), 0);

  await entries.filter({ hasText: "node" }).first().getByRole("button").click();
  await entries.nth(3).waitFor({ state: "detached" });
  assert.deepEqual((await Promise.all(tokens.map(status))).toSorted(), [200, 200, 401]);

  const focus = () => page.evaluate(() => document.activeElement.textContent);
  assert.equal(await focus(), "Where you are signed in");
  await press(page, "Sign out everywhere else");
  await page.getByText("Signed out everywhere else.").waitFor();
  assert.equal(await entries.count(), 1);
  assert.equal(await focus(), "Where you are signed in");
  assert.deepEqual(await Promise.all(tokens.map(status)), [401, 401, 401]);
  await page.reload();
  await heading(page, "Account and security");
});

test("a second factor is set up, asked for, gets new codes, and is turned off", async () => {
  await makeClient("account-factor", "a phrase for factors");
  const page = await signedIn("account-factor", "a phrase for factors");
  await openAccount(page, "account-factor");
  await page.getByRole("link", { name: "Set up" }).click();
  await heading(page, "Set up a second factor");
  await page.getByRole("textbox", { name: "Type your password" }).fill("a phrase for factors");
  await press(page, "Continue");
  await page.getByRole("img", { name: "QR code to scan with your authenticator app" }).waitFor();
  await press(page, "Copy key");
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const key = await page.evaluate(() => navigator.clipboard.readText());
  await page.getByLabel("Six-digit code").fill(codeOf(key));
  await press(page, "Turn on second factor");
  await heading(page, "Keep these recovery codes");
  await press(page, "Copy codes");
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const codes = (await page.evaluate(() => navigator.clipboard.readText())).split("\n");
  assert.equal(codes.length, 10);
  assert.deepEqual(await page.getByRole("listitem").allTextContents(), codes);
  const [question] = await Promise.all([page.waitForEvent("dialog"), page.evaluate(() => void setTimeout(() => location.reload()))]);
  assert.equal(question.type(), "beforeunload");
  await question.dismiss();
  await page.getByRole("link", { name: "My links" }).click();
  await confirm(page, "Leave these codes?", "Stay here");
  assert.deepEqual(await page.getByRole("listitem").allTextContents(), codes);
  await press(page, "I have stored these codes");
  await heading(page, "Account and security");
  assert.ok(!(await page.content()).includes(codes[0]), "the codes are gone");
  assert.equal((await (await login("account-factor", "a phrase for factors")).json()).code, "second_factor_required");

  await page.goto(new URL("/#/account/second-factor", page.url()).href);
  await page.reload();
  await heading(page, "Your second factor is on");
  await page.getByRole("main").getByRole("link", { name: "Account and security" }).click();
  await press(page, "Make new ones");
  const dialog = page.getByRole("dialog", { name: "Make new recovery codes?" });
  await dialog.getByLabel("Code from your app").fill(codeOf(key, 1));
  await press(dialog, "Make new codes");
  const shown = page.getByRole("dialog", { name: "Keep these recovery codes" });
  await shown.waitFor();
  const fresh = await shown.getByRole("listitem").allTextContents();
  assert.equal(fresh.length, 10);
  await page.keyboard.press("Escape");
  await press(shown, "I have stored these codes");

  await page.getByText("account-factor", { exact: true }).click();
  await press(page, "Sign out");
  await heading(page, "Sign in");
  expectComplaint(/401.*api\/sessions$/); // what asks for the code
  await signIn(page, "account-factor", "a phrase for factors");
  await heading(page, "Enter your code");
  await press(page, "Use a recovery code");
  await page.getByLabel("Recovery code").fill(fresh[0]);
  await press(page, "Continue");
  await openAccount(page, "account-factor"); // whoever signs in after a sign-out begins anew

  const factor = section(page, "Second factor");
  await press(factor, "Turn off");
  const off = page.getByRole("alertdialog", { name: "Turn off the second factor?" });
  await off.getByRole("textbox", { name: "Password" }).fill("a phrase for factors");
  await off.getByLabel("Code from your app").fill(fresh[1]);
  await press(off, "Turn off");
  await page.getByText("The second factor is off.").waitFor();
  await factor.getByRole("link", { name: "Set up" }).waitFor();
  assert.equal((await login("account-factor", "a phrase for factors")).status, 200);
});

test("the colours that are chosen stay, in this tab after a reload and in the others at once", async () => {
  await makeClient("account-colours", "a phrase for colours");
  const page = await signedIn("account-colours", "a phrase for colours");
  await openAccount(page, "account-colours");
  const other = await openTab(page, "/");
  await heading(other, "Files");
  const ground = (tab) => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(page), "rgb(255, 255, 255)");

  await page.getByRole("radio", { name: "Dark" }).check();
  assert.equal(await ground(page), "rgb(17, 20, 24)");
  await other.waitForFunction(() => getComputedStyle(document.body).backgroundColor === "rgb(17, 20, 24)");
  // Before any module runs, so nothing is ever drawn in the other colours.
  await page.route(/main-[^/]*\.mjs|main\.mjs/, () => {});
  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.body && getComputedStyle(document.body).backgroundColor === "rgb(17, 20, 24)");
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.reload();
  await page.getByRole("radio", { name: "System" }).check();
  assert.equal(await ground(page), "rgb(255, 255, 255)");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await ground(page), "rgb(17, 20, 24)");
});

test("a user exports what is held, and deletes the account with the password", async () => {
  await makeClient("account-ends", "a phrase to end");
  const page = await signedIn("account-ends", "a phrase to end");
  await openAccount(page, "account-ends");
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, "Export data")]);
  assert.equal(download.suggestedFilename(), "account-ends.json");
  const held = JSON.parse(await readFile(await download.path(), "utf8"));
  assert.equal(held.account.username, "account-ends");

  expectComplaint(/403.*api\/account/);
  await press(page, "Delete account…");
  const dialog = page.getByRole("alertdialog", { name: "Delete your account?" });
  await dialog.getByText("This cannot be undone.").waitFor();
  await dialog.getByRole("textbox", { name: "Password" }).fill("not this one");
  await press(dialog, "Delete account");
  await dialog.getByRole("alert").getByText("This is not your password.").waitFor();
  await dialog.getByRole("textbox", { name: "Password" }).fill("a phrase to end");
  await press(dialog, "Delete account");
  await heading(page, "Sign in");
  await page.getByRole("status").getByText("Your account is deleted.").waitFor();
  assert.equal((await login("account-ends", "a phrase to end")).status, 401);
});

test("without a connection a bar says so, and a list that failed is there when it is back", async () => {
  await makeClient("account-offline", "a phrase without a line");
  const page = await signedIn("account-offline", "a phrase without a line");
  await heading(page, "Files");
  await page.getByRole("link", { name: "My links" }).click();
  await page.getByRole("heading", { name: "You have made no links" }).waitFor(); // an answer that came later would hide the bar
  expectComplaint(/net::ERR_/);
  await page.context().setOffline(true);
  const bar = page.getByText("You are offline.", { exact: true });
  await bar.waitFor();
  await page.getByRole("link", { name: "Files" }).click();
  await page.getByRole("alert").getByText("The service cannot be reached.").waitFor();
  await page.context().setOffline(false);
  await page.getByRole("heading", { name: "No files yet" }).waitFor();
  await bar.waitFor({ state: "detached" });

  // A server that does not answer is the same to a browser that has a network.
  await page.route(/\/api\//, (route) => route.abort());
  await page.getByRole("link", { name: "My links" }).click();
  await bar.waitFor();
  await page.unrouteAll();
  await page.getByRole("status").getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "You have made no links" }).waitFor();
  await bar.waitFor({ state: "detached" });
});

test("a start that fails says what happened and which request, and goes on by itself", async () => {
  await makeClient("account-waits", "a phrase for waiting");
  const page = await signedIn("account-waits", "a phrase for waiting");
  await heading(page, "Files");
  expectComplaint(/503/);
  const problem = { status: 503, code: "dependency_unavailable", detail: "…", request_id: "9b5e3d55-f443" };
  await page.route(/\/api\/sessions\/refresh/, (route) =>
    route.fulfill({ status: 503, headers: { "retry-after": "2" }, contentType: "application/problem+json", body: JSON.stringify(problem) }),
  );
  await page.reload();
  await heading(page, "Something we depend on does not answer");
  await page.getByText("no link was used up").waitFor();
  await page.getByText("9b5e3d55-f443", { exact: true }).waitFor();
  await page.getByText(/^503, dependency_unavailable, today at/).waitFor();
  await page.unrouteAll();
  await heading(page, "Files");
});

test("a session that ends while one types leads back to what was typed", async () => {
  await makeClient("account-types", "a phrase for typing");
  await upload("typed about.txt", "some text");
  const page = await signedIn("account-types", "a phrase for typing");
  await press(page, "Get link to typed about.txt");
  await page.getByLabel("Note").fill("half a note");
  const token = await tokenOf("account-types", "a phrase for typing");
  for (const { id, current } of await (await request("GET", "/api/sessions", { token })).json()) {
    if (!current) await request("DELETE", `/api/sessions/${id}`, { token });
  }
  expectComplaint(/401/);
  await press(page, "Make link");
  await page.getByRole("status").getByText("Your session has ended.").waitFor();
  await signIn(page, "account-types", "a phrase for typing");
  await press(page, "Get link to typed about.txt");
  assert.equal(await page.getByLabel("Note").inputValue(), "half a note");
  assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage).includes("phrase")), false);
});
