// The web app in a real Chromium: what each role does with it, from the first page on.
// `scripts/browser` starts the server.

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

async function call(method, path, token, body) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  if (body && !(body instanceof FormData)) headers["content-type"] = "application/json";
  const sent = body instanceof FormData || !body ? body : JSON.stringify(body);
  const answer = await fetch(API + path, { method, headers, body: sent });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

async function upload(name, content) {
  const ops = await call("POST", "/api/ops/login", null, {
    username: "ops",
    password: "local-ops-password",
  });
  const form = new FormData();
  form.append("file", new Blob([content]), name);
  return call("POST", "/api/files/upload", ops.access, form);
}

// A page of a browser of its own. `complaints` has what the console says, violations of the policy
// included, what was thrown, and requests to elsewhere.
async function open() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: API });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${API}/`)) complaints.push(request.url());
  });
  await page.goto(`${API}/`);
  return { page, complaints };
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const row = (page, name) => page.getByRole("row").filter({ hasText: name });

test("a Client signs up, makes a link, sees it once, and revokes it", async () => {
  await upload("figures of the story.txt", "some figures");
  const { page, complaints } = await open();

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
  await page.getByLabel("Username or e-mail address").fill("story-client");
  await page.getByRole("textbox", { name: "Password" }).fill("a phrase for the story");
  await press(page, "Sign in");
  await heading(page, "Files");
  assert.equal(await page.title(), "Files · Secure File Share");

  await page.getByLabel("Search files").fill("of the STORY");
  await page.getByText("1 file", { exact: true }).waitFor();
  await row(page, "figures of the story.txt").getByRole("button", { name: /^Get link/ }).click();
  const terms = page.getByRole("dialog", { name: "Get a link" });
  await terms.getByLabel("Downloads").fill("2");
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
  assert.deepEqual(complaints, []);
  await page.context().close();
});

async function signIn(page, name, password) {
  await page.getByLabel("Username or e-mail address").fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await press(page, "Sign in");
}

test("signing out in one tab signs out all, and each leads back to where it was", async () => {
  const { page, complaints } = await open();
  await page.goto(`${API}/#/links`);
  await heading(page, "Sign in");
  await signIn(page, "client", "local-client-password");
  await heading(page, "My links");
  const other = await page.context().newPage();
  await other.goto(`${API}/#/files`);
  await heading(other, "Files");
  await other.getByText("client", { exact: true }).click();
  await press(other, "Sign out");
  await Promise.all([heading(other, "Sign in"), heading(page, "Sign in")]);
  await signIn(page, "client", "local-client-password");
  await Promise.all([heading(page, "My links"), heading(other, "Files")]);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("a session that has ended leads to signing in, and back to where one was", async () => {
  // A Client of its own: tests of other files have sessions of the local one.
  const [username, password] = ["session-ends", "a phrase that ends"];
  const email = "session-ends@example.org";
  const made = await call("POST", "/api/users/signup", null, { username, email, password });
  assert.equal((await fetch(made.verification_url, { method: "POST" })).status, 200);
  const { page } = await open();
  await signIn(page, username, password);
  await heading(page, "Files");
  const { access } = await call("POST", "/api/client/login", null, { username, password });
  const headers = { authorization: `Bearer ${access}` };
  await fetch(`${API}/api/sessions`, { method: "DELETE", headers });
  await page.getByRole("link", { name: "My links" }).click();
  await heading(page, "Sign in");
  await page.getByText("Your session has ended.").waitFor();
  await signIn(page, username, password);
  await heading(page, "My links");
  await page.context().close();
});

test("a wrong password is said at the field, and nothing that was typed is lost", async () => {
  const { page } = await open();
  await signIn(page, "client", "another password");
  const summary = page.getByRole("alert");
  await summary.getByText("This name and password do not belong together.").waitFor();
  assert.ok(await summary.evaluate((it) => it === document.activeElement), "it has the focus");
  await summary.getByRole("link").click();
  const name = page.getByLabel("Username or e-mail address");
  assert.ok(await name.evaluate((it) => it === document.activeElement));
  assert.equal(await name.inputValue(), "client");
  await signIn(page, "client", "local-client-password");
  await heading(page, "Files");
  await page.context().close();
});
