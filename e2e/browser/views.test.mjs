// Every view of every role and every page of a mail, filled with the longest and worst names that the
// API accepts: without a violation that axe-core finds in either theme, without scrolling sideways at
// 320 px and at 200 % zoom, and with names shown as text. Pictures of all are kept.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { VIEWS } from "../../web/app/views.mjs";
import { API, call, choose, expectComplaint, linkMailedTo, login, makeClient, open, press, request, signedIn, tokenOf, upload } from "./page.mjs";

const { AXE, PICTURES } = process.env;
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDE = { width: 1280, height: 900 };
const ZOOMED = { width: 640, height: 450 }; // what 1280 by 900 is at 200 %
const NARROW = { width: 320, height: 640 };

const MARKUP = "<img src=x onerror=hacked=1>'&lt;<script>hacked=1;";
/** Markup, and then a word without a place to break, up to `length` characters. */
const worst = (length) => MARKUP.padEnd(length, "W");

// The last one runs from right to left.
const FILES = [`${worst(251)}.txt`, `${"m".repeat(251)}.csv`, "סודות <b>של החברה.txt"];
const NOTE = worst(200);
const [CLIENT, PASSWORD] = ["w".repeat(64), "a phrase of the views"];
const EMAIL = `${"w".repeat(54)}@${"w".repeat(60)}.example.org`;
const GROUP = "g".repeat(64);
const AGENT = `Mozilla/5.0 ${worst(300)} Firefox/1.0 Linux`;

let fileId;
let spare;

before(async () => {
  await makeClient(CLIENT, PASSWORD, EMAIL);
  const [admin, ops] = [await tokenOf("admin"), await tokenOf("ops")];
  const user = (await call("GET", `/api/admin/users?q=${CLIENT}`, admin))[0];
  await call("POST", "/api/admin/groups", admin, { name: GROUP });
  await call("PUT", `/api/admin/groups/${GROUP}/members/${user.id}`, admin);
  await call("POST", "/api/admin/invitations", admin, { email: `i${EMAIL}`, role: "ops", username: "i".repeat(64) });
  const terms = { recipients: `group:${GROUP},${CLIENT},${EMAIL}`, note: NOTE, expires_in: "86400" };
  for (const name of FILES) fileId = await upload(name, "what is in it", terms);
  // Rejected, because it is none.
  const form = new FormData();
  form.append("file", new Blob(["not a picture"]), `${worst(251)}.pdf`);
  await request("POST", "/api/files/upload", { token: ops, body: form });
  // A session and receipts of a browser that calls itself names.
  const headers = { "content-type": "application/json", "user-agent": AGENT };
  const body = JSON.stringify({ username: CLIENT, password: PASSWORD });
  const { access } = await (await fetch(`${API}/api/client/login`, { method: "POST", headers, body })).json();
  const link = (terms) => call("POST", `/api/files/generate-download-link/${fileId}`, access, { note: NOTE, ...terms });
  await fetch((await link({})).download_url, { headers: { "user-agent": AGENT } });
  await request("DELETE", `/api/links/${(await link({})).id}`, { token: access });
  spare = (await link({ max_downloads: 5 })).page_url;
});

const LOOKS = [["light", WIDE], ["light", ZOOMED], ["light", NARROW], ["dark", WIDE]];

/** What is wrong with what is open on the page: see the head of this file. Dialogs are as wide in all but one. */
async function faults(page, name) {
  const found = [];
  const dialog = (await page.locator("dialog[open]").count()) > 0;
  for (const [colorScheme, viewport] of dialog ? LOOKS.slice(2) : LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize(viewport);
    const at = `${name}, ${colorScheme}, ${viewport.width} px`;
    found.push(...(await page.evaluate(tooWide)).map((it) => `${at}: too wide: ${it}`));
    if (viewport === ZOOMED) continue; // it has the same colours and names as the others
    found.push(...(await violations(page, colorScheme)).map((it) => `${at}: ${it}`));
    // The description of the API is as long as a book.
    const fullPage = !dialog && !name.endsWith("docs");
    await page.screenshot({ path: `${PICTURES}/${at.replaceAll(/[^\w-]+/g, "-")}.png`, fullPage });
  }
  if (await page.evaluate(() => globalThis.hacked || document.querySelector("img, b > b, body script")))
    found.push(`${name}: a name is markup`);
  await page.setViewportSize(WIDE);
  return found;
}

