// Forms in a real Chromium: what they say, what survives a reload, and where the focus is.
// `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, expectComplaint, heading, makeClient, open, press, signedIn, upload } from "./page.mjs";

const focused = (page) => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.id);

test("what the service refuses stays beside its field until something is typed there", async () => {
  await makeClient("form-refused", "a phrase to refuse");
  const page = await signedIn("form-refused", "a phrase to refuse", "/#/account");
  expectComplaint(/403.*account\/password/);
  const now = page.locator("#current");
  await now.fill("not this one");
  await page.locator("#new").fill("a phrase from now on");
  await now.press("Enter");
  const message = page.locator("#current-wrong");
  await message.waitFor();
  await page.waitForFunction(() => document.activeElement?.className === "sum");
  await page.getByRole("link", { name: "this is not your password" }).click();
  await now.press("Tab");
  assert.match(await message.textContent(), /This is not your password/);
  await now.press("x");
  await message.waitFor({ state: "detached" });
});

test("what takes its own button away gives the focus to where one goes on", async () => {
  await makeClient("form-focus", "a phrase to look");
  await upload("focus.txt", "some text");
  const page = await signedIn("form-focus", "a phrase to look");
  await press(page, "Get link to focus.txt");
  await page.getByLabel("Note").press("Enter");
  await page.getByRole("dialog", { name: "Your link is ready" }).waitFor();
  await press(page, "Done");
  await press(page, "Close anyway");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await focused(page), "Get link to focus.txt");

  await page.getByLabel("Search files").fill("nothing like this");
  await press(page, "Clear search");
  assert.equal(await focused(page), "q");

  const ops = await signedIn("ops", undefined, "/#/upload");
  await choose(ops, ["one.txt", "one"]);
  await press(ops, "Remove one.txt from this list");
  await ops.getByText("one.txt").waitFor({ state: "detached" });
  assert.equal(await focused(ops), "Nothing chosen yet");
});

test("a dialog begins at its first field, and a question at the button that changes nothing", async () => {
  await makeClient("form-dialog", "a phrase to ask");
  await upload("dialog.txt", "some text");
  const page = await signedIn("form-dialog", "a phrase to ask");
  await press(page, "Get link to dialog.txt");
  assert.equal(await focused(page), "max_downloads");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Your link is ready" }).waitFor();
  assert.equal(await focused(page), "Copy link");

  await page.goto(new URL("/#/account", page.url()).href);
  await press(page, "Delete account…");
  assert.equal(await focused(page), "Keep account");
});

test("what a sign-up and a forgotten password have come to is there after a reload, without the password", async () => {
  const page = await open("/#/sign-up");
  await page.getByLabel("Username").fill("form-draft");
  await page.getByLabel("E-mail address").fill("form-draft@example.org");
  await page.getByRole("textbox", { name: "Password" }).fill("a phrase to lose");
  await page.reload();
  assert.equal(await page.getByLabel("Username").inputValue(), "form-draft");
  const password = page.getByRole("textbox", { name: "Password" });
  assert.equal(await password.inputValue(), "");
  await password.fill("a phrase to lose");
  await press(page, "Sign up");
  await heading(page, "Check your mail");
  await page.reload();
  await page.getByText("form-draft@example.org").waitFor();
  await press(page, "Send it again");
  await page.getByText("Sent again.").waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage).includes("phrase")), false);
  await press(page, "Change the address");
  assert.equal(await page.getByLabel("E-mail address").inputValue(), "form-draft@example.org");

  // Whoever goes on elsewhere leaves nothing.
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Forgot it?" }).click();
  assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage).includes("form-draft")), false);
  await page.getByLabel("E-mail address").fill("form-draft@example.org");
  await press(page, "Send the link");
  await heading(page, "Check your mail");
  await page.reload();
  await heading(page, "Check your mail");
  await page.getByText("form-draft@example.org").waitFor();
});

test("the summary names each field, and a short password is not sent", async () => {
  const page = await open("/#/sign-up");
  await page.getByLabel("Username").fill("form-short");
  await page.getByRole("textbox", { name: "Password" }).fill("seven_7");
  await press(page, "Sign up");
  await page.getByRole("heading", { name: "2 things to change" }).waitFor();
  assert.deepEqual(await page.getByRole("alert").getByRole("link").allTextContents(), [
    "E-mail address: fill this in.",
    "Password: at least 8 characters.",
  ]);
});
