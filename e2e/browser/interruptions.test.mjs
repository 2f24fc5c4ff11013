// What comes between: no network, a service that does not answer, other tabs, impatience, and the ways
// back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { API, confirm, expectComplaint, heading, makeClient, open, openTab, press, request, row, section, signedIn, signIn, tokenOf, upload } from "./page.mjs";

const PASSWORD = "a phrase of interruptions";

test("without a network and with a service that does not answer, nothing typed is lost and all goes on", async () => {
  await makeClient("interrupted", PASSWORD);
  await upload("interrupted.txt", "some words");
  const page = await signedIn("interrupted", PASSWORD);
  await heading(page, "Files");
  await row(page, "interrupted.txt").getByRole("button", { name: /^Get link/ }).click();
  const dialog = page.getByRole("dialog", { name: "Get a link" });
  await dialog.getByLabel("Note").fill("what was typed");

  expectComplaint(/ERR_INTERNET_DISCONNECTED|50[23]/);
  await page.context().setOffline(true);
  await press(dialog, "Make link");
  await dialog.getByText("You are offline").waitFor();
  await page.context().setOffline(false);

  const refusal = { code: "temporarily_unavailable", detail: "Later.", request_id: "the-number-of-the-request" };
  await page.route("**/generate-download-link/*", (route) =>
    route.fulfill({ status: 503, headers: { "retry-after": "1" }, json: refusal }),
  );
  await press(dialog, "Make link");
  await dialog.getByText("Something we depend on does not answer").waitFor();
  await dialog.getByText("the-number-of-the-request").waitFor();
  await page.unroute("**/generate-download-link/*");
  assert.equal(await dialog.getByLabel("Note").inputValue(), "what was typed");
  await press(dialog, "Make link");
  await press(page.getByRole("dialog", { name: "Your link is ready" }), "Copy link");
  await press(page.getByRole("dialog"), "Done");

  await page.route("**/api/links", (route) => route.fulfill({ status: 503, json: refusal }));
  await page.getByRole("link", { name: "My links" }).click();
  await page.getByText("Something we depend on does not answer").waitFor();
  await page.unroute("**/api/links");
  await press(page, "Try again");
  await row(page, "what was typed").waitFor();
});

test("tabs whose tokens have ended refresh them one at a time, and stay signed in", async () => {
  await makeClient("tabs", PASSWORD);
  const page = await signedIn("tabs", PASSWORD);
  await heading(page, "Files");
  const tabs = [page, await openTab(page, "/#/files"), await openTab(page, "/#/files")];
  await Promise.all(tabs.map((it) => heading(it, "Files")));
  let [running, most, refreshes] = [0, 0, 0];
  const count = (event, change) =>
    page.context().on(event, (it) => {
      if (!it.url().endsWith("/api/sessions/refresh")) return;
      running += change;
      most = Math.max(most, running);
      refreshes += change > 0;
    });
  count("request", 1);
  count("requestfinished", -1);
  // Eight hours later, as for a machine that slept.
  for (const it of tabs) await it.evaluate(() => (Date.now = ((now) => () => now() + 8 * 3_600_000)(Date.now)));
  await Promise.all(tabs.map((it) => it.getByRole("link", { name: "My links" }).click()));
  await Promise.all(tabs.map((it) => it.getByRole("heading", { name: "You have made no links" }).waitFor()));
  assert.deepEqual({ most, refreshes }, { most: 1, refreshes: tabs.length });
});

/**
 * Presses a button, and once more while its request is on its way. Fails when it sends a second request.
 */
async function pressTwice(page, button, method, path) {
  const name = `${method} ${path}`;
  let sent = 0;
  let release;
  const held = new Promise((go) => (release = go));
  await page.route(path, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    sent += 1;
    await held;
    await route.fallback();
  });
  const answered = page.waitForResponse((it) => it.request().method() === method && path.test(it.url()));
  await button.dblclick();
  await button.page().keyboard.press("Enter");
  release();
  await answered;
  assert.equal(sent, 1, name);
  await page.unroute(path);
}

