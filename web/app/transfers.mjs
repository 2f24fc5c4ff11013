// The uploads of this tab. They go on while another view is looked at.
//
// A part is hashed, signed by the service and sent to S3, which refuses other bytes. What breaks is
// tried again by itself. The id of an upload is kept by the file's name, size, date and terms, so that the
// same file goes on where it was when it is chosen again, after the tab was closed too. With other terms it
// begins anew: nobody gets a file whom this form does not name. What is imported by its
// address is fetched by the service, and stands in the same list.

import { Problem } from "./api.mjs";
import { digest } from "./format.mjs";
import { delay, passes, pauseAfter, speedometer } from "./pace.mjs";
import { call, callForJson, current, subscribe } from "./session.mjs";
import { texts } from "./texts.mjs";

/**
 * @typedef {import("./contract.d.ts").PartsSigned} PartsSigned
 * @typedef {import("./contract.d.ts").UploadCreated} UploadCreated
 * @typedef {import("./contract.d.ts").UploadStatus} UploadStatus
 */

/**
 * @typedef {object} Upload
 * @property {number} key tells it from the others of the list
 * @property {File} file an empty one for an import
 * @property {string} url where an import is fetched from; empty for a file of this device
 * @property {string} name
 * @property {number} size bytes; 0 while an import does not know it
 * @property {"waiting" | "queued" | "sending" | "paused" | "lost" | "fetching" | "checking" |
 *   "available" | "rejected" | "failed"} state
 * @property {Record<string, unknown>} terms as `upload_create` takes them
 * @property {string} id empty until the service knows of it
 * @property {string} memory where in `localStorage` the id is kept
 * @property {number} sent bytes; it never becomes less
 * @property {number} speed bytes a second; 0 while it is not known
 * @property {number} retryAt when the next attempt begins, in milliseconds since 1970
 * @property {string} reason why it was rejected or has failed
 * @property {Map<number, string>} digests of the parts that were hashed
 * @property {AbortController} stop
 */

