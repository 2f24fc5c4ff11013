// Who is signed in. The access token is in the memory of this tab only; the refresh token is a cookie
// that no script can read. Tabs share the cookie, so they refresh one at a time.

import { jsonOf, Problem, send } from "./api.mjs";
import { address } from "./router.mjs";
import { texts } from "./texts.mjs";

/**
 * @typedef {import("./contract.d.ts").Account} Account
 * @typedef {import("./contract.d.ts").LoggedIn} LoggedIn
 * @typedef {{state: "out" | "in" | "failed", account: Account | null,
 *   ended: string, problem: Problem | null}} Session
 *   `ended` says why a session is over that its user did not end
 */

/** In `localStorage`: who is signed in, without the address. It saves asking where nobody is. */
const KEPT = "account";
/** The milliseconds before its end at which a token is replaced. */
const EARLY = 30_000;
/** The code of every refusal from when an admin has disabled the account. */
const DISABLED = "account_disabled";

const channel = new BroadcastChannel("session");

let token = "";
let tokenEnds = 0;

/** @type {Session} */
let session = { state: "out", account: null, ended: "", problem: null };
/** @type {Set<(session: Session) => void>} */
const listeners = new Set();

/** @param {Partial<Session>} change */
function set(change) {
  session = { ...session, ...change };
  for (const listener of listeners) listener(session);
}

export const current = () => session;

/**
 * Calls `listener` at each change, until the function that it returns is called.
 * @param {(session: Session) => void} listener
 */
export function subscribe(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Who was signed in here at last, if that can be read. @returns {Account | null} */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null");
  } catch {
    return null;
  }
}

/** Continues the session that this browser has, when it has one. */
export async function start() {
  const account = kept();
  if (!account) return set({ state: "out", account });
  await resume(account);
}

/** @param {Account} account as it was: views need not wait for the answer */
async function resume(account) {
  try {
    if (!session.account) set({ state: "in", account });
    await refresh();
    await readAccount();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (session.state !== "out") set({ state: "failed", problem: error });
  }
}

/**
 * Begins the session of `answer`, and says so to the other tabs.
 * @param {LoggedIn} answer
 */
export async function begin(answer) {
  take(answer);
  const begun = ownerOf(answer);
  // First, because tabs of another account have another cookie from now on.
  channel.postMessage({ begun });
  const account = await readAccount();
  // What was typed when another account's session ended here.
  for (const key of Object.keys(sessionStorage)) if (!key.includes(begun)) sessionStorage.removeItem(key);
  // With the account, because Firefox shows other tabs later what is in `localStorage`.
  channel.postMessage({ begun, account });
}

/** Ends the session, here and in all tabs. When the service has not ended it, it goes on. */
export async function signOut() {
  try {
    await call("DELETE", "api/sessions/current");
  } catch (error) {
    if (!(error instanceof Problem) || session.account) throw error;
  }
  closed("");
}

/**
 * The session is over, here and in all tabs. Whoever signs in here next does not land where it was.
 * @param {string} why it is, where that is to be said
 */
export function closed(why) {
  leave(why);
  location.replace(address("/sign-in"));
  channel.postMessage({ ended: true });
}

/** Nothing that was typed stays for whoever signs in next. @param {string} why */
function leave(why) {
  sessionStorage.clear();
  end(why);
}

/**
 * A request of whoever is signed in, with a fresh token where it is needed.
 * @param {string} method
 * @param {string} path
 * @param {Omit<import("./api.mjs").Sent, "token">} [sent]
 */
export async function call(method, path, sent = {}) {
  if (Date.now() > tokenEnds - EARLY) await refresh();
  try {
    return await send(method, path, { ...sent, token });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === DISABLED) end(error.message);
    if (error.status !== 401) throw error;
    await refresh();
    return await send(method, path, { ...sent, token });
  }
}

/**
 * The same, and the JSON of the answer.
 * @template T
 * @param {string} method
 * @param {string} path
 * @param {Omit<import("./api.mjs").Sent, "token">} [sent]
 * @returns {Promise<T>}
 */
export async function callForJson(method, path, sent) {
  return jsonOf(await call(method, path, sent));
}

/** @type {Promise<void> | null} */
let refreshing = null;

/** Gets a new access token. Several requests of this tab wait for the same one. */
function refresh() {
  refreshing ??= navigator.locks.request("refresh", exchange).finally(() => (refreshing = null));
  return refreshing;
}

async function exchange() {
  try {
    const answer = await jsonOf(await send("POST", "api/sessions/refresh"));
    const { account } = session;
    if (account && account.id !== ownerOf(answer)) throw handOver();
    take(answer);
  } catch (error) {
    // 422 is the answer without a cookie: it has ended, or was deleted.
    if (error instanceof Problem && ([401, 422].includes(error.status) || error.code === DISABLED))
      end(error.code === DISABLED ? error.message : texts.signIn.expired);
    throw error;
  }
}

/** The id of the account that an access token is for. @param {LoggedIn} answer @returns {string} */
const ownerOf = ({ access }) => JSON.parse(atob((access.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"))).sub;

/** Another account's cookie is there now. What this tab shows, holds and does must not outlive that. */
function handOver() {
  leave("");
  location.reload();
  return new Problem(401, "", texts.signIn.expired);
}

/** @param {LoggedIn} answer */
function take(answer) {
  token = answer.access;
  tokenEnds = Date.now() + answer.expires_in * 1000;
}

/** Who is signed in, as it is now. */
export async function readAccount() {
  const account = /** @type {Account} */ (await callForJson("GET", "api/account"));
  localStorage.setItem(KEPT, JSON.stringify({ ...account, email: "" }));
  set({ state: "in", account, ended: "", problem: null });
  return account;
}

/** @param {string} ended why, where it was not the user */
function end(ended) {
  token = "";
  tokenEnds = 0;
  if (kept()?.id === session.account?.id) localStorage.removeItem(KEPT);
  set({ state: "out", account: null, ended, problem: null });
}

channel.addEventListener("message", ({ data }) => {
  if (data.ended) leave("");
  if (data.begun && session.account && data.begun !== session.account.id) handOver();
  if (data.account && !session.account) resume(data.account);
});

start();
