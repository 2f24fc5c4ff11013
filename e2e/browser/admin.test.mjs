// What an admin does about people, in a real Chromium. `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { API, CHROMIUM, PLAYWRIGHT } = process.env;
const { chromium } = await import(pathToFileURL(`${PLAYWRIGHT}/index.mjs`));

let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});

after(() => browser?.close());

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const row = (page, name) => page.getByRole("row").filter({ hasText: name });

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  return fetch(API + path, { method: "POST", headers, body: JSON.stringify(body) });
}

const login = (username, password) => post("/api/client/login", { username, password });

async function client(username, password) {
  const made = await (await post("/api/users/signup", { username, email: `${username}@example.org`, password })).json();
  assert.equal((await fetch(made.verification_url, { method: "POST" })).status, 200);
}

async function signedIn(name, password) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${API}/`);
  await page.getByLabel("Username or e-mail address").fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await press(page, "Sign in");
  return { page, complaints };
}

// Opens the details of the only one that a search finds.
async function find(page, name) {
  await page.getByLabel("Search people").fill(name);
  await page.getByText("1 person", { exact: true }).waitFor();
  await press(page, `Details and actions for ${name}`);
}

async function confirm(page, title, action) {
  const dialog = page.getByRole("alertdialog", { name: title });
  await press(dialog, action);
  await dialog.waitFor({ state: "detached" });
}

test("an admin disables a Client, who is led to signing in, and enables it again", async () => {
  await client("admin-disables", "a phrase of somebody");
  const { page, complaints } = await signedIn("admin", "local-admin-password");
  await heading(page, "People");
  const other = await signedIn("admin-disables", "a phrase of somebody");
  await heading(other.page, "Files");

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
  await other.page.getByRole("link", { name: "My links" }).click();
  await heading(other.page, "Sign in");
  await other.page.getByRole("status").getByText("This account has been disabled.").waitFor();

  await press(page, "Enable");
  await confirm(page, "Enable admin-disables?", "Enable");
  await page.getByText("admin-disables is enabled.", { exact: true }).waitFor();
  assert.equal((await login("admin-disables", "a phrase of somebody")).status, 200);
  assert.deepEqual(complaints, []);
  await page.close();
  await other.page.close();
});

test("an admin changes a role, ends sessions, and takes a password away", async () => {
  await client("admin-changes", "a phrase of another");
  const { page, complaints } = await signedIn("admin", "local-admin-password");
  await heading(page, "People");
  await find(page, "admin-changes");

  const { access } = await (await login("admin-changes", "a phrase of another")).json();
  const headers = { authorization: `Bearer ${access}` };
  await press(page, "Sign out everywhere");
  await confirm(page, "Sign admin-changes out everywhere?", "Sign out everywhere");
  assert.equal((await fetch(`${API}/api/account`, { headers })).status, 401);

  await press(page, "Change role to Ops");
  await confirm(page, "Make admin-changes Ops?", "Change role to Ops");
  assert.match(await row(page, "admin-changes@").textContent(), /Ops.*Active/s);
  const ops = { username: "admin-changes", password: "a phrase of another" };
  assert.equal((await post("/api/ops/login", ops)).status, 200);

  await press(page, "Reset password");
  await confirm(page, "Reset the password of admin-changes?", "Reset password");
  assert.equal((await post("/api/ops/login", ops)).status, 401);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a search and its filters survive a reload, and one's own account has no actions", async () => {
  const { page, complaints } = await signedIn("admin", "local-admin-password");
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
  await page.getByRole("heading", { name: "Nobody is like that" }).waitFor();
  await press(page, "Show everybody");
  await row(page, "ops").first().waitFor();
  assert.deepEqual(complaints, []);
  await page.close();
});

test("an admin invites Ops, sends the invitation again, and withdraws it", async () => {
  const { page, complaints } = await signedIn("admin", "local-admin-password");
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
  assert.deepEqual(complaints, []);
  await page.close();
});

test("an admin makes a group, adds a Client, takes it out, and deletes the group", async () => {
  const { page, complaints } = await signedIn("admin", "local-admin-password");
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
  assert.deepEqual(complaints, []);
  await page.close();
});
