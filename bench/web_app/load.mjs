// How long the web app takes on a slow phone, from the address to what can be used, and what it loads
// for that. `scripts/web-app-bench load` starts the server.
//
// Chromium slows down the processor and each answer. It does not slow down the making of connections.

import { pathToFileURL } from "node:url";

import { overHttp2 } from "./over_http2.mjs";

const { API, CHROMIUM, PLAYWRIGHT } = process.env;
const { chromium } = await import(pathToFileURL(`${PLAYWRIGHT}/index.mjs`));

const ROUNDS = 9;
const CPU_TIMES_SLOWER = 4;
const SLOW_4G = { latency: 150, download: 1_600_000, upload: 750_000 }; // milliseconds, bits a second
const FILES = 20;
const OPS = { username: "ops", password: "local-ops-password" };
const CLIENT = { username: "client", password: "local-client-password" };

// What is to be seen, and when it was, in milliseconds after the page was asked for.
const CASES = {
  "sign in, for the first time": { seen: "input[autocomplete=username]" },
  "the list of files, for the first time": { signedIn: true, seen: "main .row-act" },
  "the list of files, again": { signedIn: true, again: true, seen: "main .row-act" },
};

function watch(selector) {
  new MutationObserver((_, observer) => {
    if (!document.querySelector(selector)) return;
    observer.disconnect();
    // The second frame begins when the first one has been shown.
    requestAnimationFrame(() => requestAnimationFrame(() => (window.seenAt = performance.now())));
  }).observe(document, { childList: true, subtree: true });
}

// So that the list has something to show.
async function uploadFiles() {
  const json = { "content-type": "application/json" };
  const login = await fetch(`${API}/api/sessions`, { method: "POST", headers: json, body: JSON.stringify(OPS) });
  const { access } = await login.json();
  for (let number = 1; number <= FILES; number += 1) {
    const body = new FormData();
    body.append("file", new Blob([`report ${number}`]), `report ${number}.txt`);
    const headers = { authorization: `Bearer ${access}` };
    const answer = await fetch(`${API}/api/files/upload`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: CPU_TIMES_SLOWER });
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: SLOW_4G.latency,
    downloadThroughput: SLOW_4G.download / 8,
    uploadThroughput: SLOW_4G.upload / 8,
  });
}

async function signIn(page) {
  await page.goto(`${address}/`);
  await page.getByLabel("Username or e-mail address").fill(CLIENT.username);
  await page.getByRole("textbox", { name: "Password" }).fill(CLIENT.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.locator("main .row-act").first().waitFor();
}

async function measure(browser, { signedIn, again, seen }) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  if (signedIn) await signIn(page);
  await page.goto("about:blank");
  const session = await context.newCDPSession(page);
  if (!again) await session.send("Network.clearBrowserCache");
  await slow(page);
  await page.addInitScript(watch, seen);
  await page.goto(`${address}/`);
  await page.waitForFunction(() => window.seenAt);
  const measured = await page.evaluate(() => {
    const loaded = performance.getEntriesByType("resource");
    const { responseEnd, transferSize } = performance.getEntriesByType("navigation")[0];
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    return {
      seen: window.seenAt,
      page: responseEnd,
      paint: paint?.startTime ?? 0,
      requests: loaded.length + 1,
      bytes: loaded.reduce((sum, it) => sum + it.transferSize, transferSize),
    };
  });
  await context.close();
  return measured;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const { address, key } = await overHttp2(API);
await uploadFiles();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", `--ignore-certificate-errors-spki-list=${key}`] });
console.log("| What is seen | Page there | First paint | Usable | Requests | KB |\n|---|---:|---:|---:|---:|---:|");
for (const [name, it] of Object.entries(CASES)) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(browser, it));
  const of = (field) => median(rounds.map((round) => round[field]));
  const times = ["page", "paint", "seen"].map((field) => `${Math.round(of(field))} ms`);
  console.log(`| ${[name, ...times, of("requests"), (of("bytes") / 1000).toFixed(1)].join(" | ")} |`);
}
await browser.close();
