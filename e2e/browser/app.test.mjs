// The web app in a real Chromium: what each role does with it, from the first page on.
// `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { API, expectComplaint, heading, makeClient, open, openTab, press, request, row, signedIn, signIn, tokenOf, upload } from "./page.mjs";

test("a Client signs up, makes a link, sees it once, and revokes it", async () => {
  await upload("figures of the story.txt", "some figures");
  const page = await open();

  await heading(page, "Sign in");
  await page.getByRole("link", { name: "Sign up as a client" }).click();
  await heading(page, "Sign up as a client");
  await page.getByLabel("Username").fill("story-client");
  await page.getByLabel("E-mail address").fill("story-client@example.org");
  await page.getByRole("textbox", { name: "Password" }).fill("a phrase for the story");
  await press(page, "Sign up");
  await heading(page, "Check your mail");

  const [verified] = await Promise.all([
    page.waitForResponse((it) => it.url().includes("/api/users/verify-email")),
    page.getByRole("link", { name: "Verify the address here" }).click(),
  ]);
  assert.equal(verified.status(), 200);
  const [proven] = await Promise.all([
    page.waitForResponse((it) => it.request().method() === "POST" && it.url().includes("/api/users/verify-email")),
    page.getByRole("button").click(),
  ]);
  assert.equal(proven.status(), 200);

  await page.goto(`${API}/`);
  await heading(page, "Sign in");
  await signIn(page, "story-client", "a phrase for the story");
  await heading(page, "Files");
  assert.equal(await page.title(), "Files · Secure File Share");

  await page.getByLabel("Search files").fill("of the STORY");
  await page.getByText("1 file", { exact: true }).waitFor();
  await row(page, "figures of the story.txt").getByRole("button", { name: /^Get link/ }).click();
  const terms = page.getByRole("dialog", { name: "Get a link" });
  await terms.getByLabel("Downloads").press("ArrowUp");
  await terms.getByLabel("Note").fill("for <b>Rosa</b>");
  await terms.getByRole("button", { name: "Make link" }).click();

  const made = page.getByRole("dialog", { name: "Your link is ready" });
  const secret = await made.getByRole("textbox", { name: "Link" }).textContent();
  assert.ok(secret.startsWith(`${API}/download?token=`), secret);
  await made.getByRole("button", { name: "Copy link" }).click();
  await made.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await made.getByRole("button", { name: "Done" }).click();
  await made.waitFor({ state: "detached" });
  assert.ok(!(await page.content()).includes(secret), "the link is gone");

  await page.getByRole("link", { name: "My links" }).click();
  await heading(page, "My links");
  const entry = row(page, "for <b>Rosa</b>");
  assert.match(await entry.textContent(), /Live.*2 of 2 left/s);
  await page.reload();
  await entry.getByRole("button", { name: /^Revoke/ }).click();
  const dialog = page.getByRole("alertdialog", { name: "Revoke this link?" });
  await dialog.getByRole("button", { name: "Revoke link" }).click();
  await page.getByText("Link revoked. Nobody can use it any more.").waitFor();
  assert.match(await entry.textContent(), /Revoked/);
  assert.equal((await fetch(secret)).status, 410);

  await page.getByText("story-client", { exact: true }).click();
  await press(page, "Sign out");
  await heading(page, "Sign in");
});

test("signing out in one tab signs out all, and each leads back to where it was", async () => {
  const page = await open("/#/links");
  await heading(page, "Sign in");
  await signIn(page, "client");
  await heading(page, "My links");
  const other = await openTab(page, "/#/files");
  await heading(other, "Files");
  await other.getByText("client", { exact: true }).click();
  await press(other, "Sign out");
  await Promise.all([heading(other, "Sign in"), heading(page, "Sign in")]);
  await signIn(page, "client");
  await Promise.all([heading(page, "My links"), heading(other, "Files")]);
});

test("a session that has ended leads to signing in, and back to where one was", async () => {
  // A Client of its own: tests of other files have sessions of the local one.
  const [username, password] = ["session-ends", "a phrase that ends"];
  await makeClient(username, password);
  const page = await signedIn(username, password);
  await heading(page, "Files");
  await request("DELETE", "/api/sessions", { token: await tokenOf(username, password) });
  expectComplaint(/401.*(links|refresh)/);
  await page.getByRole("link", { name: "My links" }).click();
  await heading(page, "Sign in");
  await page.getByText("Your session has ended.").waitFor();
  await signIn(page, username, password);
  await heading(page, "My links");
});

test("a browser that has its cookies no more leads to signing in", async () => {
  const page = await signedIn("client");
  await heading(page, "Files");
  await page.context().clearCookies();
  expectComplaint(/422.*refresh/);
  await page.reload();
  await heading(page, "Sign in");
  await page.getByText("Your session has ended.").waitFor();
});

test("a wrong password is said at the field, and nothing that was typed is lost", async () => {
  const page = await open();
  expectComplaint(/401.*api\/sessions$/);
  await signIn(page, "client", "another password");
  const summary = page.getByRole("alert");
  await summary.getByText("This name and password do not belong together.").waitFor();
  assert.ok(await summary.evaluate((it) => it === document.activeElement), "it has the focus");
  await summary.getByRole("link").click();
  const name = page.getByLabel("Username or e-mail address");
  assert.ok(await name.evaluate((it) => it === document.activeElement));
  assert.equal(await name.inputValue(), "client");
  await signIn(page, "client");
  await heading(page, "Files");
});
