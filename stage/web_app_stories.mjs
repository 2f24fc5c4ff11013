// What Ops and a Client do in the web app of a deployed stage, in a real Chromium. `checks/web_app.py`
// starts this with the addresses and accounts; it prints the links that were made, as JSON.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const { API, S3, OPS, CLIENT, CHROMIUM, PLAYWRIGHT } = process.env;
const { chromium } = await import(pathToFileURL(`${PLAYWRIGHT}/index.mjs`));

// One comes from the function, the other in three parts and by a redirect to S3.
const FILES = {
  "a short story.txt": Buffer.from("what was said\n"),
  "a long story.txt": Buffer.from("what was said, at length\n".repeat(800_000)),
};

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });

// A page of a browser of its own. `complaints` has what the console says, what was thrown, and requests
// to elsewhere but the parts of uploads.
async function open() {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${API}/`) && !isPart(request)) complaints.push(url);
  });
  return { page, complaints };
}

const isPart = (request) => request.url().startsWith(`${S3}/`) && request.url().includes("x-id=UploadPart");
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const row = (page, name) => page.getByRole("row").filter({ hasText: name });
// A row has its state twice, once for narrow screens.
const shows = (page, name, state) =>
  row(page, name).getByText(state, { exact: true }).filter({ visible: true }).waitFor();

async function signIn(page, account) {
  const { username, password } = JSON.parse(account);
  await page.goto(`${API}/`);
  await page.getByLabel("Username or e-mail address").fill(username);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await press(page, "Sign in");
}

async function signOut(page, account) {
  await page.getByText(JSON.parse(account).username, { exact: true }).click();
  await press(page, "Sign out");
  await heading(page, "Sign in");
}

async function upload() {
  const { page, complaints } = await open();
  const parts = [];
  page.on("response", (response) => {
    if (isPart(response.request())) parts.push(response);
  });
  await signIn(page, OPS);
  await heading(page, "My files");
  await page.getByRole("main").getByRole("link", { name: "Upload" }).first().click();
  await heading(page, "Upload");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), press(page, "Choose files")]);
  await chooser.setFiles(
    Object.entries(FILES).map(([name, buffer]) => ({ name, mimeType: "", buffer })),
  );
  await press(page, "Upload 2 files");
  await page.getByText("2 ready").waitFor();
  assert.equal(parts.length, 4, "parts that S3 was sent");
  for (const part of parts) {
    // Without this header the page would not have been told that S3 has the part.
    assert.deepEqual([part.status(), await part.headerValue("access-control-allow-origin")], [200, "*"]);
  }
  await page.getByRole("link", { name: "My files" }).click();
  for (const name of Object.keys(FILES)) await shows(page, name, "Available");
  await signOut(page, OPS);
  assert.deepEqual(complaints, []);
  await page.context().close();
}

async function download() {
  const { page, complaints } = await open();
  const links = [];
  await signIn(page, CLIENT);
  await heading(page, "Files");
  for (const [name, content] of Object.entries(FILES)) {
    await page.reload(); // the session goes on by its cookie
    await row(page, name).getByRole("button", { name: /^Get link/ }).click();
    await press(page, "Make link");
    const link = await page.getByRole("textbox", { name: "Link" }).textContent();
    links.push(link);
    const other = await open();
    await other.page.goto(link);
    const [saved] = await Promise.all([
      other.page.waitForEvent("download"),
      press(other.page, "Download"),
    ]);
    assert.equal(saved.suggestedFilename(), name);
    assert.ok(content.equals(await readFile(await saved.path())), `${name} as it was uploaded`);
    assert.deepEqual(other.complaints.filter((it) => !it.startsWith(`${S3}/`)), []);
    await other.page.context().close();
  }
  await page.goto(`${API}/#/links`);
  for (const name of Object.keys(FILES)) await shows(page, name, "Used");
  await signOut(page, CLIENT);
  assert.deepEqual(complaints, []);
  await page.context().close();
  return links;
}

try {
  await upload();
  console.log(JSON.stringify(await download()));
} finally {
  await browser.close();
}
