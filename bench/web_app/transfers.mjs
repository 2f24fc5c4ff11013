// 1 GiB up and down by the web app in Chromium, and by curl with the same local server, in turns; and the
// memory that Chromium has meanwhile. `scripts/web-app-bench transfers` starts the server.

import { execFile, execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const { API, CHROMIUM, PLAYWRIGHT } = process.env;
const { chromium } = await import(pathToFileURL(`${PLAYWRIGHT}/index.mjs`));

const MIB = 1024 * 1024;
const SIZE_MIB = 1024;
const ROUNDS = 3;
/** As many parts at once as the web app sends. */
const PARALLEL = "3";
const ACCOUNTS = { ops: "local-ops-password", client: "local-client-password" };

const folder = mkdtempSync(join(tmpdir(), "transfers-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
const source = join(folder, "source.txt");
const received = join(folder, "received.txt");
const inFolder = { cwd: folder, maxBuffer: 64 * MIB };

async function call(method, path, token, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

async function login(username) {
  return (await call("POST", "/api/sessions", null, { username, password: ACCOUNTS[username] })).access;
}

/** Text, so that it passes the check of files. */
function makeSource() {
  const file = openSync(source, "w");
  for (let made = 0; made < SIZE_MIB; made += 4) writeSync(file, randomBytes(3 * MIB).toString("base64"));
  closeSync(file);
}

async function digest(path) {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: MIB })) hash.update(piece);
  return hash.digest("hex");
}

/** The seconds that `work` takes, and what it gives. */
async function time(work) {
  const started = performance.now();
  const result = await work();
  return { seconds: (performance.now() - started) / 1000, result };
}

/** Seconds until the upload is complete, and its id. The file is in pieces before: curl sends whole files. */
async function uploadByCurl(ops, partSize) {
  execFileSync("split", ["--bytes", String(partSize), "--numeric-suffixes=1", "--suffix-length=5", source, "part-"], inFolder);
  return time(async () => {
    const body = { filename: "source.txt", size: SIZE_MIB * MIB };
    const { upload_id: id, parts: count } = await call("POST", "/api/uploads", ops, body);
    const names = Array.from({ length: count }, (_, at) => `part-${String(at + 1).padStart(5, "0")}`);
    const { stdout } = await promisify(execFile)("sha256sum", names, inFolder);
    const digests = stdout.trim().split("\n").map((line, at) => ({ number: at + 1, sha256: line.slice(0, 64) }));
    const { parts } = await call("POST", `/api/uploads/${id}/parts`, ops, { parts: digests });
    const requests = parts.map(({ number, url, headers }) => [
      `url = "${url}"`,
      `upload-file = "${names[number - 1]}"`,
      ...Object.entries(headers).map(([name, value]) => `header = "${name}: ${value}"`),
      "fail\nsilent",
    ]);
    writeFileSync(join(folder, "requests"), requests.map((it) => it.join("\n")).join("\nnext\n"));
    const options = ["--parallel", "--parallel-max", PARALLEL, "--config", "requests"];
    await promisify(execFile)("curl", options, inFolder);
    await call("POST", `/api/uploads/${id}/complete`, ops);
    return id;
  });
}

async function uploadByApp(page) {
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files", exact: true }).click(),
  ]);
  await chooser.setFiles(source);
  return time(async () => {
    const complete = page.waitForResponse((it) => it.url().endsWith("/complete"), { timeout: 0 });
    await page.getByRole("button", { name: "Upload 1 file", exact: true }).click();
    return (await complete).url().split("/").at(-2);
  });
}

async function available(id, ops) {
  while ((await call("GET", `/api/files/${id}`, ops)).state === "checking")
    await new Promise((resolve) => setTimeout(resolve, 500));
}

async function downloadByCurl(link) {
  const options = ["--silent", "--fail", "--location", "--output", received, link.download_url];
  return time(() => promisify(execFile)("curl", options));
}

/** By the button on the page of the link: the browser itself loads the file. */
async function downloadByPage(page, link) {
  await page.goto(link.page_url);
  const { seconds, result } = await time(async () => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download", exact: true }).click(),
    ]);
    await download.path(); // when all has arrived
    return download;
  });
  await result.saveAs(received);
  await result.delete();
  return { seconds };
}

/** The most memory that the processes of Chromium have while `work` goes on, in MiB, by their kind. */
async function watchMemory(browser, work) {
  const session = await browser.newBrowserCDPSession();
  const most = {};
  const look = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const now = { all: 0 };
    for (const { type, id } of processInfo) {
      // Proportional: what processes share is not counted several times.
      const rollup = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
      const used = Number(/^Pss: +(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
      now[type] = (now[type] ?? 0) + used;
      now.all += used;
    }
    for (const [type, used] of Object.entries(now)) most[type] = Math.max(most[type] ?? 0, used);
  };
  await look();
  const before = { ...most };
  let over = false;
  const looking = (async () => {
    while (!over) {
      await look().catch(() => {}); // a process that has just ended
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  try {
    return { ...(await work()), memory: { before, most } };
  } finally {
    over = true;
    await looking;
    await session.detach();
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  makeSource();
  const sha256 = await digest(source);
  const [ops, client] = [await login("ops"), await login("client")];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const page = await browser.newPage();
  await page.goto(`${API}/#/upload`);
  await page.getByLabel("Username or e-mail address").fill("ops");
  await page.getByRole("textbox", { name: "Password" }).fill(ACCOUNTS.ops);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  const { part_size: partSize, upload_id: probe } = await call("POST", "/api/uploads", ops, { filename: "source.txt", size: SIZE_MIB * MIB });
  await call("DELETE", `/api/uploads/${probe}`, ops);

  const rounds = { up: { curl: [], app: [] }, down: { curl: [], app: [] } };
  for (let round = 0; round < ROUNDS; round += 1) {
    // Who is first changes, as the first one meets what the last one left to be written.
    for (const who of round % 2 ? ["app", "curl"] : ["curl", "app"]) {
      const up = who === "curl" ? await uploadByCurl(ops, partSize) : await watchMemory(browser, () => uploadByApp(page));
      await available(up.result, ops);
      const link = await call("POST", `/api/files/generate-download-link/${up.result}`, client, {});
      const other = await browser.newPage();
      const down = who === "curl" ? await downloadByCurl(link) : await watchMemory(browser, () => downloadByPage(other, link));
      await other.close();
      if ((await digest(received)) !== sha256) throw new Error("other bytes came");
      await call("DELETE", `/api/files/${up.result}`, ops);
      rounds.up[who].push(up);
      rounds.down[who].push(down);
    }
  }
  await browser.close();

  console.log("| What | Time | MiB/s | Times as fast as curl | Page, at most | Chromium, at most |\n|---|---:|---:|---:|---:|---:|");
  for (const [way, { curl, app }] of Object.entries(rounds)) {
    const byCurl = median(curl.map((it) => it.seconds));
    for (const [who, results] of [["curl", curl], ["the web app", app]]) {
      const seconds = median(results.map((it) => it.seconds));
      const most = (kind) => Math.max(...results.map(({ memory }) => memory?.most[kind] ?? 0)).toFixed(0);
      const cells = [`${way}, ${who}`, `${seconds.toFixed(2)} s`, (SIZE_MIB / seconds).toFixed(0), (byCurl / seconds).toFixed(2)];
      console.log(`| ${[...cells, most("renderer"), most("all")].join(" | ")} |`);
    }
  }
}

await main();
