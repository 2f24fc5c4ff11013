// What an admin does about people, in a real Chromium. `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { confirm, expectComplaint, heading, login, makeClient, open, press, request, row, section, signedIn, signIn, tokenOf } from "./page.mjs";

// Opens the details of the only one that a search finds.
async function find(page, name) {
  await page.getByLabel("Search people").fill(name);
  await page.getByText("1 person", { exact: true }).waitFor();
  await press(page, `Details and actions for ${name}`);
}

test("an admin disables a Client, who is led to signing in, and enables it again", async () => {
  await makeClient("admin-disables", "a phrase of somebody");
  const page = await signedIn("admin");
  await heading(page, "People");
  const other = await signedIn("admin-disables", "a phrase of somebody");
  await heading(other, "Files");

  await find(page, "admin-disables");
  assert.match(await row(page, "admin-disables@").textContent(), /Client.*Active/s);
  await press(page, "Disable");
  const question = page.getByRole("alertdialog", { name: "Disable admin-disables?" });
  await question.getByText("Every device is signed out at once").waitFor();
  await press(question, "Cancel");
  await question.waitFor({ state: "detached" });
  assert.equal((await login("admin-disables", "a phrase of somebody")).status, 200);

  await press(page, "Disable");
  await confirm(page, "Disable admin-disables?", "Disable");
  await page.getByText("admin-disables is disabled.", { exact: true }).waitFor();
  assert.match(await row(page, "admin-disables@").textContent(), /Disabled/);
  assert.equal((await login("admin-disables", "a phrase of somebody")).status, 403);
  expectComplaint(/403.*api\/links/);
  await other.getByRole("link", { name: "My links" }).click();
  await heading(other, "Sign in");
  await other.getByRole("status").getByText("This account has been disabled.").waitFor();

  await press(page, "Enable");
  await confirm(page, "Enable admin-disables?", "Enable");
  await page.getByText("admin-disables is enabled.", { exact: true }).waitFor();
  assert.equal((await login("admin-disables", "a phrase of somebody")).status, 200);
});

test("an admin changes a role, ends sessions, and takes a password away", async () => {
  await makeClient("admin-changes", "a phrase of another");
  const page = await signedIn("admin");
  await heading(page, "People");
  await find(page, "admin-changes");

  const access = await tokenOf("admin-changes", "a phrase of another");
  await press(page, "Sign out everywhere");
  await confirm(page, "Sign admin-changes out everywhere?", "Sign out everywhere");
  assert.equal((await request("GET", "/api/account", { token: access })).status, 401);

  await press(page, "Change role to Ops");
  await confirm(page, "Make admin-changes Ops?", "Change role to Ops");
  assert.match(await row(page, "admin-changes@").textContent(), /Ops.*Active/s);
  assert.equal((await login("admin-changes", "a phrase of another")).status, 200);

  await press(page, "Reset password");
  await confirm(page, "Reset the password of admin-changes?", "Reset password");
  assert.equal((await login("admin-changes", "a phrase of another")).status, 401);
});

test("an admin sees where somebody is signed in and what is limited, and ends the sessions", async () => {
  await makeClient("admin-watches", "a phrase to watch");
  const access = await tokenOf("admin-watches", "a phrase to watch");
  const page = await signedIn("admin");
  await heading(page, "People");
  await find(page, "admin-watches");
  const sessions = section(page, "Sessions").getByRole("listitem");
  await sessions.first().waitFor();
  assert.match(await sessions.first().textContent(), /^node.*127\.0\.0\.1.*signed in today at .*last used today at /);
  assert.equal(await sessions.count(), 1);
  const limits = section(page, "Limits in force");
  await limits.getByText("Mails because of a sign-up").waitFor();
  await limits.getByText(/^1 of 3, counted until (today|tomorrow) at \d\d:\d\d$/).waitFor();

  await press(page, "Sign out everywhere");
  await confirm(page, "Sign admin-watches out everywhere?", "Sign out everywhere");
  await section(page, "Sessions").getByText("Signed in nowhere.").waitFor();
  assert.equal(await sessions.count(), 0);
  assert.equal((await request("GET", "/api/account", { token: access })).status, 401);
});

