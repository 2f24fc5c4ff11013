// The story of each role by keyboard alone. The focus is seen wherever it is, and on the heading after
// each change of view.

import assert from "node:assert/strict";
import { test } from "node:test";
import { API, makeClient, open, row, upload } from "./page.mjs";

/** Presses Tab until what has this name has the focus. */
async function tabTo(page, name) {
  const passed = [];
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(focused);
    if (!focus) continue;
    passed.push(focus.name);
    assert.ok(focus.seen, `the focus on “${focus.name}” is not seen: ${JSON.stringify(focus)}`);
    if (name instanceof RegExp ? name.test(focus.name) : name === focus.name) return;
  }
  throw new Error(`Tab does not lead to ${name}, but to ${passed.join(", ")}`);
}

/** The name of what has the focus, and whether it is seen; null on the page as a whole. Runs in the page. */
function focused() {
  const it = document.activeElement;
  if (!it || it === document.body || it === document.documentElement) return null;
  const label = it.getAttribute("aria-label") ?? it.labels?.[0]?.textContent ?? it.textContent;
  const box = it.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const onTop = document.elementFromPoint(x, y);
  const outlined = [it, it.parentElement].some((at) => at && getComputedStyle(at).outlineStyle !== "none");
  const inside = box.width > 0 && box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth;
  const bare = Boolean(onTop && (it.contains(onTop) || onTop.contains(it) || it.parentElement?.contains(onTop)));
  return { name: label.replaceAll(/\s+/g, " ").trim(), seen: outlined && inside && bare, outlined, inside, bare };
}

async function press(page, name) {
  await tabTo(page, name);
  await page.keyboard.press("Enter");
}

async function type(page, name, text) {
  await tabTo(page, name);
  await page.keyboard.type(text);
}

/** Types what to look for, and waits until it is found. */
const searchFor = (page, name, text) =>
  Promise.all([page.waitForResponse((it) => new URL(it.url()).searchParams.get("q") === text), type(page, name, text)]);

/** Waits until the heading of the view has this text, and the focus. */
const arrived = (page, name) =>
  page.waitForFunction((text) => document.activeElement?.matches("h1") && document.activeElement.textContent === text, name);

/** Waits until something with this name has the focus. */
const focusOn = (page, name) =>
  page.waitForFunction(
    (text) => (document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent)?.startsWith(text),
    name,
  );

/** Presses the button, which opens a dialog with this name. */
async function ask(page, button, name) {
  await press(page, button);
  await page.locator("dialog[open]").and(page.getByRole(/\?$/.test(name) ? "alertdialog" : "dialog", { name })).waitFor();
}

async function signIn(page, name, password = `local-${name}-password`) {
  await arrived(page, "Sign in");
  await type(page, "Username or e-mail address", name);
  await type(page, "Password", password);
  await page.keyboard.press("Enter");
}

async function signOut(page, name) {
  await press(page, `Account: ${name}`);
  await press(page, "Sign out");
  await arrived(page, "Sign in");
}

test("a Client signs up, gets a link and revokes it by keyboard alone", async () => {
  await upload("keyboard.txt", "typed");
  const page = await open();
  await arrived(page, "Sign in");
  await press(page, "Sign up as a client");
  await arrived(page, "Sign up as a client");
  await type(page, "Username", "keyboard-client");
  await type(page, "E-mail address", "keyboard-client@example.org");
  await type(page, "Password", "a phrase that is typed");
  await page.keyboard.press("Enter");
  await arrived(page, "Check your mail");
  await press(page, "Verify the address here");
  await page.waitForURL(/verify/);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("button").waitFor({ state: "detached" });

  await page.goto(`${API}/`);
  await signIn(page, "keyboard-client", "a phrase that is typed");
  await arrived(page, "Files");
  await page.keyboard.press("Shift+Tab");
  await press(page, "Skip to content");
  await arrived(page, "Files");
  await searchFor(page, "Search files", "keyboard.txt");
  await press(page, "Details of keyboard.txt");
  await page.getByText("Fingerprint (SHA-256)").waitFor();
  await ask(page, "Get link to keyboard.txt", "Get a link");
  await type(page, /^Note/, "typed");
  await press(page, "Make link");
  await page.getByRole("dialog", { name: "Your link is ready" }).waitFor();
  await press(page, "Copy link");
  await press(page, "Done");
  await focusOn(page, "Get link");

  await press(page, "My links");
  await arrived(page, "My links");
  await ask(page, "Revoke link to keyboard.txt", "Revoke this link?");
  await press(page, "Keep link");
  await focusOn(page, "Revoke");
  await page.keyboard.press("Shift+Tab");
  await ask(page, "Revoke link to keyboard.txt", "Revoke this link?");
  await press(page, "Revoke link");
  await page.getByText("Link revoked.").waitFor();
  await arrived(page, "My links");
  await signOut(page, "keyboard-client");
});

