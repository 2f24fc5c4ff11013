// The downloads of this tab. They go on while another view is looked at.
//
// `download_show` has given this browser a cookie that no script can read, before the first byte. The
// lease of a download is made of it. So the same request goes on where one has broken off, also after
// a reload, and what runs in a page has no secret to lose. The bytes stay in this tab until the whole
// of them is compared with the digest: what is not the file is never saved.

import { jsonOf, Problem, send, withQuery } from "./api.mjs";
import { delay, passes, pauseAfter, speedometer } from "./pace.mjs";
import { save } from "./save.mjs";
import { call, current, subscribe } from "./session.mjs";
import { Sha256 } from "./sha256.mjs";
import { texts } from "./texts.mjs";

/** @typedef {import("./contract.d.ts").DownloadDetails} DownloadDetails */

/**
 * @typedef {object} Download
 * @property {string} token
 * @property {DownloadDetails} details
 * @property {"running" | "lost" | "done" | "handed" | "wrong" | "failed"} state `handed` to the browser,
 *   which gets it from S3
 * @property {Blob[]} parts what has arrived; the browser keeps it on disk when it is much
 * @property {BlobPart[]} loose what has arrived after them
 * @property {number} got bytes
 * @property {Sha256} hash of them
 * @property {number} speed bytes a second
 * @property {number} retryAt when the next attempt begins, in milliseconds since 1970
 * @property {Problem | null} problem why it has failed
 * @property {string} digest of all that arrived
 * @property {Blob | null} file the whole of it
 * @property {AbortController} stop
 */

/** The bytes of a part. */
const PART = 8_000_000;
/** After so many milliseconds without a byte, the download is asked for anew. */
const STALLED = 60_000;

/** @type {Map<string, Download>} by the link's token */
const downloads = new Map();
let owner = current().account?.id ?? "";
/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {string} token */
export const find = (token) => downloads.get(token);

/**
 * Calls `listener` at each change, until the function that it returns is called.
 * @param {() => void} listener
 */
export function watch(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** @param {Download} download @param {Partial<Download>} change */
function set(download, change) {
  Object.assign(download, change);
  for (const listener of listeners) listener();
}

/** The state of one of which nothing has arrived. */
const nothing = () => ({ parts: [], loose: [], got: 0, hash: new Sha256() });

/** Begins, or begins anew. @param {string} token @param {DownloadDetails} details */
export function start(token, details) {
  /** @type {Download} */
  const download = {
    ...nothing(),
    token,
    details,
    state: "running",
    speed: 0,
    retryAt: 0,
    problem: null,
    digest: "",
    file: null,
    stop: new AbortController(),
  };
  downloads.set(token, download);
  run(download);
}

/** Does not wait for the next attempt. @param {Download} download */
export function tryNow(download) {
  download.stop.abort();
  run(download);
}

/** Of one that is over, so that the link is looked at again. @param {string} token */
export function forget(token) {
  downloads.get(token)?.stop.abort();
  downloads.delete(token);
}

/** @param {Download} download */
async function run(download) {
  const stop = new AbortController();
  download.stop = stop;
  for (let failures = 0; !stop.signal.aborted; failures += 1) {
    set(download, { state: "running" });
    const before = download.got;
    try {
      await receive(download, stop.signal);
      return;
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      if (!passes(error)) return set(download, { state: "failed", problem: error });
      if (download.got > before) failures = 0;
      const pause = pauseAfter(failures, error);
      set(download, { state: "lost", speed: 0, retryAt: Date.now() + pause });
      await delay(pause, stop.signal);
    }
  }
}

/** Gets what has not arrived yet. @param {Download} download @param {AbortSignal} signal */
async function receive(download, signal) {
  const { token, details, got } = download;
  /** @type {Record<string, string>} */
  const headers = got > 0 ? { range: `bytes=${got}-`, "if-range": `"${details.sha256}"` } : {};
  const path = withQuery("api/file/download", { token, lease: String(details.lease) });
  const request = current().account ? call : send;
  const response = await request("GET", path, { headers, signal });
  if (details.presigned) {
    const { url } = await jsonOf(response);
    set(download, { state: "handed" }); // first, or leaving for it would be asked about
    location.assign(url);
    return;
  }
  if (response.status !== 206) Object.assign(download, nothing());
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  const speedOf = speedometer();
  const begun = download.got;
  let shown = 0;
  while (download.got < details.size) {
    const timer = setTimeout(() => void reader.cancel(), STALLED);
    const { done, value } = await reader.read().catch(lost).finally(() => clearTimeout(timer));
    if (done) lost();
    keep(download, value);
    download.speed = speedOf(download.got - begun);
    if (Date.now() - shown < 200) continue;
    shown = Date.now();
    set(download, {});
  }
  end(download);
}

/** @returns {never} */
function lost() {
  throw new Problem(0, "offline", texts.errors.offline);
}

/** @param {Download} download @param {Uint8Array<ArrayBuffer>} bytes */
function keep(download, bytes) {
  download.hash.add(bytes);
  download.got += bytes.length;
  download.loose.push(bytes);
  if (download.got < (download.parts.length + 1) * PART) return;
  download.parts.push(new Blob(download.loose));
  download.loose = [];
}

/** Saves what has arrived, if it is the file. @param {Download} download */
function end(download) {
  const digest = download.hash.end();
  const { parts, loose, details } = download;
  Object.assign(download, nothing());
  if (digest !== details.sha256) return set(download, { state: "wrong", digest });
  // Of a type that no browser shows: a page of this site must not be made of it.
  const file = new Blob([...parts, ...loose], { type: "application/octet-stream" });
  set(download, { state: "done", digest, file });
  save(file, details.filename);
}

addEventListener("beforeunload", (event) => {
  // Leaving the page would cut something off.
  if ([...downloads.values()].some(({ state }) => state === "running" || state === "lost")) event.preventDefault();
});

// Who signs out leaves nothing here for the next one.
subscribe(({ account, ended }) => {
  if (owner === account?.id) return;
  // A session that ended by itself may go on. Meanwhile a bound file is not for whoever sits here.
  const stays = (/** @type {Download} */ { details }) => !owner || (!account && ended && !details.bind);
  for (const [token, download] of downloads) if (!stays(download)) forget(token);
  if (account || !ended) owner = account?.id ?? "";
});