test("of an account of which nothing was counted, and of a limit that is reached, both are said", async () => {
  await makeClient("admin-limits", "a phrase within limits");
  const page = await open();
  let answer = [];
  await page.route("**/limits", (route) => route.fulfill({ json: answer }));
  await signIn(page, "admin");
  await heading(page, "People");
  await find(page, "admin-limits");
  await section(page, "Limits in force").getByText("None. Nothing that has a limit was done today.").waitFor();
  await section(page, "Sessions").getByText("Signed in nowhere.").waitFor();
  const [now, day] = [Date.now(), 24 * 60 * 60];
  const ends_at = new Date(now + day * 1000).toISOString();
  answer = [{ what: "links", taken: 10_000, most: 10_000, ends_at, retry_after: 2 * day }];
  await press(page, "Details and actions for admin-limits");
  await press(page, "Details and actions for admin-limits");
  await section(page, "Limits in force").getByText(/^10,000 of 10,000, no more until \d+ \w+/).waitFor();
});

test("a search and its filters survive a reload, and one's own account has no actions", async () => {
  const page = await signedIn("admin");
  await heading(page, "People");
  await page.getByLabel("Role").selectOption("admin");
  await page.getByLabel("State").selectOption("active");
  await page.getByText("1 person", { exact: true }).waitFor();
  await page.reload();
  await page.getByText("1 person", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("Role").inputValue(), "admin");
  await press(page, "Details and actions for admin");
  await page.getByText("This is your account.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Disable" }).count(), 0);

  await page.getByLabel("Search people").fill("<b>nobody</b>");
  await page.getByRole("heading", { name: "No one matches" }).waitFor();
  await press(page, "Show everybody");
  await row(page, "ops").first().waitFor();
});

test("an admin invites Ops, sends the invitation again, and withdraws it", async () => {
  const page = await signedIn("admin");
  await heading(page, "People");
  await page.getByRole("link", { name: "Invitations" }).click();
  await heading(page, "Invitations");
  await press(page, "Invite");
  const dialog = page.getByRole("dialog", { name: "Invite somebody" });
  await dialog.getByLabel("E-mail address").fill("invited@example.org");
  await dialog.getByLabel("Role").selectOption("ops");
  await dialog.getByLabel("Username").fill("invited-in-a-browser");
  await press(dialog, "Send the invitation");
  await page.getByText("An invitation is on its way to invited@example.org.").waitFor();
  const entry = row(page, "invited-in-a-browser");
  assert.match(await entry.textContent(), /Ops/);

  await entry.getByRole("button", { name: "Send again" }).click();
  await page.getByText("A new link is on its way to invited@example.org.").waitFor();
  await entry.getByRole("button", { name: "Withdraw" }).click();
  await confirm(page, "Withdraw this invitation?", "Withdraw");
  await page.getByText("The invitation of invited@example.org is withdrawn.").waitFor();
  await entry.waitFor({ state: "detached" });
  await page.reload();
  await heading(page, "Invitations");
  assert.equal(await entry.count(), 0);
});

test("an admin makes a group, adds a Client, takes it out, and deletes the group", async () => {
  const page = await signedIn("admin");
  await heading(page, "People");
  await page.getByRole("link", { name: "Groups" }).click();
  await heading(page, "Groups");
  await page.getByLabel("New group").fill("board-of-the-story");
  await press(page, "Make the group");
  await press(page, "Members of board-of-the-story");
  await page.getByText("Nobody is in this group.").waitFor();

  await page.getByLabel("Add somebody").fill("nobody-at-all");
  await press(page, "Add");
  await page.getByRole("alert").getByText("Nobody has this name or address.").waitFor();
  await page.getByLabel("Add somebody").fill("client@example.com");
  await press(page, "Add");
  await page.getByText("client is in board-of-the-story now.").waitFor();
  const entry = row(page, /^board-of-the-story/);
  assert.match(await entry.textContent(), /1 member/);

  await press(page, "Take out client");
  await page.getByText("client is not in board-of-the-story any more.").waitFor();
  assert.match(await entry.textContent(), /0 members/);
  await press(page, "Delete the group");
  await confirm(page, "Delete the group board-of-the-story?", "Delete the group");
  await entry.waitFor({ state: "detached" });
});

