// An upload of 300 MB whose browser is killed in the midst of it, as when a machine loses its power.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, open as openFile, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { API, call, choose, chromium, expectComplaint, guard, heading, LAUNCH, press, signIn, tokenOf } from "./page.mjs";

const SIZE = 300_000_000;
/** How many parts S3 has when the browser is killed. */
const BEFORE = 12;

let folder;
let profile;
let context;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "resume-"));
  profile = join(folder, "profile");
});

after(async () => {
  await context?.close();
  await rm(folder, { recursive: true });
});

/** Chromium with the profile of `folder`, its process id, and the answer when it goes on with a session. */
async function start() {
  context = await chromium.launchPersistentContext(profile, { ...LAUNCH, viewport: { width: 1280, height: 900 } });
  await guard(context);
  const page = await context.newPage();
  const refreshed = page.waitForResponse(`${API}/api/sessions/refresh`).catch(() => undefined);
  await page.goto(`${API}/#/upload`);
  const lock = await readlink(join(profile, "SingletonLock")); // host-pid
  return { page, pid: Number(lock.split("-").at(-1)), refreshed };
}

async function until(look) {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((go) => setTimeout(go, 50))) {
    const seen = await look();
    if (seen) return seen;
  }
  throw new Error("it does not happen");
}

/** Text of `SIZE` bytes, in which no two parts are the same. Gives its path and digest. */
async function file() {
  const path = join(folder, "large.txt");
  const written = await openFile(path, "w");
  const hash = createHash("sha256");
  for (let at = 0; at < SIZE; at += 1_000_000) {
    const piece = `${String(at).padEnd(99, "-")}\n`.repeat(10_000);
    hash.update(piece);
    await written.write(piece);
  }
  await written.close();
  return { path, sha256: hash.digest("hex") };
}

test("an upload goes on after its browser was killed, and only what is missing is sent", async () => {
  const { path, sha256 } = await file();
  const { page, pid } = await start();
  await signIn(page, "ops");
  await heading(page, "Upload");
  await choose(page, path);
  let begun = 0;
  await page.route(/x-id=UploadPart/, (route) => (begun++ < BEFORE ? route.continue() : undefined));
  const [created] = await Promise.all([
    page.waitForResponse((it) => it.url() === `${API}/api/uploads` && it.request().method() === "POST"),
    press(page, "Upload 1 file"),
  ]);
  const { upload_id: id, parts } = await created.json();
  const ops = await tokenOf("ops");
  const received = async () => (await call("GET", `/api/uploads/${id}`, ops)).received.map(({ number }) => number);
  await until(async () => (await received()).length === BEFORE);
  // Chromium writes what a page stores some seconds later.
  const stored = join(profile, "Default/Local Storage/leveldb");
  await until(async () => {
    const names = (await readdir(stored)).filter((name) => name.endsWith(".log"));
    return (await Promise.all(names.map((name) => readFile(join(stored, name), "latin1")))).some((it) => it.includes(id));
  });
  const ended = once(context, "close");
  process.kill(pid, "SIGKILL");
  await ended;

  expectComplaint(/422.*refresh/); // the cookie may be written later than that
  const { page: again, refreshed } = await start();
  const sent = [];
  again.on("request", (request) => {
    const number = /x-id=UploadPart.*partNumber=(\d+)/.exec(request.url())?.[1];
    if (number && request.method() === "PUT") sent.push(Number(number));
  });
  // Before that answer the page is already there, as for somebody who is signed in.
  if (!(await refreshed)?.ok()) await signIn(again, "ops");
  await heading(again, "Upload");
  await choose(again, path);
  const there = await received();
  const missing = Array.from({ length: parts }, (_, at) => at + 1).filter((it) => !there.includes(it));
  await press(again, "Upload 1 file");
  await again.getByText("1 ready").waitFor({ timeout: 120_000 });
  assert.deepEqual(sent.toSorted((a, b) => a - b), missing);
  assert.equal((await call("GET", `/api/files/${id}`, ops)).sha256, sha256);
});