test("a button that is pressed twice sends once", async () => {
  await makeClient("impatient", PASSWORD);
  await upload("impatient.txt", "some words");
  const button = (scope, name) => scope.getByRole("button", { name });

  const page = await open("/#/sign-up");
  await page.getByLabel("Username").fill("impatient-too");
  await page.getByLabel("E-mail address").fill("impatient-too@example.org");
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await pressTwice(page, page.locator("form button[type=submit]"), "POST", /users\/signup/);
  await pressTwice(page, page.locator(".acts button").first(), "POST", /account\/verification/);
  await page.goto(`${API}/#/forgotten`);
  await page.getByLabel("E-mail address").fill("impatient@example.org");
  await pressTwice(page, page.locator("form button[type=submit]"), "POST", /password-reset/);

  await page.goto(`${API}/#/sign-in`);
  await page.getByLabel("Username or e-mail address").fill("impatient");
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await pressTwice(page, page.locator("form button[type=submit]"), "POST", /api\/sessions$/);
  await heading(page, "Files");
  await row(page, "impatient.txt").getByRole("button", { name: /^Get link/ }).click();
  await pressTwice(page, page.locator("dialog .dlg-f button").last(), "POST", /generate-download-link/);
  await press(page.getByRole("dialog", { name: "Your link is ready" }), "Copy link");
  await press(page.getByRole("dialog"), "Done");
  await page.getByRole("link", { name: "My links" }).click();
  await button(page, /^Revoke/).click();
  await pressTwice(page, page.locator("dialog .dlg-f button").last(), "DELETE", /api\/links/);
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.goto(`${API}/#/account`);
  await heading(page, "Account and security");
  const password = section(page, "Password");
  await password.getByRole("textbox", { name: "Current password" }).fill(PASSWORD);
  await password.getByRole("textbox", { name: "New password" }).fill(`${PASSWORD} anew`);
  await pressTwice(page, password.locator("button[type=submit]"), "POST", /account\/password/);
  await page.getByText("Password changed.").waitFor();

  const admin = await signedIn("admin");
  await heading(admin, "People");
  await admin.goto(`${API}/#/invitations`);
  await press(admin, "Invite");
  await admin.getByRole("dialog").getByLabel("E-mail address").fill("impatient-ops@example.org");
  await pressTwice(admin, admin.locator("dialog .dlg-f button").last(), "POST", /invitations/);
  await pressTwice(admin, row(admin, "impatient-ops@").getByRole("button").first(), "POST", /invitations/);
  await admin.goto(`${API}/#/groups`);
  await admin.getByLabel("New group").fill("impatient");
  await pressTwice(admin, admin.locator("form button[type=submit]").first(), "POST", /groups/);
  await press(admin, "Members of impatient");
  await admin.getByLabel("Add somebody").fill("impatient");
  await pressTwice(admin, admin.locator(".more form button[type=submit]"), "PUT", /members/);
  await pressTwice(admin, admin.locator(".more li button"), "DELETE", /members/);
});

test("the way back and a reload lead to the same place at each step", async () => {
  await makeClient("goes-back", PASSWORD);
  await upload("goes-back.txt", "some words");
  const page = await signedIn("goes-back", PASSWORD, "/#/links");
  await heading(page, "My links");
  await page.getByRole("link", { name: "Files" }).click();
  await page.getByLabel("Search files").fill("goes-back");
  await page.getByText("1 file", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^Get link/ }).click();
  await page.getByRole("dialog", { name: "Get a link" }).waitFor();
  await page.goBack();
  await heading(page, "My links");
  assert.equal(await page.locator("dialog").count(), 0);
  await page.goForward();
  await page.getByText("1 file", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("Search files").inputValue(), "goes-back");
  await page.reload();
  await page.getByText("1 file", { exact: true }).waitFor();
  await page.getByText("goes-back", { exact: true }).click();
  await page.getByRole("link", { name: "Account and security" }).click();
  await page.getByRole("link", { name: "Set up" }).click();
  await heading(page, "Set up a second factor");
  await page.reload();
  await heading(page, "Set up a second factor");
  await page.goBack();
  await heading(page, "Account and security");
  await page.goBack();
  await page.getByText("1 file", { exact: true }).waitFor();
  await page.getByText("goes-back", { exact: true }).click();
  await press(page, "Sign out");
  await heading(page, "Sign in");
  // Whoever presses Back after signing out sees nothing of before.
  await page.goBack();
  await heading(page, "Sign in");
  await page.reload();
  await heading(page, "Sign in");
  await signIn(page, "goes-back", PASSWORD);
  await heading(page, "My links");
});