async function saved(page, press) {
  const [download] = await Promise.all([page.waitForEvent("download"), press()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
}

test("the audit says who did what to an account, by filters that the way back undoes, and is exported", async () => {
  await makeClient("admin-audits", "a phrase to audit");
  assert.equal((await login("admin-audits", "a phrase to audit")).status, 200);
  const page = await signedIn("admin");
  await heading(page, "People");
  await find(page, "admin-audits");
  await press(page, "Disable");
  await confirm(page, "Disable admin-audits?", "Disable");
  await page.getByRole("link", { name: "What was done to their account" }).click();
  await heading(page, "Audit log");
  await page.getByText("Only what was done to admin-audits", { exact: true }).waitFor();
  const lines = page.locator("tbody tr:not(.more)");
  await lines.filter({ hasText: "Session begun" }).waitFor();
  const disabled = lines.filter({ hasText: "Account disabled" });
  assert.match(await disabled.textContent(), /^Today at .*admin.*Account disabled.*admin-audits$/);
  const all = await lines.count();

  await page.getByLabel("What", { exact: true }).selectOption("Account disabled");
  await lines.filter({ hasText: "Session begun" }).waitFor({ state: "detached" });
  await disabled.waitFor();
  assert.equal(await lines.count(), 1);
  const file = await saved(page, () => press(page, "Export as CSV"));
  assert.equal(file.name, "audit.csv");
  assert.match(file.text, /^at,subject,action,actor,request_id[^\r]*\r\n[^\r]*,user:[^\r]*,user_disabled,[^\r]*\r\n$/);

  await page.goBack();
  await lines.filter({ hasText: "Session begun" }).waitFor();
  assert.equal(await lines.count(), all);
  await page.getByLabel("To", { exact: true }).fill("2020-01-01");
  await page.getByRole("heading", { name: "Nothing was done" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Nothing was done" }).waitFor();
  assert.equal(await page.getByLabel("To", { exact: true }).inputValue(), "2020-01-01");
  await page.getByRole("link", { name: "Show everything" }).click();
  await lines.first().getByRole("button").click();
  await press(page, "Copy");
  await page.getByRole("link", { name: "Only by this account" }).click();
  await page.getByText("Only what was done by ").waitFor();
});

test("an admin exports what is held about a Client, and deletes the account", async () => {
  await makeClient("admin-deletes", "a phrase to delete");
  const page = await signedIn("admin");
  await heading(page, "People");
  await find(page, "admin-deletes");
  const file = await saved(page, () => press(page, "Export data"));
  assert.equal(file.name, "admin-deletes.json");
  assert.equal(JSON.parse(file.text).account.email, "admin-deletes@example.org");

  await press(page, "Delete");
  const question = page.getByRole("alertdialog", { name: "Delete admin-deletes?" });
  await question.getByText("This cannot be undone.").waitFor();
  await confirm(page, "Delete admin-deletes?", "Delete");
  await page.getByText("admin-deletes is deleted.", { exact: true }).waitFor();
  await row(page, "admin-deletes").first().waitFor({ state: "detached" });
  assert.equal((await login("admin-deletes", "a phrase to delete")).status, 401);
});

test("an invitation that is being typed survives a reload, and is gone when it is cancelled", async () => {
  const page = await signedIn("admin");
  await heading(page, "People");
  await page.getByRole("link", { name: "Invitations" }).click();
  await press(page, "Invite");
  await page.getByLabel("E-mail address").fill("half-typed@example.org");
  await page.reload();
  await press(page, "Invite");
  assert.equal(await page.getByLabel("E-mail address").inputValue(), "half-typed@example.org");
  await press(page, "Cancel");
  await press(page, "Invite");
  assert.equal(await page.getByLabel("E-mail address").inputValue(), "");
});