/** How many files are sent at once, and how many parts of each. */
const FILES = 2;
const PARTS = 3;
/** After so many milliseconds without a byte on its way, a part is sent anew. */
const STALLED = 60_000;
/** What no name may hold: control and direction characters, and others that cannot be seen. */
const DECEIVING = /[\p{Cc}\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/gu;
/** The longest pause between two questions about the check. */
const LONGEST_POLL = 5000;

/** @type {Upload[]} */
let uploads = [];
let nextKey = 1;
let owner = "";
/** @type {Set<() => void>} */
const listeners = new Set();

export const list = () => uploads;

/**
 * Calls `listener` at each change, until the function that it returns is called.
 * @param {() => void} listener
 */
export function watch(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function changed() {
  for (const listener of listeners) listener();
}

/** @param {Upload} upload @param {Partial<Upload>} change */
function set(upload, change) {
  Object.assign(upload, change);
  changed();
}

/** Adds files, which wait until `start`, or are of no use. @param {Iterable<File>} files */
export function add(files) {
  for (const file of files) {
    // What cannot be seen is shown.
    const name = file.name.replace(DECEIVING, (it) => `[U+${it.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
    const reason = name !== file.name ? texts.upload.deceiving : file.size > 0 ? "" : texts.upload.empty;
    put(file, { name, reason, state: reason ? "rejected" : "waiting" });
  }
}

/** Adds the file at `url`, which waits until `start`. @param {string} url */
export function addImport(url) {
  const { hostname, pathname } = new URL(url);
  put(new File([], pathname.split("/").pop() || hostname), { url });
}

/** @param {File} file @param {Partial<Upload>} more */
function put(file, more) {
  /** @type {Upload} */
  const upload = {
    key: nextKey++,
    file,
    url: "",
    name: file.name,
    size: file.size,
    state: "waiting",
    terms: {},
    id: "",
    memory: "",
    sent: 0,
    speed: 0,
    retryAt: 0,
    reason: "",
    digests: new Map(),
    stop: new AbortController(),
    ...more,
  };
  uploads = [...uploads, upload];
  changed();
}

/** Whether `start` begins it: it waits, or was refused before the service knew of it. @param {Upload} upload */
export const canStart = ({ state, id }) => state === "waiting" || (state === "failed" && id === "");

/**
 * Begins all that wait. When the service refuses the terms of the first, it throws, and none begins.
 * @param {Record<string, unknown>} terms
 */
export async function start(terms) {
  const chosen = uploads.filter(canStart);
  for (const upload of chosen) set(upload, { terms, state: "waiting", reason: "" });
  for (const upload of chosen) {
    const { url, stop } = upload;
    try {
      await (url ? requestImport : open)(upload, stop.signal);
      break;
    } catch (error) {
      if (error instanceof Problem && error.fields.some(({ field }) => field in terms)) throw error;
      const reason = final(error);
      if (!reason) break;
      set(upload, { state: "failed", reason });
    }
  }
  for (const upload of chosen) if (upload.state === "waiting") upload.state = "queued";
  begin();
}

/** @param {Upload} upload */
export function pause(upload) {
  upload.stop.abort();
  set(upload, { state: "paused", speed: 0 });
  begin();
}

/** Goes on with one that is paused, lost or has failed. @param {Upload} upload */
export function resume(upload) {
  upload.stop.abort();
  set(upload, { state: "queued", reason: "" });
  begin();
}

/** Takes it off the list, and ends it when it is not complete. @param {Upload} upload */
export function remove(upload) {
  upload.stop.abort();
  uploads = uploads.filter((it) => it !== upload);
  changed();
  begin();
  const complete = ["checking", "available", "rejected"].includes(upload.state);
  if (!upload.id || complete) return;
  forget(upload);
  // When this fails, the service gives the upload up by itself.
  call("DELETE", `api/uploads/${upload.id}`).catch(() => {});
}

function begin() {
  const running = uploads.filter(({ state }) => state === "sending" || state === "lost").length;
  const next = uploads.filter(({ state }) => state === "queued").slice(0, Math.max(0, FILES - running));
  for (const upload of next) run(upload);
}

/** @param {Upload} upload */
async function run(upload) {
  const stop = new AbortController();
  upload.stop = stop;
  set(upload, { state: "sending" });
  for (let failures = 0; !stop.signal.aborted; failures += 1) {
    const before = upload.sent;
    try {
      if (upload.url) await requestImport(upload, stop.signal);
      else await send(upload, stop.signal);
      set(upload, { state: upload.url ? "fetching" : "checking", speed: 0, sent: upload.size });
      forget(upload);
      begin();
      await follow(upload, stop.signal);
      return;
    } catch (error) {
      if (stop.signal.aborted) return;
      const reason = final(error);
      if (reason) {
        set(upload, { state: "failed", reason, speed: 0 });
        begin();
        return;
      }
      if (upload.sent > before) failures = 0;
      const pause = pauseAfter(failures, error);
      set(upload, { state: "lost", speed: 0, retryAt: Date.now() + pause });
      await delay(pause, stop.signal);
      if (!stop.signal.aborted) set(upload, { state: "sending" });
    }
  }
}

/**
 * Why another attempt is of no use; an empty text when it is.
 * @param {unknown} error
 */
function final(error) {
  if (error instanceof DOMException) return texts.upload.unreadable;
  if (!(error instanceof Problem)) throw error;
  const { message, fields } = error;
  if (passes(error)) return "";
  return fields.length > 0 ? `${fields.map(({ field, message: text }) => `${field}: ${text}`).join("; ")}.` : message;
}

/** Asks the service to fetch it, once. @param {Upload} upload @param {AbortSignal} signal */
async function requestImport(upload, signal) {
  if (upload.id) return;
  try {
    /** @type {import("./contract.d.ts").FileDetails} */
    const file = await callForJson("POST", "api/imports", { body: { url: upload.url, ...upload.terms }, signal });
    upload.id = file.id;
  } catch (error) {
    // Asked again, the service would fetch it twice.
    if (error instanceof Problem && error.status === 0) throw new Problem(400, "", texts.upload.importUnsure);
    throw error;
  }
}

/** Sends what S3 does not have yet, and completes the upload. @param {Upload} upload @param {AbortSignal} signal */
async function send(upload, signal) {
  const status = await open(upload, signal);
  const { part_size: partSize, parts } = status;
  if (status.state !== "uploading" || !partSize || !parts) return;
  const received = new Map(status.received?.map(({ number, sha256 }) => [number, sha256]));
  const meter = measure(upload);
  let next = 1;
  let failed = false;
  const worker = async () => {
    while (next <= parts && !failed && !signal.aborted) {
      const number = next++;
      try {
        const start = (number - 1) * partSize;
        const bytes = upload.file.slice(start, start + partSize);
        const sha256 = upload.digests.get(number) ?? (await digest(bytes));
        upload.digests.set(number, sha256);
        if (received.get(number) !== sha256) await sendPart(upload.id, number, sha256, bytes, meter, signal);
        meter.end(number, bytes.size, received.get(number) === sha256);
      } catch (error) {
        failed = true;
        meter.end(number, 0, true);
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: PARTS }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  signal.throwIfAborted();
  await call("POST", `api/uploads/${upload.id}/complete`, { signal });
}

/**
 * The upload as the service has it: the one that was begun before, or a new one.
 * @param {Upload} upload
 * @param {AbortSignal} signal
 * @returns {Promise<UploadStatus>}
 */
async function open(upload, signal) {
  upload.memory = await memory(upload);
  const kept = localStorage.getItem(upload.memory) ?? "";
  // Two files can be alike in all of that, and each is a file of its own.
  const known = upload.id || (uploads.some(({ id }) => id === kept) ? "" : kept);
  if (known) {
    try {
      /** @type {UploadStatus} */
      const status = await callForJson("GET", `api/uploads/${known}`, { signal });
      if (status.state !== "deleted" && status.state !== "rejected") {
        upload.id = known;
        return status;
      }
    } catch (error) {
      if (!(error instanceof Problem) || ![400, 404, 410].includes(error.status)) throw error;
    }
    if (kept === known) localStorage.removeItem(upload.memory);
    upload.id = "";
  }
  const body = { filename: upload.file.name, size: upload.file.size, ...upload.terms };
  /** @type {UploadCreated} */
  const created = await callForJson("POST", "api/uploads", { body, signal });
  upload.id = created.upload_id;
  localStorage.setItem(upload.memory, created.upload_id);
  return { ...created, filename: upload.name, size: upload.size, state: "uploading" };
}

/** Where the id of the upload of this very file is kept, which does not tell its name. @param {Upload} upload */
async function memory({ file, terms }) {
  const about = JSON.stringify([owner, file.name, file.size, file.lastModified, terms]);
  return `upload-${await digest(new Blob([about]))}`;
}

/** @param {Upload} upload */
function forget({ id, memory: place }) {
  if (localStorage.getItem(place) === id) localStorage.removeItem(place);
}

/** @typedef {ReturnType<typeof measure>} Meter */

/** Counts the bytes of `upload` that are on their way or there, and how fast that goes. @param {Upload} upload */
function measure(upload) {
  /** @type {Map<number, number>} */
  const parts = new Map();
  /** Bytes that were there before this attempt say nothing about speed. */
  let skipped = 0;
  const speedOf = speedometer();
  let shown = 0;
  let later = 0;
  const show = () => {
    later = 0;
    shown = Date.now();
    changed();
  };
  const count = () => {
    const there = [...parts.values()].reduce((sum, bytes) => sum + bytes, 0);
    Object.assign(upload, { sent: Math.max(upload.sent, there), speed: speedOf(there - skipped) });
    // Five times a second, and once more for what comes last: nothing may follow it for long.
    later ||= setTimeout(show, Math.max(0, shown + 200 - Date.now()));
  };
  return {
    /** @param {number} number @param {number} bytes */
    progress: (number, bytes) => {
      parts.set(number, bytes);
      count();
    },
    /** @param {number} number @param {number} bytes @param {boolean} wasThere */
    end: (number, bytes, wasThere) => {
      if (wasThere) skipped += bytes;
      parts.set(number, bytes);
      count();
    },
  };
}

/**
 * @param {string} id
 * @param {number} number
 * @param {string} sha256
 * @param {Blob} bytes
 * @param {Meter} meter
 * @param {AbortSignal} signal
 */
async function sendPart(id, number, sha256, bytes, meter, signal) {
  const body = { parts: [{ number, sha256 }] };
  /** @type {PartsSigned} */
  const { parts } = await callForJson("POST", `api/uploads/${id}/parts`, { body, signal });
  const part = parts[0];
  if (!part) throw new Problem(0, "", texts.errors.unknown);
  await sendBytes(part, bytes, (loaded) => meter.progress(number, loaded), signal);
}

/**
 * One part to S3. `fetch` does not say how much of a body has gone, hence the older way.
 * @param {PartsSigned["parts"][number]} part
 * @param {Blob} bytes
 * @param {(loaded: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function sendBytes({ url, headers }, bytes, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALLED);
    };
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.upload.addEventListener("progress", ({ loaded }) => {
      alive();
      onProgress(loaded);
    });
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      const { status } = request;
      if (status === 200) resolve();
      // An address that has ended is signed anew with the next attempt.
      else if (status === 400) reject(new Problem(status, "", texts.upload.refused));
      else reject(new Problem(0, "offline", texts.errors.offline));
    });
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    alive();
    request.send(bytes);
  });
}

/** Asks until the check has ended. @param {Upload} upload @param {AbortSignal} signal */
async function follow(upload, signal) {
  for (let pause = 500; !signal.aborted; pause = Math.min(LONGEST_POLL, pause * 1.5)) {
    await delay(pause, signal);
    if (signal.aborted) return;
    try {
      /** @type {UploadStatus} */
      const status = await callForJson("GET", `api/uploads/${upload.id}`, { signal });
      // The name and the size of an import are known when the host has answered.
      const { filename: name, size } = status;
      set(upload, { name, size: size ?? 0, ...(status.state === "checking" ? { state: "checking" } : {}) });
      if (status.state === "available") return set(upload, { state: "available" });
      if (status.state === "rejected")
        return set(upload, { state: "rejected", reason: status.reason ? texts.rejection(status.reason) : "" });
      if (status.state === "deleted") return set(upload, { state: "failed", reason: texts.upload.ended });
    } catch (error) {
      if (signal.aborted) return;
      const reason = final(error);
      if (reason) return set(upload, { state: "failed", reason });
    }
  }
}

addEventListener("beforeunload", (event) => {
  // Leaving the page would cut something off.
  if (uploads.some(({ state }) => ["queued", "sending", "lost"].includes(state))) event.preventDefault();
});

/** Nobody sees or continues what another account has begun here. */
function follows() {
  const { account, ended } = current();
  if (account?.id === owner || (!account && ended)) return;
  for (const { stop } of uploads) stop.abort();
  uploads = [];
  owner = account?.id ?? "";
  changed();
}
subscribe(follows);
follows();