/** What axe-core finds. The dark theme differs from the other in colours only. */
const violations = (page, theme) =>
  page.evaluate(
    async ({ tags, theme: now }) => {
      await new Promise(requestAnimationFrame);
      await Promise.all(document.getAnimations().map((it) => it.finished.catch(() => {}))); // colours on their way are none
      const runOnly = now === "dark" ? { type: "rule", values: ["color-contrast"] } : { type: "tag", values: tags };
      const found = await globalThis.axe.run(document.querySelector("dialog[open]") ?? document, { runOnly, resultTypes: ["violations"], preload: false });
      return found.violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 120)}: ${failureSummary.split("\n")[1]?.trim()}`),
      );
    },
    { tags: WCAG, theme },
  );

/** What makes the page or an open dialog scroll sideways. Runs in the page. */
function tooWide() {
  const boxes = [document.documentElement, ...document.querySelectorAll("dialog[open]")];
  return boxes
    .filter((box) => box.scrollWidth > box.clientWidth)
    .flatMap((box) => {
      const edge = box.getBoundingClientRect().left + box.clientWidth;
      const beyond = [...box.querySelectorAll("*")].filter((it) => it.getBoundingClientRect().right > edge + 1);
      return [`${box.tagName} ${box.scrollWidth} > ${box.clientWidth}`, ...beyond.slice(0, 4).map((it) => it.outerHTML.slice(0, 120))];
    });
}

/** A page into which axe-core is put before its own scripts: the page's policy forbids it afterwards. */
async function withAxe(page) {
  await page.context().addInitScript({ path: AXE });
  await page.reload();
  return page;
}

/** What opens on top of a view, by the button that opens it. */
const DIALOGS = {
  "/files": [/^Get link/],
  "/links": [/^Revoke/],
  "/uploads": [/^Change terms/, /^Delete file/],
  "/account": [/^Delete account…/],
  "/people": [/^Disable/, /^Change role to Ops/, /^Sign out everywhere/, /^Reset password/, /^Delete$/],
  "/invitations": [/^Invite$/, /^Withdraw/],
  "/groups": [/^Delete the group/],
  "/approvals": [/^Do not let in/],
};

const ROLES = [
  { role: "client", username: CLIENT, password: PASSWORD, home: "/files" },
  { role: "ops", username: "ops", home: "/uploads" },
  { role: "admin", username: "admin", home: "/people" },
];

for (const { role, username, password, home } of ROLES) {
  test(`every view of ${role} is accessible, fits, and shows names as text`, async () => {
    const found = [];
    const check = async (page, name) => found.push(...(await faults(page, name)));
    const page = await withAxe(await signedIn(username, password));
    await page.route("**/api/approvals", (route) =>
      route.fulfill({ json: [{ id: "1", username: CLIENT, email: EMAIL, created_at: "2026-11-12T10:00:00Z" }] }),
    );
    await page.locator("header summary").click();
    await check(page, `${role} menu`);
    for (const { path } of VIEWS.filter(({ roles }) => roles?.includes(role))) {
      const query = path === "/receipts" ? `?file=${fileId}` : path === "/people" ? "?q=wwww" : "";
      await page.goto(`${API}/#${path}${query}`);
      await page.reload();
      await page.locator("h1").waitFor();
      await page.waitForLoadState("networkidle");
      await page.locator("main [aria-expanded=false], main summary").evaluateAll((all) => all.forEach((it) => it.click()));
      await page.waitForLoadState("networkidle");
      await check(page, `${role} ${path}`);
      for (const name of DIALOGS[path] ?? []) {
        await page.getByRole("main").getByRole("button", { name }).first().click();
        await page.locator("dialog[open]").waitFor();
        await check(page, `${role} ${path} ${name.source}`);
        await page.keyboard.press("Escape");
        await page.locator("dialog[open]").waitFor({ state: "detached" });
      }
    }
    await page.goto(`${API}/#${home}?q=${encodeURIComponent(`${worst(90)}\u202E`)}`);
    await page.getByRole("heading", { level: 2 }).waitFor();
    await check(page, `${role} ${home} nothing found`);
    if (role === "ops") {
      await page.goto(`${API}/#/upload`);
      const names = [`${worst(300)}.txt`, "gpj.\u202Etxt", "<b>empty.txt"];
      await choose(page, ...names.map((name) => [name, name.includes("empty") ? "" : "what is in it"]));
      await check(page, "ops /upload chosen");
      expectComplaint(/422.*uploads/);
      await page.getByRole("button", { name: "Upload 1 file" }).click();
      await page.getByText("3 failed or rejected").waitFor();
      await check(page, "ops /upload refused");
    }
    await page.goto(`${API}/#/${encodeURIComponent(MARKUP)}`);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await check(page, `${role} unknown`);
    assert.deepEqual(found, []);
  });
}

