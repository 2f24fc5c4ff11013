// What all tests in a browser share: Chromium, pages that are guarded, who signs in, and mails.
// `scripts/browser` starts the server and sets the variables.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before } from "node:test";
import { pathToFileURL } from "node:url";

export const { API, STREAM_LIMIT_BYTES } = process.env;
const { CHROMIUM, FIREFOX, MAILS, PLAYWRIGHT } = process.env;
export const { chromium, firefox } = await import(pathToFileURL(`${PLAYWRIGHT}/index.mjs`));

/** How Chromium is started. */
export const LAUNCH = { executablePath: CHROMIUM, args: ["--no-sandbox"] };

let browser;
let contexts = [];
let complaints = [];
let expected = [];

before(async () => {
  browser = FIREFOX ? await launchFirefox() : await chromium.launch(LAUNCH);
});

after(() => browser?.close());

/** A Firefox as it comes, over WebDriver BiDi. Version 153 does not know the one command that is left out. */
async function launchFirefox() {
  const launched = await firefox.launch({ channel: "moz-firefox", executablePath: FIREFOX });
  const session = Object.getPrototypeOf(launched._connection.toImpl(launched)._browserSession);
  const { send } = session;
  session.send = function (command, parameters) {
    return command === "emulation.setMediaFeaturesOverride" ? Promise.resolve({}) : send.call(this, command, parameters);
  };
  return launched;
}

// A test fails when a page of it has complained.
afterEach(async () => {
  const found = complaints.filter((it) => !expected.some((pattern) => pattern.test(it)));
  const open = contexts;
  complaints = [];
  expected = [];
  contexts = [];
  await Promise.all(open.map((it) => it.close()));
  assert.deepEqual(found, [], "a page complained");
});

/** Lets pages of this test say what fits `pattern`: a browser reports each request that is refused. */
export const expectComplaint = (pattern) => expected.push(pattern);

/**
 * From now on, what a page of `context` writes on the console or throws fails the test. So does what
 * its policy forbids, and a request to elsewhere than the service and what the service has signed for S3.
 */
export async function guard(context) {
  context.on("console", (message) => complaints.push(`${message.text()} ${message.location().url}`));
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("request", (request) => {
    const url = request.url();
    const own = url.startsWith(`${API}/`) || url.startsWith(`blob:${API}/`) || url.startsWith("data:");
    if (!own && !/[?&]X-Amz-Signature=/.test(url)) complaints.push(`elsewhere: ${url}`);
  });
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
      console.error("forbidden by the policy:", violatedDirective, blockedURI, sample),
    );
  });
  if (!FIREFOX) await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: API });
}

/** A page at this address, in a browser of its own, which is closed after the test. */
export async function open(address = "/", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  contexts.push(context);
  await guard(context);
  const page = await context.newPage();
  await page.goto(new URL(address, API).href);
  return page;
}

/** Another page of the same browser. */
export async function openTab(page, address) {
  const tab = await page.context().newPage();
  await tab.goto(new URL(address, API).href);
  return tab;
}

export async function signIn(page, name, password = `local-${name}-password`) {
  await page.getByLabel("Username or e-mail address").fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await press(page, "Sign in");
}

/** A page on which this account has signed in. */
export async function signedIn(name, password, address = "/", options = {}) {
  const page = await open(address, options);
  await signIn(page, name, password);
  await page.locator("header").waitFor();
  return page;
}

export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
export const row = (page, name) => page.getByRole("row").filter({ hasText: name });
export const section = (page, name) => page.getByRole("region", { name, exact: true });

/** Presses a button that opens a choice of files, and chooses: paths, or names with their content. */
export async function choose(page, ...files) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), press(page, "Choose files")]);
  const chosen = files.map((it) =>
    typeof it === "string" ? it : { name: it[0], mimeType: "", buffer: Buffer.from(it[1]) },
  );
  await chooser.setFiles(chosen);
}

/** Answers the question of a dialog, and waits until it is gone. */
export async function confirm(page, title, action) {
  const dialog = page.getByRole("alertdialog", { name: title });
  await press(dialog, action);
  await dialog.waitFor({ state: "detached" });
}

/** A request without a browser. */
export function request(method, path, { token, body } = {}) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const form = body instanceof FormData;
  if (body && !form) headers["content-type"] = "application/json";
  return fetch(new URL(path, API), { method, headers, body: form || !body ? body : JSON.stringify(body) });
}

/** The same, which must succeed, and the JSON of the answer. */
export async function call(method, path, token, body) {
  const answer = await request(method, path, { token, body });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

/** A login, whose answer tells how it went. */
export const login = (username, password = `local-${username}-password`) =>
  request("POST", "/api/sessions", { body: { username, password } });

/** The access token of an account. */
export async function tokenOf(username, password) {
  return (await (await login(username, password)).json()).access;
}

/** Makes a Client with a proven address. Limits of logins count by name, so most tests have their own. */
export async function makeClient(username, password, email = `${username}@example.org`) {
  const made = await call("POST", "/api/users/signup", null, { username, email, password });
  await call("POST", made.verification_url);
}

/** Uploads a file as Ops, and gives its id. */
export async function upload(name, content, terms = {}) {
  const form = new FormData();
  for (const [field, value] of Object.entries(terms)) form.append(field, value);
  form.append("file", new Blob([content]), name);
  return (await call("POST", "/api/files/upload", await tokenOf("ops"), form)).id;
}

/** The address that the newest mail to `recipient` has for the page at `path`. The local server prints its mails. */
export async function linkMailedTo(recipient, path) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((go) => setTimeout(go, 50))) {
    const mails = (await readFile(MAILS, "utf8")).split("┌─ mail").filter((it) => it.includes(`To:      ${recipient}\n`));
    const links = [...mails.join("").matchAll(/https?:[^\s\x1b]+/g)].map(([it]) => it);
    const link = links.findLast((it) => new URL(it).pathname === path);
    if (link) return link;
  }
  throw new Error(`no mail with a link to ${path} came to ${recipient}`);
}
