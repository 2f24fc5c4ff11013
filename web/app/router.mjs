// Addresses within the app: `#/files?q=report`. They stand behind the hash, because each path is a
// route of the gateway.

import { withQuery } from "./api.mjs";

/** @typedef {{path: string, query: URLSearchParams}} Place */

/** @returns {Place} */
export function place() {
  const [path = "", query = ""] = location.hash.slice(1).split("?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

/**
 * The address of a place.
 * @param {string} path
 * @param {Record<string, string>} [query] empty texts are left out
 */
export function address(path, query = {}) {
  return `#${withQuery(path, query)}`;
}

/**
 * Goes there, with an entry in the history.
 * @param {string} path
 * @param {Record<string, string>} [query]
 */
export function go(path, query) {
  location.hash = address(path, query);
}

/**
 * Writes what is looked at into the address, without an entry in the history.
 * @param {string} path
 * @param {Record<string, string>} query
 */
export function rewrite(path, query) {
  history.replaceState(null, "", address(path, query));
}