test("every view before signing in is accessible and fits, also with what is wrong", async () => {
  const found = [];
  const check = async (page, name) => found.push(...(await faults(page, name)));
  const page = await withAxe(await open("/#/sign-in"));
  await press(page, "Sign in");
  await page.getByRole("alert").waitFor();
  await check(page, "sign-in wrong");
  await page.goto(`${API}/#/sign-up`);
  await check(page, "sign-up");
  await page.getByLabel("Username").fill(MARKUP);
  await page.getByLabel("E-mail address").fill(`views-${EMAIL}`);
  await page.getByRole("textbox", { name: "Password" }).fill("a phrase");
  expectComplaint(/422.*signup/);
  await press(page, "Sign up");
  await page.getByRole("alert").waitFor();
  await check(page, "sign-up wrong");
  await page.getByLabel("Username").fill("views".repeat(12));
  await press(page, "Sign up");
  await page.getByRole("heading", { name: "Check your mail" }).waitFor();
  await check(page, "sign-up sent");
  await page.goto(`${API}/#/forgotten`);
  await check(page, "forgotten");
  await page.getByLabel("E-mail address").fill(EMAIL);
  await press(page, "Send the link");
  await page.getByRole("heading", { name: "Check your mail" }).waitFor();
  await check(page, "forgotten sent");
  assert.deepEqual(found, []);
});

test("every page that a mail or a link leads to is accessible, fits, and shows names as text", async () => {
  const found = [];
  const check = async (page, name) => found.push(...(await faults(page, name)));
  const name = "views-of-pages";
  const email = `${name}@example.org`;
  await makeClient(name, PASSWORD, email);
  const token = await tokenOf(name, PASSWORD);
  const next = `n${EMAIL}`;
  await call("POST", "/api/users/signup", null, { username: "v".repeat(64), email: `v${EMAIL}`, password: PASSWORD });
  await call("POST", "/api/account/password-reset", null, { email });
  await call("POST", "/api/account/email", token, { email: next, password: PASSWORD });
  const page = await withAxe(await open(await linkMailedTo(next, "/change-email")));
  await check(page, "page change-email");
  await page.locator("input[type=password]").fill(PASSWORD);
  await press(page, "Confirm the address");
  await page.getByRole("button").waitFor({ state: "detached" });
  await check(page, "page change-email done");
  const pages = {
    "verify": await linkMailedTo(`v${EMAIL}`, "/verify"),
    "set-password": await linkMailedTo(`i${EMAIL}`, "/set-password"),
    "reset-password": await linkMailedTo(email, "/reset-password"),
    "undo-email": await linkMailedTo(email, "/undo-email"),
    "download": spare,
    "download in the app": `${API}/#/download${new URL(spare).search}`,
    "docs": `${API}/api/docs`,
  };
  for (const [at, address] of Object.entries(pages)) {
    await page.goto(address);
    await page.waitForLoadState("networkidle");
    await check(page, `page ${at}`);
  }
  expectComplaint(/40[04]|410|422/);
  for (const path of ["verify", "set-password", "reset-password", "change-email", "undo-email", "download"]) {
    await page.goto(`${API}/${path}?token=${encodeURIComponent(MARKUP)}`);
    await check(page, `page ${path} unknown`);
  }
  assert.deepEqual(found, []);
});
