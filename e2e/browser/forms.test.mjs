// Forms in a real Chromium: what they say, what survives a reload, and where the focus is.
// `scripts/browser` starts the server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { expectComplaint, heading, makeClient, open, press, signedIn, upload } from "./page.mjs";

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