test("Ops upload a file, look at its receipts and delete it by keyboard alone", async () => {
  const page = await open();
  await signIn(page, "ops");
  await arrived(page, "My files");
  await press(page, "Upload");
  await arrived(page, "Upload");
  const chooser = page.waitForEvent("filechooser");
  await press(page, "Choose files");
  await (await chooser).setFiles([{ name: "keyboard of ops.txt", mimeType: "", buffer: Buffer.from("typed") }]);
  await tabTo(page, "Every client");
  await page.keyboard.press("ArrowDown");
  await type(page, "People and groups", "client");
  await tabTo(page, "Available until");
  await page.keyboard.type("7");
  await press(page, "Upload 1 file");
  await page.getByText("1 ready").waitFor();

  await press(page, "My files");
  await arrived(page, "My files");
  await press(page, "Details of keyboard of ops.txt");
  await press(page, "Receipts of keyboard of ops.txt");
  await arrived(page, "keyboard of ops.txt");
  await press(page, "My files");
  await arrived(page, "My files");
  await press(page, "Details of keyboard of ops.txt");
  await ask(page, "Delete file", "Delete this file?");
  await page.keyboard.press("Escape");
  await focusOn(page, "Delete file");
  await page.keyboard.press("Shift+Tab");
  await ask(page, "Delete file", "Delete this file?");
  await press(page, "Delete file");
  await page.getByText("File deleted.").waitFor();
  await arrived(page, "My files");
  await signOut(page, "ops");
});

test("an admin invites somebody, disables a Client and keeps a group by keyboard alone", async () => {
  await makeClient("keyboard-other", "a phrase of another");
  const page = await open();
  await signIn(page, "admin");
  await arrived(page, "People");
  await searchFor(page, "Search people", "keyboard-other");
  await press(page, "Details and actions for keyboard-other");
  await ask(page, "Disable", "Disable keyboard-other?");
  await press(page, "Disable");
  await page.getByText("keyboard-other is disabled.").waitFor();

  await press(page, "Invitations");
  await arrived(page, "Invitations");
  await ask(page, "Invite", "Invite somebody");
  await type(page, "E-mail address", "keyboard@example.org");
  await tabTo(page, "Role");
  await page.keyboard.type("O");
  await press(page, "Send the invitation");
  await page.getByText("An invitation is on its way").waitFor();
  await focusOn(page, "Invite");
  assert.match(await row(page, "keyboard@example.org").textContent(), /Ops/);

  await press(page, "Groups");
  await arrived(page, "Groups");
  await type(page, "New group", "keyboard");
  await page.keyboard.press("Enter");
  await press(page, "Members of keyboard");
  await type(page, "Add somebody", "client");
  await page.keyboard.press("Enter");
  await page.getByText("client is in keyboard now.").waitFor();
  await press(page, "Take out client");
  await page.getByText("Nobody is in this group.").waitFor();
  await page.waitForFunction(() => document.activeElement?.matches("h2"));
  await ask(page, "Delete the group", "Delete the group keyboard?");
  await press(page, "Delete the group");
  await page.getByText("The group keyboard is deleted").waitFor();
  await arrived(page, "Groups");
  await signOut(page, "admin");
});
